"""Every outcome, on recordings written by hand."""

import errno
import os

import pytest
from msgspec.structs import replace
from topologies import (
    START,
    answered,
    arp,
    change_link,
    delivered,
    echo,
    planned,
    point_named,
    read,
    recorded,
    seen,
    sent,
    sightings,
)

from inspector.correlate.correlation import correlate
from inspector.correlate.judge import spread
from inspector.model.path import Unseen
from inspector.model.question import Plan
from inspector.model.recording import Aftermath, Answered, Failed, NotSent, Recording, TapCount
from inspector.model.report import Outcome, Spread, Verdict
from inspector.model.topology import BlindSpot, Neighbour

WORLD = read("two-networks.toml")
NEAR, FAR = planned(WORLD, "web", "db"), planned(WORLD, "web", "api")
OUTSIDE, NOBODY = planned(WORLD, "web", "8.8.8.8"), planned(WORLD, "web", "172.17.0.99")


def verdict(recording: Recording) -> Verdict:
    return correlate(recording).verdict


def lost(plan: Plan, request: int | None, **more: object) -> Recording:
    return recorded(WORLD, plan, probes=(sent(),), request=request, reply=0, **more)  # type: ignore[arg-type]


def failed(number: int) -> Failed:
    return Failed(1, START, number, os.strerror(number))


def test_delivered() -> None:
    found = verdict(delivered(WORLD, NEAR))
    assert (found.outcome, found.summary) == (Outcome.DELIVERED, "1 of 1 answered")
    assert str(found.last_seen) == "web/eth0"
    assert found.never_seen == ()


def test_one_answer_of_several_is_delivered() -> None:
    found = verdict(recorded(WORLD, NEAR, probes=(answered(), sent(2))))
    assert (found.outcome, found.summary) == (Outcome.DELIVERED, "1 of 2 answered")


def test_the_socket_is_believed_before_the_points() -> None:
    assert verdict(recorded(WORLD, NEAR, probes=(answered(),), request=0, reply=0)).outcome is Outcome.DELIVERED


def test_rejected() -> None:
    found = verdict(recorded(WORLD, FAR, probes=(answered(1, "Packet filtered"),), request=3, reply=0))
    assert (found.outcome, found.reason) == (Outcome.REJECTED, "Packet filtered")
    assert str(found.last_seen) == "host/docker0"
    assert [str(each) for each in found.never_seen] == ["host/br-mynet", "host/veth-api", "api/eth0"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENETUNREACH, "its routing table has no route to 172.17.0.3"),
        (errno.EHOSTUNREACH, "it found no way to 172.17.0.3"),
        (errno.EACCES, "its routing table forbids 172.17.0.3"),
        (errno.EPERM, "a firewall rule in its own network stack refused the packet"),
        (errno.EMSGSIZE, "the packet is larger than its way carries"),
        (errno.EADDRNOTAVAIL, "it does not have the address to send from"),
        (errno.ENOBUFS, os.strerror(errno.ENOBUFS)),
    ],
)
def test_dropped_by_the_source_s_own_stack(number: int, said: str) -> None:
    found = verdict(recorded(WORLD, NEAR, probes=(failed(number),), request=0, reply=0))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, os.strerror(number))
    assert found.summary.startswith(f"web did not send it: {said}")


def test_dropped_because_nobody_has_the_address() -> None:
    asked = seen(point_named(NOBODY, "web/eth0"), arp("172.17.0.2", "172.17.0.99"))
    found = verdict(lost(NOBODY, 0, extra=(asked,)))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "neighbour unanswered")
    assert "nobody answered for 172.17.0.99 on web/eth0" in found.summary


def unresolved(plan: Plan, link: str, address: str, state: str = "incomplete") -> Aftermath:
    where = plan.points[point_named(plan, link)].link
    return Aftermath(neighbours=(Neighbour(where, address, None, state),))


@pytest.mark.parametrize("state", ["incomplete", "failed"])
def test_dropped_behind_a_question_of_an_earlier_packet(state: str) -> None:
    waiting = unresolved(NOBODY, "web/eth0", "172.17.0.99", state)
    found = verdict(lost(NOBODY, 0, aftermath=waiting))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "neighbour unanswered")
    assert "nobody answered for 172.17.0.99 on web/eth0" in found.summary


def test_what_a_cache_says_of_others_is_no_reason() -> None:
    assert verdict(lost(NOBODY, 1, aftermath=unresolved(NOBODY, "web/eth0", "172.17.0.99"))).reason is None
    assert verdict(lost(NOBODY, 0, aftermath=unresolved(NOBODY, "web/eth0", "172.17.0.98"))).reason is None
    assert verdict(lost(NOBODY, 0, aftermath=unresolved(NOBODY, "web/eth0", "172.17.0.99", "stale"))).reason is None
    assert verdict(lost(FAR, 3, aftermath=unresolved(FAR, "host/br-mynet", "192.168.0.2", "failed"))).reason is None


def test_an_answered_question_is_no_reason() -> None:
    point = point_named(NEAR, "web/eth0")
    talk = (
        seen(point, arp("172.17.0.2", "172.17.0.3"), at=1),
        seen(point, arp("172.17.0.3", "172.17.0.2", reply=True), at=2),
    )
    assert verdict(lost(NEAR, None, extra=talk)).outcome is Outcome.UNANSWERED


def test_an_answer_that_who_asked_did_not_hear() -> None:
    talk = (
        seen(point_named(NEAR, "web/eth0"), arp("172.17.0.2", "172.17.0.3"), at=1),
        seen(point_named(NEAR, "db/eth0"), arp("172.17.0.3", "172.17.0.2", reply=True), at=2),
    )
    found = verdict(lost(NEAR, 0, extra=talk))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "neighbour unanswered")
    assert found.summary.startswith("an answer for 172.17.0.3 did not come to web/eth0")


def test_dropped_by_a_stack_that_it_was_not_addressed_to() -> None:
    whole = lost(NEAR, None)
    *before, last = whole.observations
    astray = replace(whole, observations=(*before, replace(last, packet_type=3)))
    found = verdict(astray)
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "OTHERHOST")
    assert "addressed to 02:42:00:00:00:02" in found.summary


def test_a_bridge_takes_what_is_addressed_to_others() -> None:
    short = lost(NEAR, 3)
    *before, last = short.observations
    assert verdict(replace(short, observations=(*before, replace(last, packet_type=3)))).outcome is Outcome.LOST


def test_lost_on_the_way_there() -> None:
    found = verdict(lost(FAR, 3))
    assert (found.outcome, found.summary) == (
        Outcome.LOST,
        "last seen at host/docker0; it never came to host/br-mynet",
    )
    assert [str(each) for each in found.never_seen] == ["host/br-mynet", "host/veth-api", "api/eth0"]


def test_lost_on_the_way_back() -> None:
    found = verdict(recorded(WORLD, FAR, probes=(sent(),), reply=3))
    assert found.outcome is Outcome.LOST
    assert found.summary == "the answer was last seen at host/br-mynet (in) and never reached web"


def test_lost_before_any_point() -> None:
    found = verdict(lost(NEAR, 0))
    assert (found.outcome, found.summary) == (Outcome.LOST, "web sent it, and no point saw it")
    assert found.last_seen is None
    assert len(found.never_seen) == 5


def test_dropped_at_a_barrier_that_it_came_to() -> None:
    world = change_link(WORLD, "host/veth-db", up=False)
    found = verdict(recorded(world, planned(world, "web", "db"), probes=(sent(),), reply=0))
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "host/veth-db is down")
    assert found.summary == "it came to host/docker0, and host/veth-db is down"
    assert [str(each) for each in found.never_seen] == ["host/veth-db", "db/eth0"]


def test_dropped_at_a_barrier_in_front_of_the_source() -> None:
    world = change_link(WORLD, "host/veth-web", up=False)
    found = verdict(recorded(world, planned(world, "web", "db"), probes=(sent(),), request=0, reply=0))
    assert (found.outcome, found.summary) == (Outcome.DROPPED, "web sent it, and host/veth-web is down")
    assert [str(each) for each in found.never_seen][-1] == "db/eth0"


def test_a_barrier_it_never_came_to_is_not_what_stopped_it() -> None:
    world = change_link(WORLD, "host/veth-api", up=False)
    found = verdict(recorded(world, planned(world, "web", "api"), probes=(sent(),), request=3, reply=0))
    assert (found.outcome, found.reason) == (Outcome.LOST, None)
    assert found.summary == "last seen at host/docker0; it never came to host/br-mynet"


def test_a_barrier_that_was_gone_when_it_came_stops_nothing() -> None:
    world = change_link(WORLD, "host/veth-db", up=False)
    plan = planned(world, "web", "db")
    at_db = seen(point_named(plan, "db/eth0"), echo("172.17.0.2", "172.17.0.3"), at=9_000)
    found = correlate(recorded(world, plan, probes=(answered(),), reply=0, extra=(at_db,)))
    assert found.verdict.outcome is Outcome.DELIVERED
    whys = [each.why for each in found.paths[0].hops if isinstance(each, Unseen)]
    assert whys == ["a later point saw it, so it passed here unseen"]


def test_lost_where_the_way_ends_before_the_destination() -> None:
    world = change_link(WORLD, "host/veth-db", bridge=None)
    found = verdict(recorded(world, planned(world, "web", "db"), probes=(sent(),), reply=0))
    assert (found.outcome, found.summary) == (Outcome.LOST, "last seen at host/docker0")


def test_unanswered_by_the_destination() -> None:
    found = verdict(lost(NEAR, None))
    assert (found.outcome, found.summary) == (Outcome.UNANSWERED, "it arrived at db/eth0, and db did not answer")
    assert found.never_seen == ()


def test_unanswered_from_outside() -> None:
    found = verdict(lost(OUTSIDE, None))
    assert found.outcome is Outcome.UNANSWERED
    assert found.summary == "it left by host/eth0 towards 8.8.8.8, and no answer came back in time"


def test_unresolved() -> None:
    plan = planned(WORLD, "web", "gone")
    found = verdict(Recording(WORLD, plan, b""))
    assert (found.outcome, found.summary) == (Outcome.UNRESOLVED, plan.obstacle)


def test_unknown_where_a_capture_lost_frames() -> None:
    count = TapCount(point_named(FAR, "host/br-mynet"), received=5, dropped=2)
    found = verdict(lost(FAR, 3, counts=(count,)))
    assert found.outcome is Outcome.UNKNOWN
    assert found.summary == "it cannot be told where it ended: the capture at host/br-mynet lost 2 frames"


def test_unknown_where_a_point_could_not_be_watched() -> None:
    found = verdict(lost(FAR, 3, blind_spots=(BlindSpot("host/br-mynet", "no such device"),)))
    assert found.outcome is Outcome.UNKNOWN
    assert found.summary == "it cannot be told where it ended: host/br-mynet could not be watched (no such device)"


def test_what_is_beside_the_way_hides_nothing() -> None:
    beside = point_named(FAR, "host/veth-both")
    spots = (BlindSpot("host/veth-db", "no such device"),)
    assert verdict(lost(FAR, 3, counts=(TapCount(beside, 5, 2),), blind_spots=spots)).outcome is Outcome.LOST


def test_a_capture_that_lost_nothing_hides_nothing() -> None:
    counts = tuple(TapCount(number, 5, 0) for number in range(len(FAR.points)))
    assert verdict(lost(FAR, 3, counts=counts)).outcome is Outcome.LOST


def test_drops_do_not_undo_an_answer() -> None:
    counts = tuple(TapCount(number, 5, 9) for number in range(len(NEAR.points)))
    assert verdict(delivered(WORLD, NEAR, counts=counts)).outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"interrupted": True}, "interrupted"),
        ({"departed": ("db",)}, "db went away"),
        ({"probes": (NotSent(1, "too late"),)}, "too late"),
        ({}, "the run ended before"),
    ],
)
def test_unknown_where_nothing_was_sent(more: dict[str, object], said: str) -> None:
    found = verdict(recorded(WORLD, NEAR, request=0, reply=0, **more))  # type: ignore[arg-type]
    assert (found.outcome, found.summary) == (Outcome.UNKNOWN, f"no probe was sent: {said}")


def test_the_packet_that_came_furthest_is_told_of() -> None:
    second = sightings(NEAR, NEAR.request[:2], echo("172.17.0.2", "172.17.0.3", 2), at=100_000)
    found = verdict(recorded(WORLD, NEAR, probes=(sent(), sent(2)), reply=0, extra=second))
    assert found.outcome is Outcome.UNANSWERED
    assert str(found.last_seen) == "db/eth0"


def test_probes_are_counted_and_timed_by_the_socket() -> None:
    probes = (
        Answered(1, START, START + 10, "reply"),
        Answered(2, START, START + 40, "reply"),
        Answered(3, START, START + 90, "Packet filtered"),
        sent(4),
        failed(errno.EPERM),
    )
    statistics = correlate(recorded(WORLD, NEAR, probes=probes)).statistics
    assert (statistics.sent, statistics.received, statistics.rtt_ns) == (4, 2, Spread(10, 25, 40))
    assert spread(()) is None
