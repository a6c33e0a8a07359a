"""Expectation beside observation: what differs is told, what could not be seen is not."""

import pytest
from msgspec.structs import replace
from topologies import change_stack, delivered, echo, planned, point_named, read, recorded, seen, sent

from inspector.model.prediction import Difference
from inspector.model.question import Heading
from inspector.model.recording import Recording, TapCount
from inspector.model.topology import HOST, BlindSpot, Setting
from inspector.pipeline import review

WORLD = read("two-networks.toml")


def told(recording: Recording) -> list[tuple[str, str | None]]:
    return [(each.kind.value, each.point) for each in review(recording).disagreements]


def stopped(request: int, **more: object) -> Recording:
    plan = planned(WORLD, "web", "api")
    return recorded(WORLD, plan, probes=(sent(),), request=request, reply=0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "destination"), [("web", "db"), ("web", "api"), ("host", "web"), ("web", "8.8.8.8")]
)
def test_nothing_differs_where_all_went_as_expected(source: str, destination: str) -> None:
    assert told(delivered(WORLD, planned(WORLD, source, destination))) == []


def test_what_was_expected_and_not_seen() -> None:
    assert told(stopped(3)) == [
        ("outcome", None),
        ("not-seen", "host/br-mynet"),
        ("not-seen", "host/veth-api"),
        ("not-seen", "api/eth0"),
    ]
    assert review(stopped(3)).disagreements[0].text == "expected delivered, and it was lost"


def test_a_packet_that_takes_another_way() -> None:
    plan = planned(WORLD, "web", "db")
    stray = seen(point_named(plan, "host/veth-both"), echo("172.17.0.2", "172.17.0.3"), at=9_000)
    recording = delivered(WORLD, plan, extra=(stray,))
    assert told(recording) == [(Difference.UNPLANNED.value, "host/veth-both")]


def test_a_drop_that_was_expected_is_no_difference() -> None:
    world = change_stack(WORLD, HOST, settings=(Setting("net.ipv4.ip_forward", "0"),))
    plan = planned(world, "web", "api")
    assert told(recorded(world, plan, probes=(sent(),), request=3, reply=0)) == []
    assert told(delivered(world, plan)) == [("outcome", None)], "but it came through"


def test_silence_where_nothing_could_be_seen_is_no_difference() -> None:
    blind = stopped(3, blind_spots=(BlindSpot("host/br-mynet", "no"),))
    assert told(blind) == [], "the outcome cannot be told then"
    answered = delivered(WORLD, planned(WORLD, "web", "db"), request=2, reply=0)
    lossy = replace(answered, counts=(TapCount(point_named(answered.plan, "host/docker0"), 9, 1),))
    assert ("not-seen", "host/docker0") in told(answered)
    assert ("not-seen", "host/docker0") not in told(lossy)


def test_a_run_that_was_cut_short_is_not_compared() -> None:
    assert told(stopped(3, interrupted=True)) == []


def test_a_bridge_is_not_expected_to_be_seen_without_promiscuous_mode() -> None:
    plan = planned(WORLD, "web", "db", passive=True)
    recording = delivered(WORLD, plan)
    bridge = point_named(plan, "host/docker0")
    kept = tuple(each for each in recording.observations if each.point != bridge or each.heading is Heading.OUT)
    assert told(replace(recording, observations=kept)) == []
