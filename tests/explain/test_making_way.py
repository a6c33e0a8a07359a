"""The commands that make way: what they say, and that nothing of a rule's reaches a shell."""

import pytest
from msgspec.structs import replace
from port_cases import BY_HOST, DB, translated
from topologies import planned, read, recorded, sent

from inspector.explain.case import Case
from inspector.explain.making_way import DISCOVERY, TOO_BIG, Message, accept_ahead, ways, ways_for, written_by_iptables
from inspector.model.path import Direction, Path
from inspector.model.report import Outcome, Rule, Verdict
from inspector.model.rules import Backend, Chain, ChainKey, FirewallRecord, Hook
from inspector.model.topology import HOST, SandboxId
from inspector.model.walk import WalkStep

WORLD = read("two-networks.toml")
PLAN = planned(WORLD, "web", "api")
A, B = PLAN.source.address, PLAN.resolution.address


def commands(
    text: str, *, family: str = "ip", table: str = "filter", owner: str = "user", **more: object
) -> tuple[str, ...]:
    rule = Rule(family, table, str(more.pop("chain", "FORWARD")), 3, text, owner, **more)  # type: ignore[arg-type]
    case = Case(recorded(WORLD, PLAN, probes=(sent(),)), (), Verdict(Outcome.DROPPED, "", rule=rule))
    return ways(case, rule)


def test_a_rule_about_one_end_is_taken_out() -> None:
    assert commands(f"-s {A}/32 -i docker0 -j DROP") == (f"iptables -D FORWARD -s {A}/32 -i docker0 -j DROP",)
    legacy = commands(f"-d {B}/32 -j DROP", table="raw", backend=Backend.LEGACY)
    assert legacy == (f"iptables-legacy -t raw -D FORWARD -d {B}/32 -j DROP",)
    assert commands(f"ip daddr {B} drop", family="inet", table="my fw", handle=9) == (
        "nft delete rule inet 'my fw' FORWARD handle 9",
    )


def test_ahead_of_another_the_two_are_let_through() -> None:
    assert commands("-p icmp -j DROP") == (
        f"iptables -I FORWARD 3 -s {A} -d {B} -j ACCEPT",
        f"iptables -I FORWARD 3 -s {B} -d {A} -j ACCEPT",
    )
    assert commands(f"! -s {A}/32 -j DROP")[0].startswith("iptables -I FORWARD 3")
    assert commands(f"-s {A}/32 -j DROP", owner="unknown")[0].startswith("iptables -I FORWARD 3")
    assert accept_ahead("DOCKER-USER", "fd00::1", "fd00::2", 6)[0] == (
        "ip6tables -I DOCKER-USER -s fd00::1 -d fd00::2 -j ACCEPT"
    )


@pytest.mark.parametrize("hostile", ["$(id)", "`id`", "a;b", "a\\x1bb", "a|b", "a&b", "a>b", "'", '"'])
def test_nothing_of_a_rule_reaches_a_shell(hostile: str) -> None:
    text = f'-s {A}/32 -m comment --comment "{hostile}" -j DROP'
    assert commands(text) == ("iptables -D FORWARD 3",)
    (command,) = commands(f"-s {A}/32 -j DROP", chain="$(id)")
    assert command == f"iptables -D '$(id)' -s {A}/32 -j DROP"


def test_in_a_container_of_its_own() -> None:
    (command,) = commands(f"-d {B}/32 -j DROP", sandbox=SandboxId("api"))
    assert (
        command == f"nsenter -n -t $(docker inspect -f '{{{{.State.Pid}}}}' api) iptables -D FORWARD -d {B}/32 -j DROP"
    )


@pytest.mark.parametrize(
    ("owner", "chain", "expected"),
    [
        ("ufw", "ufw-user-forward", f"ufw route prepend allow from {A} to {B}"),
        ("ufw", "ufw-user-input", f"ufw prepend allow from {A} to {B}"),
        ("firewalld", "filter_FORWARD", f"let {A} reach {B} in firewalld's own settings"),
        ("libvirt", "LIBVIRT_FWX", f"let {A} reach {B} in libvirt's own settings"),
    ],
)
def test_what_a_program_keeps_is_changed_by_it(owner: str, chain: str, expected: str) -> None:
    assert commands("-j DROP", owner=owner, chain=chain) == (expected,)


@pytest.mark.parametrize(
    ("rule", "messages", "expected"),
    [
        (
            Rule("ip", "filter", "FORWARD", 3, "-p icmp -j DROP", "user"),
            TOO_BIG[4],
            "iptables -I FORWARD 3 -p icmp --icmp-type fragmentation-needed -j ACCEPT",
        ),
        (
            Rule("ip", "raw", "PREROUTING", 0, "policy drop", "unknown"),
            TOO_BIG[4],
            "iptables -t raw -A PREROUTING -p icmp --icmp-type fragmentation-needed -j ACCEPT",
        ),
        (
            Rule("inet", "my fw", "c", 1, "meta l4proto icmp drop", "user", handle=9),
            TOO_BIG[4],
            "nft insert rule inet 'my fw' c handle 9 icmp type destination-unreachable icmp code frag-needed accept",
        ),
        (
            Rule("inet", "fw", "c", 0, "policy drop", "unknown"),
            DISCOVERY[:1],
            "nft add rule inet fw c icmpv6 type nd-neighbor-solicit accept",
        ),
        (
            Rule("ip", "filter", "X", 1, "-j DROP", "firewalld"),
            TOO_BIG[6],
            "let packet-too-big pass in firewalld's own settings",
        ),
    ],
)
def test_messages_are_let_through_ahead_of_a_rule(rule: Rule, messages: tuple[Message, ...], expected: str) -> None:
    case = Case(recorded(WORLD, PLAN, probes=(sent(),)), (), Verdict(Outcome.DROPPED, ""))
    assert ways_for(case, rule, messages) == (expected,)


def test_who_wrote_it() -> None:
    assert written_by_iptables(Rule("ip", "filter", "X", 1, "[u32] -j DROP", "user"))
    assert written_by_iptables(Rule("ip", "filter", "FORWARD", 0, "policy drop", "unknown"))
    assert not written_by_iptables(Rule("inet", "filter", "forward", 0, "policy drop", "unknown"))
    assert not written_by_iptables(Rule("ip", "filter", "FORWARD", 1, "tcp dport 80 drop", "user"))


def test_behind_a_translation_the_container_s_address_is_meant() -> None:
    recording = translated(BY_HOST, 0)
    path = Path(Direction.REQUEST, 1, ())
    for table, priority, target in (("filter", 0, DB), ("raw", -300, "172.17.0.1"), ("nat", -100, DB)):
        chain = "FORWARD" if table == "filter" else "PREROUTING"
        key = ChainKey(HOST, Backend.NFT, "ip", table, chain)
        hook = Hook(chain.lower(), priority, "accept")
        firewall = FirewallRecord(chains=(Chain(key, 3, hook),))
        step = WalkStep(1, HOST, hook.name, "ip", table, (chain,), (), "drop")
        rule = Rule("ip", table, chain, 3, "-p tcp -j DROP", "user")
        verdict = Verdict(Outcome.DROPPED, "", rule=rule)
        case = Case(replace(recording, firewall=firewall), (replace(path, walk=(step,)),), verdict)
        assert f"-s 172.17.0.2 -d {target} -j ACCEPT" in ways(case, rule)[0]
