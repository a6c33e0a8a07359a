"""The kernel tells which rules a probe meets, natively written or by iptables, and nothing of ours stays behind."""

import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import pytest
from lab import Lab, run
from msgspec.structs import replace
from test_session import carry_out, plan_to

from inspector import netns
from inspector.capture.rule_trace import OWN_TABLES, RuleTrace, open_here
from inspector.discover.met_chains import with_chains
from inspector.model.recording import Recording
from inspector.model.rules import Traversal
from inspector.model.topology import SandboxId
from inspector.wire import headers
from inspector.wire.probe_flow import ICMP, ICMPV6, TCP, UDP, ProbeFlow

pytestmark = pytest.mark.kernel

FLOW = ProbeFlow(4, ICMP, ("10.99.0.2", "10.99.0.3"), (0x1357,))


def inside(world: Lab, place: str, command: str) -> str:
    """Run a tool of the host in a namespace."""
    tool = command.split(maxsplit=1)[0]
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    return run(f"ip netns exec {world.names[place]} {command}")


def tables(world: Lab, place: str) -> list[str]:
    return inside(world, place, "nft list tables").split("\n")[:-1]


@pytest.fixture
def clean(world: Lab) -> Iterator[Lab]:
    """Lend the world; afterwards it has no rules, and had none of ours."""
    yield world
    for place in world.names:
        left = [each for each in tables(world, place) if OWN_TABLES in each]
        inside(world, place, "nft flush ruleset")
        assert left == []


def told(world: Lab, recording: Recording) -> Recording:
    return with_chains(recording, {SandboxId(place): fd for place, fd in world.fds.items()})


def rules_of(recording: Recording) -> list[tuple[str, str, int, str]]:
    met = {step.handle for each in recording.firewall.traversals for step in each.steps}
    return [
        (each.key.sandbox, each.key.chain, rule.position, rule.text)
        for each in recording.firewall.chains
        for rule in each.rules
        if rule.handle in met
    ]


def native(world: Lab, place: str, hook: str, *rules: str, policy: str = "accept") -> None:
    inside(world, place, "nft add table inet fw")
    chain = f"{{ type filter hook {hook} priority 0 ; policy {policy} ; }}"
    inside(world, place, f"nft add chain inet fw own {chain}")
    for rule in rules:
        inside(world, place, f"nft add rule inet fw own {rule}")


@pytest.mark.parametrize("destination", ["10.99.0.3", "fd99::3"])
def test_a_native_rule_that_drops_is_told_of(clean: Lab, destination: str) -> None:
    echo = "icmpv6 type echo-request" if ":" in destination else "icmp type echo-request"
    native(clean, "b", "input", "tcp dport 80 accept", "iifname eth0", f"{echo} drop")
    recording = told(clean, carry_out(clean, plan_to(clean, destination, count=1, timeout_s=0.3)))
    (found,) = recording.firewall.traversals
    assert (found.sandbox, found.family, found.table) == ("b", "inet", "fw")
    assert found.inbound == clean.index("b", "eth0")
    assert [each.verdict for each in found.steps] == ["continue", "drop"]
    (chain,) = recording.firewall.chains
    assert chain.size == 3
    assert chain.hook is not None
    assert (chain.hook.name, chain.hook.priority, chain.hook.policy) == ("input", 0, "accept")
    assert [each.position for each in chain.rules] == [1, 2, 3]
    assert chain.rules[-1].handle == found.steps[-1].handle
    assert recording.blind_spots == ()
    assert any("nf_tables table dnetsniff-" in each and " in b " in each for each in recording.side_effects)


def test_a_policy_that_drops_is_told_of(clean: Lab) -> None:
    native(clean, "b", "input", "meta l4proto ipv6-icmp accept", policy="drop")
    recording = carry_out(clean, plan_to(clean, count=1, timeout_s=0.3))
    (found,) = recording.firewall.traversals
    last = found.steps[-1]
    assert (last.kind, last.verdict, last.handle) == ("policy", "drop", None)


def test_a_rule_of_iptables_is_written_as_it_saves_it(clean: Lab) -> None:
    inside(clean, "b", "iptables-nft -N OWN")
    inside(clean, "b", "iptables-nft -A INPUT -p tcp -j ACCEPT")
    inside(clean, "b", "iptables-nft -A INPUT -s 10.99.0.0/24 -j OWN")
    inside(clean, "b", "iptables-nft -A OWN -i eth0 -p icmp -j DROP")
    recording = told(clean, carry_out(clean, plan_to(clean, count=1, timeout_s=0.3)))
    assert rules_of(recording) == [
        ("b", "INPUT", 2, "-s 10.99.0.0/24 -j OWN"),
        ("b", "OWN", 1, "-i eth0 -p icmp -j DROP"),
    ]
    assert [chain.hook is None for chain in recording.firewall.chains] == [False, True]


def test_the_source_sees_its_own_rules_on_the_way_out_and_in(clean: Lab) -> None:
    native(clean, "a", "output", "oifname eth0 accept")
    inside(clean, "a", "nft add chain inet fw back { type filter hook input priority 0 ; }")
    inside(clean, "a", "nft add rule inet fw back icmp type echo-reply drop")
    recording = carry_out(clean, plan_to(clean, count=1, timeout_s=0.3))
    out, back = recording.firewall.traversals
    assert (out.inbound, out.outbound, back.outbound) == (None, clean.index("a", "eth0"), None)
    assert [each.steps[-1].verdict for each in (out, back)] == ["accept", "drop"]


def test_an_error_about_the_probe_is_traced_too(clean: Lab) -> None:
    inside(clean, "b", "iptables-nft -A INPUT -p icmp -j REJECT")
    native(clean, "a", "input")
    recording = carry_out(clean, plan_to(clean, count=1))
    types = [read.icmp.type for each in recording.firewall.traversals if (read := _read(each)) and read.icmp]
    assert sorted(types) == [3, 8]


def _read(traversal: Traversal) -> headers.Datagram | None:
    return headers.read_packet(traversal.frame)


@pytest.mark.parametrize("why", ["passive", "not wanted", "no rules", "legacy alone"])
def test_nothing_is_inserted(clean: Lab, why: str) -> None:
    asked = {"passive": {"passive": True}, "not wanted": {"rule_trace": False}}.get(why, {})
    if asked:
        native(clean, "b", "input", "accept")
    if why == "legacy alone":
        inside(clean, "b", "iptables-legacy -A INPUT -p icmp -j DROP")
    try:
        recording = carry_out(clean, plan_to(clean, count=1, timeout_s=0.3, **asked))
    finally:
        if why == "legacy alone":
            inside(clean, "b", "iptables-legacy -F")
    assert not any("nf_tables" in each for each in recording.side_effects)
    assert recording.firewall.traversals == ()
    assert recording.blind_spots == ()


def opened(world: Lab, place: str, flow: ProbeFlow = FLOW) -> RuleTrace:
    found = netns.enter(world.fds[place], partial(open_here, SandboxId(place), flow))
    assert found is not None
    return found


def test_two_runs_at_once_have_a_table_each(clean: Lab) -> None:
    native(clean, "b", "input", "accept")
    first, second = opened(clean, "b"), opened(clean, "b")
    assert sum(OWN_TABLES in each for each in tables(clean, "b")) == 2
    first.close()
    assert sum(OWN_TABLES in each for each in tables(clean, "b")) == 1
    second.close()
    assert tables(clean, "b") == ["table inet fw"]


def test_another_runs_table_is_never_told_of(clean: Lab) -> None:
    native(clean, "b", "input", "accept")
    other = opened(clean, "b", replace(FLOW, identifiers=(0x1111,)))
    recording = carry_out(clean, plan_to(clean, count=1))
    other.close()
    assert [each.table for each in recording.firewall.traversals] == ["fw"]


def test_a_table_that_drops_is_told_of_by_whatever_name(clean: Lab) -> None:
    """A container may call its own table as ours are called."""
    name = f"{OWN_TABLES}12345678"
    inside(clean, "b", f"nft add table inet {name}")
    inside(clean, "b", f"nft add chain inet {name} own {{ type filter hook input priority 0 ; }}")
    inside(clean, "b", f"nft add rule inet {name} own icmp type echo-request drop")
    recording = carry_out(clean, plan_to(clean, count=1))
    inside(clean, "b", f"nft delete table inet {name}")
    assert {each.table for each in recording.firewall.traversals} == {name}
    assert recording.firewall.traversals[0].steps[-1].verdict == "drop"


def test_a_table_ends_with_a_process_that_is_killed(clean: Lab) -> None:
    native(clean, "b", "input", "accept")
    program = (
        "import sys; from inspector.capture.rule_trace import open_here; from inspector.wire.probe_flow import *\n"
        "held = open_here('b', ProbeFlow(4, 1, ('10.99.0.2',), (7,))); print(held.table, flush=True); sys.stdin.read()"
    )
    words = ["ip", "netns", "exec", clean.names["b"], sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        table = process.stdout.readline().strip()
        assert f"table ip {table}" in tables(clean, "b")
        process.send_signal(signal.SIGKILL)
    assert tables(clean, "b") == ["table inet fw"]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("protocol", [ICMP, TCP, UDP])
@pytest.mark.parametrize("count", [1, 200])
def test_the_kernel_takes_every_kind_of_flow(clean: Lab, family: int, protocol: int, count: int) -> None:
    native(clean, "b", "input", "accept")
    number = ICMPV6 if (family, protocol) == (6, ICMP) else protocol
    addresses = ("10.99.0.2", "10.99.0.3") if family == 4 else ("fd99::2", "fe80::1%2")
    opened(clean, "b", ProbeFlow(family, number, addresses, tuple(range(40_000, 40_000 + count)))).close()


@pytest.mark.parametrize(("address", "family"), [("10.99.0.3", 4), ("fd99::3", 6)])
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_ports_are_traced_and_others_are_not(clean: Lab, address: str, family: int, kind: socket.SocketKind) -> None:
    native(clean, "b", "input", "meta l4proto { tcp, udp } drop")
    domain = socket.AF_INET if family == 4 else socket.AF_INET6
    protocol = TCP if kind is socket.SOCK_STREAM else UDP
    first, second = (netns.enter(clean.fds["a"], lambda: socket.socket(domain, kind)) for _ in range(2))
    with first, second:
        for each in (first, second):
            each.settimeout(0)
            each.bind(("10.99.0.2" if family == 4 else "fd99::2", 0))
        flow = ProbeFlow(family, protocol, (address,), (first.getsockname()[1],))
        trace = opened(clean, "b", flow)
        for each in (second, first):
            each.connect_ex((address, 9))
            if kind is socket.SOCK_DGRAM:
                each.send(b"x")
        # The first packet waits for an answer to ARP or ND.
        while not (found := trace.traversals(flow)):
            assert select.select([trace], [], [], 10)[0]
            trace.read()
        trace.close()
    read = [_read(each) for each in found]
    ports = {each and (each.tcp or each.udp) for each in read}
    assert {each and each.source_port for each in ports} == set(flow.identifiers)
    assert replace(flow, identifiers=(1,)).has(found[0].frame) is False
