"""A plan is carried out: all taps first, then the probes, and an account of it all."""

import itertools
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab import Lab
from msgspec.structs import replace

from inspector.capture.listening import DRAIN_LIMIT_NS
from inspector.capture.session import Clocks, record
from inspector.model.question import CapturePoint, Heading, Party, PathKind, Plan, Question, Resolution
from inspector.model.recording import Answered, Failed, NotSent, Observation, Recording, Sent
from inspector.model.topology import EngineIdentity, LinkKey, SandboxId, Topology
from inspector.plan.filters import answer_program, tap_program
from inspector.wire import headers

pytestmark = pytest.mark.kernel

TOKEN, IDENTIFIER = bytes(range(16)), 0x2468
PLACES = (("a", "eth0"), ("s", "va"), ("s", "br0"), ("s", "vb"), ("b", "eth0"))
TOPOLOGY = Topology(engine=EngineIdentity(name="none", version="0"), sandboxes=(), networks=(), containers=())


def plan_to(world: Lab, destination: str = "10.99.0.3", **asked: object) -> Plan:
    points = tuple(
        CapturePoint(
            link=LinkKey(sandbox=SandboxId(place), ifindex=world.index(place, link)),
            interface=link,
            promiscuous=link == "br0",
        )
        for place, link in PLACES
    )
    question = replace(Question(source="a", destination=destination), **asked)  # type: ignore[arg-type]
    return Plan(
        question=question,
        source=Party(
            label="tomcat01", sandbox=SandboxId("a"), address="fd99::2" if ":" in destination else "10.99.0.2"
        ),
        destination=Party(label="tomcat02", sandbox=SandboxId("b"), address=destination),
        resolution=Resolution(name="tomcat02", mechanism="literal", address=destination),
        kind=PathKind.SWITCHED,
        family=6 if ":" in destination else 4,
        points=points,
    )


def carry_out(
    world: Lab,
    plan: Plan,
    *,
    pidfds: dict[str, int] | None = None,
    interruption: int | None = None,
    without: str | None = None,
    clocks: Clocks | None = None,
) -> Recording:
    return record(
        TOPOLOGY,
        plan,
        {SandboxId(place): fd for place, fd in world.fds.items() if place != without},
        pidfds=pidfds or {},
        token=TOKEN,
        identifier=IDENTIFIER,
        tap_program=tap_program(plan, IDENTIFIER),
        answer_program=answer_program(plan, IDENTIFIER),
        finish=lambda recording: recording,
        interruption=interruption,
        clocks=clocks,
    )


def echoes(recording: Recording) -> list[Observation]:
    return [each for each in recording.observations if (read := headers.read(each.frame)) and read.icmp and not read.nd]


@contextmanager
def readable_after(seconds: float) -> Iterator[int]:
    reading, writing = os.pipe()
    timer = threading.Timer(seconds, os.write, (writing, b"x"))
    timer.start()
    try:
        yield reading
    finally:
        timer.join()
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("destination", ["10.99.0.3", "fd99::3"])
def test_every_point_sees_every_probe_and_answer(world: Lab, destination: str) -> None:
    recording = carry_out(world, plan_to(world, destination))
    assert [type(each) for each in recording.probes] == [Answered, Answered, Answered]
    seen = echoes(recording)
    sightings = [(PLACES[each.point], each.heading) for each in seen]
    out, back = Heading.OUT, Heading.IN
    for place in PLACES:
        headings = [heading for where, heading in sightings if where == place]
        assert headings == ([back] * 6 if place == ("s", "br0") else [out, back] * 3 if place[0] == "a" else headings)
        assert len(headings) == 6
    assert [heading for where, heading in sightings if where == ("b", "eth0")] == [back, out] * 3
    assert recording.counts == tuple(replace(each, dropped=0) for each in recording.counts)
    assert len(recording.counts) == len(PLACES)
    assert recording.blind_spots == ()
    assert (recording.interrupted, recording.departed) == (False, ())


def test_times_fit_together(world: Lab) -> None:
    carry_out(world, plan_to(world, count=1))
    recording = carry_out(world, plan_to(world, count=1))
    (probe,) = recording.probes
    assert isinstance(probe, Answered)
    seen = echoes(recording)
    stamps = {(each.point, each.heading): each.at_ns for each in seen[:5]}
    assert probe.at_ns < stamps[0, Heading.OUT] < stamps[1, Heading.IN] == stamps[2, Heading.IN]
    assert stamps[2, Heading.IN] < stamps[3, Heading.OUT] < stamps[4, Heading.IN] < probe.answered_ns
    assert seen[-1].at_ns <= probe.answered_ns
    assert all(TOKEN in each.frame for each in seen)


def test_a_clock_that_is_set_back_is_told_and_nothing_waits_for_it(world: Lab) -> None:
    real = itertools.chain([time.time_ns()], itertools.repeat(0))
    clocks = Clocks(realtime_ns=lambda: next(real) or time.time_ns() - 3_600_000_000_000)
    recording = carry_out(world, plan_to(world), clocks=clocks)
    assert [type(each) for each in recording.probes] == [Answered, Answered, Answered]
    assert len(echoes(recording)) == 30
    (spot,) = recording.blind_spots
    assert spot.point == "the clock"
    # Both clocks are not read at one time.
    assert re.fullmatch(r"it was set (3599|3600)\.\d\d s back meanwhile: .*", spot.why)


def test_it_says_what_it_did(world: Lab) -> None:
    before = world.promiscuity("s", "br0")
    recording = carry_out(world, plan_to(world))
    assert len(recording.side_effects) == 3, recording.side_effects
    sent, learnt, promiscuous = recording.side_effects
    assert sent == "sent 3 ICMP echo requests from tomcat01 (10.99.0.2) to 10.99.0.3"
    assert "FDB" in learnt
    assert "s/br0" in promiscuous
    assert world.promiscuity("s", "br0") == before


def test_probes_do_not_wait_longer_than_they_must(world: Lab) -> None:
    carry_out(world, plan_to(world, count=1))
    recording = carry_out(world, plan_to(world, count=10))
    gaps = [
        after.at_ns - before.at_ns
        for before, after in zip(recording.probes, recording.probes[1:], strict=False)
        if isinstance(before, Answered) and isinstance(after, Answered)
    ]
    assert len(gaps) == 9
    assert min(gaps) >= 9_000_000
    assert sorted(gaps)[4] < 30_000_000


def test_an_unanswered_probe_has_its_timeout(world: Lab) -> None:
    begin = time.monotonic_ns()
    recording = carry_out(world, plan_to(world, "10.99.0.55", count=2, timeout_s=0.2))
    took = time.monotonic_ns() - begin
    assert [type(each) for each in recording.probes] == [Sent, Sent]
    assert 400_000_000 <= took < 400_000_000 + DRAIN_LIMIT_NS + 5_000_000_000
    asked = [read.arp.target for each in recording.observations if (read := headers.read(each.frame)) and read.arp]
    assert "10.99.0.55" in asked


def test_what_the_source_refuses_costs_no_timeout(world: Lab) -> None:
    begin = time.monotonic()
    recording = carry_out(world, plan_to(world, "fd11::1", count=3, timeout_s=5.0))
    assert time.monotonic() - begin < 2
    assert [type(each) for each in recording.probes] == [Failed] * 3
    assert not [each for each in recording.side_effects if each.startswith("sent")]


def test_a_missing_link_or_stack_is_a_blind_spot(world: Lab) -> None:
    plan = plan_to(world)
    missing = replace(plan.points[1], link=LinkKey(sandbox=SandboxId("s"), ifindex=4242))
    plan = replace(plan, points=(plan.points[0], missing, *plan.points[2:]))
    recording = carry_out(world, plan, without="b")
    assert {each.point: each.why for each in recording.blind_spots} == {
        "s/va": "cannot listen there: No such device",
        "b/eth0": "the network stack of b could not be opened",
    }
    assert [type(each) for each in recording.probes] == [Answered] * 3
    assert [each.point for each in recording.counts] == [0, 2, 3]


def test_without_the_source_nothing_is_sent(world: Lab) -> None:
    recording = carry_out(world, plan_to(world), without="a")
    assert [type(each) for each in recording.probes] == [NotSent] * 3
    assert recording.probes[0] == NotSent(sequence=1, why="the network stack of tomcat01 could not be opened")


def test_an_interruption_keeps_what_was_seen(world: Lab) -> None:
    with readable_after(0.8) as interruption:
        recording = carry_out(world, plan_to(world, count=50, interval_s=0.1), interruption=interruption)
    assert recording.interrupted
    kinds = [type(each) for each in recording.probes]
    assert Answered in kinds
    assert kinds[-1] is NotSent
    assert len(echoes(recording)) >= 10 * (kinds.count(Answered) - 1)


def test_an_interruption_from_before_sends_nothing(world: Lab) -> None:
    with readable_after(0.0) as interruption:
        time.sleep(0.05)
        recording = carry_out(world, plan_to(world), interruption=interruption)
    assert [type(each) for each in recording.probes] == [NotSent] * 3
    assert recording.interrupted


def test_a_container_that_ends_is_named(world: Lab) -> None:
    process = subprocess.Popen(["sleep", "0.8"])
    pidfd = os.pidfd_open(process.pid)
    try:
        recording = carry_out(world, plan_to(world, count=50, interval_s=0.05), pidfds={"tomcat02": pidfd})
    finally:
        os.close(pidfd)
        process.wait()
    assert recording.departed == ("tomcat02",)
    assert not recording.interrupted
    assert echoes(recording)
    assert recording.probes[-1] == NotSent(sequence=50, why="tomcat02 ended")


def test_a_link_that_goes_away_meanwhile_is_told(world: Lab) -> None:
    world.ip("s", "link add pa type veth peer name pb")
    world.ip("s", "link set pa up")
    world.ip("s", "link set pb up")
    plan = plan_to(world, count=12, interval_s=0.1)
    extra = CapturePoint(link=LinkKey(sandbox=SandboxId("s"), ifindex=world.index("s", "pa")), interface="pa")
    plan = replace(plan, points=(*plan.points, extra))
    timer = threading.Timer(0.7, world.ip, ("s", "link del pa"))
    timer.start()
    try:
        recording = carry_out(world, plan)
    finally:
        timer.join()
    assert [(each.point, each.why) for each in recording.blind_spots] == [
        ("s/pa", "ended while we listened: Network is down")
    ]
    assert [type(each) for each in recording.probes] == [Answered] * 12


def test_it_is_finished_after_the_last_frame(world: Lab) -> None:
    plan = plan_to(world, count=1)
    looked: list[int] = []

    def finish(recording: Recording) -> Recording:
        looked.append(time.time_ns())
        return recording

    recording = record(
        TOPOLOGY,
        plan,
        {SandboxId(place): fd for place, fd in world.fds.items()},
        pidfds={},
        token=TOKEN,
        identifier=IDENTIFIER,
        tap_program=tap_program(plan, IDENTIFIER),
        answer_program=answer_program(plan, IDENTIFIER),
        finish=finish,
    )
    assert len(looked) == 1
    assert recording.observations[-1].at_ns < looked[0]


def test_no_thread_is_left(world: Lab) -> None:
    before = threading.active_count()
    carry_out(world, plan_to(world, count=1))
    assert threading.active_count() == before
