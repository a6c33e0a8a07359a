"""What the firewalls told is joined to the packet it is about, and stands between the right two hops."""

import pytest
from firewalls import chain, passed, with_firewall
from msgspec.structs import replace
from port_cases import BY_HOST, DB, PUBLISHING, framed, published_way, syn, translated
from topologies import (
    TOKEN,
    answered,
    change_link,
    change_stack,
    delivered,
    echo,
    link_named,
    planned,
    read,
    recorded,
    refusal,
    sent,
    sightings,
)

from inspector.correlate.correlation import correlate
from inspector.model.path import Direction, Path
from inspector.model.question import Heading
from inspector.model.recording import Probe, Recording
from inspector.model.report import Outcome, Verdict
from inspector.model.rules import Chain, KernelDrop, Reception, Traversal
from inspector.model.topology import HOST, Setting
from inspector.pipeline import review

WORLD = read("two-networks.toml")
FAR = planned(WORLD, "web", "api")
ROUTED = {"inbound": "host/docker0", "outbound": "host/br-mynet"}
DROP = "-o br-mynet -j DROP"
CHAINS = (
    chain("filter FORWARD", {1: "-j OWN", 4: "-j ACCEPT"}),
    chain("filter OWN", {2: DROP, 3: "-p icmp -j REJECT"}, size=5),
    chain("raw PREROUTING", {4: "-d 192.168.0.2/32 ! -i br-mynet -j DROP"}, size=5),
    chain("nat POSTROUTING", {}),
    chain("filter INPUT", {1: "-j DROP"}, where="api"),
    chain("filter OUTPUT", {1: "-j DROP"}, where="api"),
    chain("filter OUTPUT", {1: "-j DROP"}, where="web"),
)
DROPPED = passed(WORLD, "filter FORWARD", "FORWARD 1 jump OWN", "OWN 2 drop", **ROUTED)
STOPPED_AT_BRIDGE = 3
"""Request 1 was seen at web/eth0, host/veth-web and host/docker0."""


def lost(*traversals: Traversal, request: int = STOPPED_AT_BRIDGE, chains: tuple[Chain, ...] = CHAINS) -> Recording:
    recording = recorded(WORLD, FAR, probes=(sent(),), request=request, reply=0)
    return with_firewall(recording, traversals, chains)


def verdict(recording: Recording) -> Verdict:
    return correlate(recording).verdict


def first_path(recording: Recording) -> Path:
    return correlate(recording).paths[0]


@pytest.mark.parametrize(
    ("traversal", "after"),
    [
        (passed(WORLD, "raw PREROUTING", "PREROUTING policy accept", inbound="host/docker0"), 2),
        (DROPPED, 2),
        (passed(WORLD, "nat POSTROUTING", "POSTROUTING policy accept", outbound="host/br-mynet"), 2),
        (passed(WORLD, "filter INPUT", "INPUT policy accept", inbound="api/eth0", where="api"), 5),
        (passed(WORLD, "filter OUTPUT", "OUTPUT policy accept", outbound="web/eth0", where="web"), -1),
        # An interface that no hop is at: behind the last hop in, ahead of the first hop out.
        (passed(WORLD, "raw PREROUTING", "PREROUTING policy accept", inbound="host/eth0"), 2),
        (passed(WORLD, "nat POSTROUTING", "POSTROUTING policy accept", outbound="host/eth0"), 2),
    ],
)
def test_a_hook_has_its_place_between_two_hops(traversal: Traversal, after: int) -> None:
    recording = with_firewall(delivered(WORLD, FAR), [traversal], CHAINS)
    assert [each.after for each in first_path(recording).walk] == [after]


def test_rules_that_a_bridge_asks_stand_behind_the_port_where_the_bridge_saw_nothing() -> None:
    told = passed(WORLD, "raw PREROUTING", "PREROUTING 4 drop", inbound="host/docker0")
    assert [each.after for each in first_path(lost(told, request=2)).walk] == [1]


@pytest.mark.parametrize(
    "traversal",
    [
        replace(DROPPED, frame=b""),
        replace(DROPPED, frame=echo("172.17.0.2", "192.168.0.2", token=bytes(16))[14:54]),
        replace(DROPPED, sandbox="elsewhere"),
        replace(DROPPED, table="other"),
        replace(DROPPED, steps=()),
        replace(DROPPED, frame=echo("172.17.0.2", "192.168.0.2", 9)[14:54]),
    ],
    ids=["no packet", "not ours", "not on the way", "chain not listed", "no steps", "another probe"],
)
def test_what_cannot_be_joined_or_placed_is_left_out(traversal: Traversal) -> None:
    recording = lost(traversal)
    assert first_path(recording).walk == ()
    assert verdict(recording).outcome is Outcome.LOST
    assert verdict(recording).rule is None


def test_a_rewritten_address_does_not_hide_a_packet() -> None:
    told = replace(DROPPED, frame=echo("10.0.0.5", "192.168.0.2", token=TOKEN)[14:54])
    assert len(first_path(lost(told)).walk) == 1


def test_the_rule_that_dropped_it_is_named() -> None:
    found = verdict(lost(DROPPED))
    assert (found.outcome, found.summary) == (
        Outcome.DROPPED,
        "on the host, after docker0, by rule 2 of 5 in filter OWN (the user's)",
    )
    assert found.rule is not None
    assert (found.rule.family, found.rule.table, found.rule.chain) == ("ip", "filter", "OWN")
    assert (found.rule.position, found.rule.text, found.rule.owner) == (2, DROP, "user")
    assert str(found.last_seen) == "host/docker0"


@pytest.mark.parametrize(("reason", "told"), [("NETFILTER_DROP", "NETFILTER_DROP"), ("OTHERHOST", None)])
def test_a_reason_stands_beside_a_rule_only_where_it_is_the_rules(reason: str, told: str | None) -> None:
    recording = lost(DROPPED)
    last = next(each for each in reversed(first_path(recording).seen) if each.heading is Heading.IN)
    length = recording.observations[last.observation].wire_length - 14
    reception = Reception(last.point.interface, last.at_ns + 9_000, length, alone_ns=1_000_000_000)
    drop = KernelDrop(last.at_ns + 15_000, reason, "nf_hook_slow", 0x0800, reception)
    found = verdict(replace(recording, drops=(drop,)))
    assert (found.rule is not None, found.reason) == (True, told)


def test_the_engines_guard_is_the_engines() -> None:
    told = passed(WORLD, "raw PREROUTING", "PREROUTING 4 drop", inbound="host/docker0")
    found = verdict(lost(told))
    assert found.summary == "on the host, after docker0, by rule 4 of 5 in raw PREROUTING (the engine's)"


def test_a_policy_is_named_with_its_chain() -> None:
    told = passed(WORLD, "filter FORWARD", "FORWARD 1 continue", "FORWARD policy drop", **ROUTED)
    found = verdict(lost(told))
    assert found.summary == "on the host, after docker0, by the policy of filter FORWARD"
    assert found.rule is not None
    assert (found.rule.position, found.rule.text) == (0, "policy drop")


def test_a_rule_that_is_gone_is_not_guessed() -> None:
    told = passed(WORLD, "filter FORWARD", "FORWARD 77 drop", **ROUTED)
    found = verdict(lost(told))
    assert found.summary == "on the host, after docker0, by a rule of filter FORWARD that is gone now"


def test_the_sources_own_rule_stands_ahead_of_its_interface() -> None:
    told = passed(WORLD, "filter OUTPUT", "OUTPUT 1 drop", outbound="web/eth0", where="web")
    assert verdict(lost(told, request=0)).summary == "in web, before eth0, by rule 1 of 9 in filter OUTPUT (the user's)"


def test_the_destinations_own_rule_ends_what_arrived() -> None:
    told = passed(WORLD, "filter INPUT", "INPUT 1 drop", inbound="api/eth0", where="api")
    found = verdict(lost(told, request=6))
    assert (found.outcome, found.summary) == (
        Outcome.DROPPED,
        "in api, after eth0, by rule 1 of 9 in filter INPUT (the user's)",
    )


def test_an_answer_that_nobody_saw_was_dropped_all_the_same() -> None:
    back = echo("192.168.0.2", "172.17.0.2", reply=True)
    told = passed(WORLD, "filter OUTPUT", "OUTPUT 1 drop", outbound="api/eth0", where="api", frame=back)
    recording = lost(told, request=6)
    found = verdict(recording)
    assert found.summary == "the answer, in api, before eth0, by rule 1 of 9 in filter OUTPUT (the user's)"
    assert [each.direction for each in correlate(recording).paths] == [Direction.REQUEST, Direction.REPLY]


def test_an_answer_that_the_host_s_rule_dropped() -> None:
    """The request met the same chains, and was let through; the answer was seen up to the host."""
    back = echo("192.168.0.2", "172.17.0.2", reply=True)
    told = passed(
        WORLD,
        "filter FORWARD",
        "FORWARD 1 jump OWN",
        "OWN 2 drop",
        inbound="host/br-mynet",
        outbound="host/docker0",
        frame=back,
    )
    let = passed(WORLD, "filter FORWARD", "FORWARD 4 accept", **ROUTED)
    recording = recorded(WORLD, FAR, probes=(sent(),), request=6, reply=3)
    found = verdict(with_firewall(recording, [let, told], CHAINS))
    assert (found.outcome, str(found.last_seen)) == (Outcome.DROPPED, "host/br-mynet")
    assert found.summary == "the answer, on the host, after br-mynet, by rule 2 of 5 in filter OWN (the user's)"


def second(*traversals: Traversal, probes: tuple[Probe, ...], reply: int | None = None) -> Recording:
    """Return the recording of a first probe that arrived, answered or not, and a second one that came to the host."""
    frame = echo("172.17.0.2", "192.168.0.2", 2)
    more = sightings(FAR, FAR.request[:STOPPED_AT_BRIDGE], frame, at=10_000_000)
    recording = recorded(WORLD, FAR, probes=probes, reply=reply, extra=more)
    return with_firewall(recording, [replace(each, frame=frame[14:54]) for each in traversals], CHAINS)


def test_a_run_that_began_well_is_delivered_in_part_and_says_what_stopped_the_rest() -> None:
    report = review(second(DROPPED, probes=(answered(), sent(2))))
    assert (report.verdict.outcome, report.verdict.rule) == (Outcome.DELIVERED, None)
    assert report.verdict.summary == (
        "1 of 2 answered; probe 2 was dropped on the host, after docker0, by rule 2 of 5 in filter OWN (the user's)"
    )
    assert report.findings == ()


def test_of_two_that_were_not_answered_the_one_that_a_rule_stopped_is_told() -> None:
    """The first one arrived, and nobody knows what became of its answer."""
    found = verdict(second(DROPPED, probes=(sent(), sent(2)), reply=0))
    assert found.outcome is Outcome.DROPPED
    assert found.rule is not None
    assert found.rule.text == DROP


def test_a_drop_that_a_later_point_refutes_is_not_blamed() -> None:
    assert verdict(lost(DROPPED, request=4)).rule is None


def test_a_copy_that_was_dropped_is_not_the_packet() -> None:
    let = passed(WORLD, "filter FORWARD", "FORWARD 4 accept", **ROUTED)
    assert verdict(lost(DROPPED, let)).rule is None


def test_a_drop_of_a_probe_that_was_answered_is_not_blamed() -> None:
    recording = with_firewall(
        recorded(WORLD, FAR, probes=(answered(),), request=STOPPED_AT_BRIDGE, reply=0), [DROPPED], CHAINS
    )
    assert verdict(recording).outcome is Outcome.DELIVERED
    assert verdict(recording).rule is None


def test_a_rule_that_rejects_is_named_beside_its_answer() -> None:
    told = passed(WORLD, "filter FORWARD", "FORWARD 1 jump OWN", "OWN 3 drop", **ROUTED)
    for traversal, named in ((told, True), (DROPPED, False)):
        recording = replace(lost(traversal), probes=(answered(1, "Packet Filtered"),))
        found = verdict(recording)
        assert (found.outcome, found.reason) == (Outcome.REJECTED, "Packet Filtered")
        assert (found.rule is not None) is named
    assert verdict(replace(lost(told), probes=(answered(1, "Packet Filtered"),))).summary == (
        "on the host, after docker0, by rule 3 of 5 in filter OWN (the user's): Packet Filtered"
    )


def test_an_error_about_the_probe_is_no_path_of_its_own() -> None:
    error = refusal("172.17.0.1", "172.17.0.2", "192.168.0.2")
    told = passed(WORLD, "filter OUTPUT", "OUTPUT policy accept", outbound="host/docker0", frame=error)
    assert first_path(lost(told)).walk == ()


def test_a_bridge_that_has_another_master_has_no_place() -> None:
    world = change_link(WORLD, "host/veth-web", bridge=None)
    assert link_named(world, "host/veth-web").sandbox == HOST
    recording = replace(lost(DROPPED), topology=world)
    assert [each.after for each in first_path(recording).walk] == [2]


def test_what_a_bridge_sent_back_by_itself_was_forwarded_behind_that() -> None:
    """A translation to somebody on the same bridge, whose MAC is yet to be found (br_netfilter)."""
    bridge = {"inbound": "host/docker0", "outbound": "host/docker0"}
    onward, _ = published_way(BY_HOST)
    frame = framed("172.17.0.2", DB, syn(BY_HOST, dport=80))
    told = passed(PUBLISHING, "filter FORWARD", "FORWARD 1 jump OWN", "OWN 2 drop", frame=frame, **bridge)
    on = change_stack(PUBLISHING, "host", settings=(Setting("net.bridge.bridge-nf-call-iptables", "1"),))
    recording = with_firewall(translated(BY_HOST, 1), [told], CHAINS)
    assert str(onward[0].point) == "host/docker0"
    assert verdict(replace(recording, topology=on)).outcome is Outcome.DROPPED
    assert verdict(recording).rule is None
