"""A packet is followed into its tunnel, and what the rules did to the datagram is told of it."""

from msgspec.structs import replace
from overlays import NODE, OWN, blocked, delivered, silent
from topologies import planned

from inspector.archive_codec import decode, encode
from inspector.model.path import Direction
from inspector.model.recording import Recording
from inspector.model.report import Outcome
from inspector.pipeline import review


def test_the_packet_in_a_datagram_is_seen_at_the_uplink() -> None:
    report = review(delivered())
    request, reply = report.paths
    assert request.seen[-1].carrier == f"VXLAN 4097 to {NODE}"
    assert reply.seen[0].carrier == f"VXLAN 4097 to {OWN}"
    assert (request.seen[-1].source, request.seen[-1].ttl) == (request.seen[0].source, request.seen[0].ttl)
    assert all(not hop.carrier for hop in (*request.seen[:-1], *reply.seen[1:]))
    assert report.verdict.outcome is Outcome.DELIVERED
    assert not report.disagreements


def test_a_recording_comes_back_as_it_was() -> None:
    recording = blocked()
    assert decode(Recording, encode(Recording, recording)) == recording


def test_silence_is_told_with_the_node() -> None:
    verdict = review(silent()).verdict
    assert verdict.outcome is Outcome.UNANSWERED
    assert f"VXLAN 4097 to {NODE}" in verdict.summary
    assert str(verdict.last_seen) == "host/up0"


def test_a_rule_that_dropped_the_datagram_stopped_the_packet() -> None:
    report = review(blocked())
    assert report.verdict.outcome is Outcome.DROPPED
    assert report.verdict.rule
    assert (report.verdict.rule.chain, report.verdict.rule.position) == ("OUTPUT", 1)
    assert str(report.verdict.last_seen) == "overlay over/vxlan0"


def test_an_answer_s_datagram_is_known_by_its_identification() -> None:
    recording = blocked(back=True)
    report = review(recording)
    assert report.verdict.rule
    assert next(path for path in report.paths if path.direction is Direction.REPLY).stops
    (met,) = recording.firewall.traversals
    other = replace(met, frame=met.frame[:4] + b"\x00\x01" + met.frame[6:])
    foreign = replace(recording, firewall=replace(recording.firewall, traversals=(other,)))
    assert review(foreign).verdict.rule is None


def test_where_the_numbers_differ_nothing_is_joined() -> None:
    recording = blocked()
    (met,) = recording.firewall.traversals
    again = replace(met, frame=met.frame[:4] + b"\x00\x01" + met.frame[6:])
    twice = replace(recording, firewall=replace(recording.firewall, traversals=(met, again)))
    assert review(twice).verdict.outcome is Outcome.LOST


def test_another_node_s_datagrams_are_not_ours() -> None:
    recording = blocked()
    (met,) = recording.firewall.traversals
    elsewhere = replace(met, frame=met.frame[:16] + bytes((192, 0, 2, 9)) + met.frame[20:])
    assert (
        review(replace(recording, firewall=replace(recording.firewall, traversals=(elsewhere,)))).verdict.rule is None
    )


def test_on_one_node_nothing_is_unpacked() -> None:
    assert planned(silent().topology, "n1", "n2").passage is None
