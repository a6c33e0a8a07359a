"""Carry out a plan: listen at all its points, send its probes, and bring back what was seen.

1. Each sandbox is entered once, only to open sockets there; everything else is done from where we are.
2. The first probe leaves when every tap is bound.
3. What cannot be listened to is a blind spot, and the run goes on. A container that ends, or an interruption, ends the
   run early; what was captured until then is kept.
4. Nothing outlives the run: all sockets are closed, and promiscuity with them.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from inspector.capture.clock_watch import ClockWatch
from inspector.capture.drop_watch import DropWatch
from inspector.capture.injector import EchoSocket
from inspector.capture.legacy_watch import LegacyWatch, legacy_watch
from inspector.capture.listening import Listening
from inspector.capture.opening import Opened, open_all
from inspector.capture.pacing import Pacing
from inspector.capture.prober import Prober
from inspector.capture.rule_trace import RuleTraces, flow_of, open_rule_traces
from inspector.capture.sent_words import sent_words
from inspector.model.question import CapturePoint, Plan, Question
from inspector.model.recording import Answered, Failed, NotSent, Probe, Recording, Sent
from inspector.model.sentence import say
from inspector.model.topology import SandboxId, Topology

if TYPE_CHECKING:
    from inspector.capture.port_sockets import PortSockets

CLOSING_NS = 80_000_000
"""How long before the end of a run, at most, nothing more is heard of drops: closing their events takes that long."""
NEVER_NS = 1 << 63
"""A time that no clock comes to."""


class Clocks(Struct, frozen=True):
    """Time, so that a test can choose it."""

    realtime_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


def record(
    topology: Topology,
    plan: Plan,
    namespaces: Mapping[SandboxId, int],
    *,
    pidfds: Mapping[str, int],
    token: bytes,
    identifier: int,
    tap_program: bytes | Callable[[tuple[int, ...]], bytes],
    answer_program: bytes,
    finish: Callable[[Recording], Recording],
    interruption: int | None = None,
    clocks: Clocks | None = None,
) -> Recording:
    """Return what was seen while the plan's probes were sent.

    `token` (16 random bytes) and `identifier` (16 bits, not 0) make the probes ours. The programs are packed classic
    BPF: what the taps accept, and what the sending socket does; TCP and UDP probes have no use for the latter, and need
    a function that makes the former of their source ports. `namespaces` and `pidfds` stay the caller's.
    `interruption` is a descriptor that turns readable when the run is to end (the reading side of a wake-up pipe); it
    is not read here. `finish` is called when the last frame is in, while the sockets are closing.
    """
    times = clocks or Clocks()
    clock_watch = ClockWatch(times.realtime_ns, times.monotonic_ns)
    watch = DropWatch(plan)
    traced = plan.question.rule_trace and not plan.question.passive
    makers = _Makers(plan, token, identifier, answer_program, times)
    with (
        legacy_watch(plan, namespaces, wanted=traced) as legacy,
        open_rule_traces(plan, namespaces, wanted=traced) as rules,
        _opening(makers, namespaces, tap_program, rules, watch) as opened,
    ):
        rules.collect()
        with Listening(plan.points, opened, pidfds, interruption, times.monotonic_ns) as listening:
            rules.join(listening)
            run = _Run(plan, opened, listening, watch)
            run.probe()
            run.stop_watching()
            listening.drain()
            recording = _with_rules(run.recording(topology, token), rules, legacy)
            recording = replace(recording, blind_spots=(*recording.blind_spots, *clock_watch.blind_spots()))
        rules.begin_closing()
        opened.begin_closing()
        return finish(recording)


class _Makers(Struct, frozen=True):
    """What makes a sender of the sockets that were opened inside the source's stack."""

    plan: Plan
    token: bytes
    identifier: int
    answer_program: bytes
    clocks: Clocks

    def echoes(self, sock: socket.socket) -> EchoSocket:
        clock = self.clocks.realtime_ns
        return EchoSocket(
            sock, plan=self.plan, token=self.token, identifier=self.identifier, program=self.answer_program, clock=clock
        )

    def connections(self, sockets: Sequence[socket.socket]) -> "PortSockets":
        from inspector.capture.port_sockets import PortSockets

        clocks = self.clocks
        return PortSockets(
            sockets, plan=self.plan, token=self.token, clock=clocks.realtime_ns, now_ns=clocks.monotonic_ns
        )


def _opening(
    makers: _Makers,
    namespaces: Mapping[SandboxId, int],
    tap_program: bytes | Callable[[tuple[int, ...]], bytes],
    rules: RuleTraces,
    watch: DropWatch,
) -> AbstractContextManager[Opened]:
    """Open taps and sender, and have the kernel tell of rules and drops meanwhile.

    Rules are traced as soon as it is known what tells our probes from others': an echo's identifier is given, a port is
    the kernel's choice.
    """
    plan = makers.plan
    if isinstance(tap_program, bytes):
        rules.begin(flow_of(plan, (makers.identifier,)))
        return open_all(plan, namespaces, tap_program=tap_program, echoes=makers.echoes, meanwhile=watch.begin)

    from inspector.capture.port_opening import open_for_ports

    def begin(ports: tuple[int, ...]) -> None:
        rules.begin(flow_of(plan, ports))
        watch.begin()

    return open_for_ports(plan, namespaces, tap_program=tap_program, connections=makers.connections, meanwhile=begin)


def _with_rules(recording: Recording, rules: RuleTraces, legacy: LegacyWatch) -> Recording:
    """Add what the firewalls told, while their traces are still open."""
    before, after = legacy.compared()
    firewall = replace(rules.record(), legacy_before=before, legacy_after=after)
    return replace(
        recording,
        firewall=firewall,
        blind_spots=(*recording.blind_spots, *rules.blind_spots, *legacy.blind_spots),
        side_effects=(*recording.side_effects, *rules.side_effects()),
    )


class _Run:
    """The probes of one plan, and what became of them."""

    def __init__(self, plan: Plan, opened: Opened, listening: Listening, watch: DropWatch) -> None:
        self._plan = plan
        self._opened = opened
        self._listening = listening
        self._watch = watch
        self._watching = True
        self._pacing = _pacing(plan.question if opened.prober else None)
        self._probes: dict[int, Probe] = {}
        if opened.prober is not None:
            listening.join(opened.prober, partial(self._hear, opened.prober))
        for descriptor in watch.descriptors():
            listening.join(descriptor, watch.take)

    def probe(self) -> None:
        """Send the probes, each at its time, and wait for their answers."""
        pacing, listening, prober = self._pacing, self._listening, self._opened.prober
        listening.wait(0)
        while not listening.ended:
            now_ns = listening.now_ns()
            due_ns, over_ns = pacing.due_ns(), pacing.over_ns()
            if over_ns is not None and over_ns <= now_ns:
                break
            if due_ns is not None and due_ns <= now_ns and prober is not None:
                self._send(prober)
            if self._watched_ns() <= now_ns:
                self.stop_watching()
            self._wait(prober)
        for answer in prober.rest() if prober is not None else ():
            self._probes[answer.sequence] = answer

    def _wait(self, prober: Prober | None) -> None:
        """Wait for whatever comes first: a frame, an answer, or the time at which something is due."""
        hear_ns = prober.due_ns() if prober is not None else None
        next_ns = min(self._pacing.next_ns(), self._watched_ns())
        self._listening.wait((next_ns if hear_ns is None else min(next_ns, hear_ns)) - self._listening.now_ns())
        if prober is not None and hear_ns is not None and hear_ns <= self._listening.now_ns():
            self._hear(prober)

    def _watched_ns(self) -> int:
        """Return until when drop reasons are asked for, as far as is known now."""
        over_ns = self._pacing.over_ns()
        if over_ns is None or not self._watching:
            return NEVER_NS
        return over_ns - min(CLOSING_NS, int(self._plan.question.timeout_s * 1e9) // 2)

    def stop_watching(self) -> None:
        """Ask for no more drop reasons; closing takes a while, and is done beside what is left to do."""
        if self._watching:
            self._watching = False
            for descriptor in self._watch.descriptors():
                self._listening.leave(descriptor)
            self._opened.close_soon(self._watch.finish())

    def recording(self, topology: Topology, token: bytes) -> Recording:
        """Give an account of it all, while everything is still open."""
        listening = self._listening
        left = sum(isinstance(each, Sent | Answered) for each in self._probes.values())
        # An answered trace asks for no reason, and misses none.
        silent = not any(isinstance(each, Answered) for each in self._probes.values()) and self._unanswered()
        drops, unheard = (self._watch.drops(), self._watch.blind_spots) if silent else ((), [])
        return Recording(
            topology=topology,
            plan=self._plan,
            token=token,
            probes=self._all_probes(),
            observations=listening.observations(),
            counts=listening.counts(),
            blind_spots=(*self._opened.blind_spots, *listening.blind_spots, *unheard),
            side_effects=(*sent_words(self._plan, left), *promiscuity(self._plan.points, self._opened)),
            interrupted=listening.interrupted,
            departed=tuple(listening.departed),
            drops=drops,
            source_ports=self._opened.source_ports,
        )

    def _unanswered(self) -> bool:
        return any(isinstance(each, Sent) for each in self._probes.values())

    def _all_probes(self) -> tuple[Probe, ...]:
        """Return one value for each probe that was asked for."""
        departed = ", ".join(self._listening.departed)
        why = self._opened.refusal or (
            say("interrupted") if self._listening.interrupted else say("{departed} ended", departed=departed)
        )
        wanted = range(1, self._plan.question.count + 1)
        return tuple(self._probes.get(each) or NotSent(sequence=each, why=why) for each in wanted)

    def _send(self, prober: Prober) -> None:
        if self._unanswered():
            self._watch.expect(self._opened.pool)
        probe = prober.send(self._pacing.sent + 1)
        sequence = self._pacing.left(self._listening.now_ns())
        self._probes[sequence] = probe
        if isinstance(probe, Failed):
            self._pacing.settled(sequence)

    def _hear(self, prober: Prober) -> None:
        for answer in prober.receive():
            self._probes[answer.sequence] = answer
            self._pacing.settled(answer.sequence)
            # One answer, and nobody will ask why the others were dropped.
            self.stop_watching()


def _pacing(question: Question | None) -> Pacing:
    if question is None:
        return Pacing(count=0, timeout_ns=0)
    return Pacing(
        count=question.count,
        timeout_ns=int(question.timeout_s * 1e9),
        interval_ns=None if question.interval_s is None else int(question.interval_s * 1e9),
    )


def promiscuity(points: tuple[CapturePoint, ...], opened: Opened) -> tuple[str, ...]:
    """Say where promiscuous mode was asked for, if it was."""
    watched = [str(points[index]) for index, tap in opened.taps.items() if tap.promiscuous]
    if not watched:
        return ()
    return (say("promiscuous mode on {points}, ended with our sockets", points=", ".join(watched)),)
