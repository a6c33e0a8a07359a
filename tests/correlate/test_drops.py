"""A reason is told where it fits every probe that nobody answered, and is kept quiet about otherwise."""

import pytest
from msgspec.structs import replace
from topologies import echo, planned, read, recorded, sent, sightings

from inspector.correlate.drops import PROMPT_NS, STAMPED_BEFORE_NS
from inspector.model.path import Seen
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Verdict
from inspector.model.rules import KernelDrop, Reception
from inspector.pipeline import review

WORLD = read("two-networks.toml")
FAR = planned(WORLD, "web", "api")


def lost() -> Recording:
    """Two probes that come to the host's bridge, and no further."""
    second = sightings(FAR, FAR.request[:3], echo("172.17.0.2", "192.168.0.2", 2), at=10_000_000)
    return recorded(WORLD, FAR, probes=(sent(), sent(2)), request=3, reply=0, extra=second)


def drops(recording: Recording, reason: str = "NETFILTER_DROP") -> tuple[KernelDrop, ...]:
    """Return the drop of each probe as the kernel would tell it."""
    made = []
    for path in review(recording).paths:
        last = [hop for hop in path.hops if isinstance(hop, Seen) and hop.heading is Heading.IN][-1]
        length = recording.observations[last.observation].wire_length - 14
        reception = Reception(last.point.interface, last.at_ns + 9_000, length, alone_ns=1_000_000_000)
        made.append(KernelDrop(last.at_ns + 15_000, reason, "nf_hook_slow", 0x0800, reception))
    return tuple(made)


def verdict(recording: Recording, *told: KernelDrop) -> Verdict:
    return review(replace(recording, drops=told)).verdict


def test_a_copy_that_a_bridge_keeps_says_nothing() -> None:
    """Listened to, it hands its own stack a copy of what it switches, which is another's there."""
    near = planned(WORLD, "web", "db")
    assert near.request[2].point.promiscuous
    recording = recorded(WORLD, near, probes=(sent(),), request=3, reply=0)
    recording = replace(recording, observations=tuple(replace(each, packet_type=3) for each in recording.observations))
    found = verdict(recording, *drops(recording, "OTHERHOST"))
    assert (found.outcome, found.reason) == (Outcome.LOST, None)
    assert verdict(recording, *drops(recording)).reason == "NETFILTER_DROP"


def test_one_reason_for_every_probe_is_the_verdict_s() -> None:
    recording = lost()
    found = verdict(recording, *drops(recording))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "NETFILTER_DROP")
    assert found.summary == (
        "it was last seen at host/docker0; the kernel says NETFILTER_DROP (likely): a firewall rule dropped it"
    )


def test_a_reason_without_words_stands_for_itself() -> None:
    recording = lost()
    found = verdict(recording, *drops(recording, "NEW_REASON"))
    assert found.summary.endswith("the kernel says NEW_REASON (likely)")


def test_a_probe_without_a_drop_of_its_own_leaves_it_open() -> None:
    recording = lost()
    one, _ = drops(recording)
    assert verdict(recording, one).outcome is Outcome.LOST
    assert verdict(recording, one, one).outcome is Outcome.LOST


def test_two_reasons_are_none() -> None:
    recording = lost()
    one, two = drops(recording)
    assert verdict(recording, one, replace(two, reason="IP_RPFILTER")).outcome is Outcome.LOST


def changed(drop: KernelDrop, **told: object) -> KernelDrop:
    assert drop.reception is not None
    return replace(drop, reception=replace(drop.reception, **told))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("elsewhere", {"interface": "eth9"}),
        ("another length", {"length": 85}),
        ("another came in since the stamp", {"alone_ns": 8_999}),
    ],
)
def test_what_came_in_otherwise_is_not_ours(why: str, change: dict[str, object]) -> None:
    recording = lost()
    assert verdict(recording, *(changed(each, **change) for each in drops(recording))).reason is None, why


@pytest.mark.parametrize("shift", [-100_000, STAMPED_BEFORE_NS])
def test_what_came_in_at_another_time_is_not_ours(shift: int) -> None:
    recording = lost()
    moved = [
        replace(changed(each, at_ns=each.reception.at_ns + shift), at_ns=each.at_ns + shift)
        for each in drops(recording)
        if each.reception
    ]
    assert verdict(recording, *moved).reason is None


def test_a_drop_long_after_is_not_ours() -> None:
    recording = lost()
    late = [replace(each, at_ns=each.at_ns + PROMPT_NS) for each in drops(recording)]
    assert verdict(recording, *late).reason is None


@pytest.mark.parametrize("reason", ["OTHERHOST", "NO_SOCKET", "SOCKET_FILTER"])
def test_what_copies_and_delivered_packets_meet_is_no_cause(reason: str) -> None:
    recording = lost()
    assert verdict(recording, *drops(recording, reason)).reason is None


def test_a_frame_for_another_station_is_dropped_as_one() -> None:
    recording = lost()
    strange = tuple(replace(each, packet_type=3) for each in recording.observations)
    recording = replace(recording, observations=strange)
    assert verdict(recording, *drops(recording, "OTHERHOST")).reason == "OTHERHOST"


def test_a_copy_that_a_promiscuous_bridge_hands_its_own_stack_is_no_cause() -> None:
    recording = lost()
    strange = tuple(replace(each, packet_type=3) for each in recording.observations)
    points = tuple(replace(each, promiscuous=each.interface == "docker0") for each in recording.plan.points)
    recording = replace(recording, observations=strange, plan=replace(recording.plan, points=points))
    assert verdict(recording, *drops(recording, "OTHERHOST")).reason is None


def test_what_a_bridge_forwards_is_received_by_its_port() -> None:
    recording = lost()
    port = [path.hops[1].point.interface for path in review(recording).paths]
    told = drops(recording)
    by_port = [
        replace(each, reception=replace(each.reception, interface=name))
        for each, name in zip(told, port, strict=True)
        if each.reception
    ]
    assert verdict(recording, *by_port).reason == "NETFILTER_DROP"


def test_a_drop_without_reception_is_nobody_s() -> None:
    recording = lost()
    assert verdict(recording, *(replace(each, reception=None) for each in drops(recording))).reason is None
