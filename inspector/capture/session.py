"""Carry out a plan: listen at all its points, send its probes, and bring back what was seen.

1. Each sandbox is entered once, only to open sockets there; everything else is done from where we are.
2. The first probe leaves when every tap is bound.
3. What cannot be listened to is a blind spot, and the run goes on. A container that ends, or an interruption, ends the
   run early; what was captured until then is kept.
4. Nothing outlives the run: all sockets are closed, and promiscuity with them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from inspector.capture.injector import EchoSocket
from inspector.capture.legacy_watch import LegacyWatch, legacy_watch
from inspector.capture.listening import Listening
from inspector.capture.opening import Opened, open_all
from inspector.capture.pacing import Pacing
from inspector.capture.rule_trace import RuleTraces, flow_of, open_rule_traces
from inspector.model.question import CapturePoint, Plan, Question
from inspector.model.recording import Answered, Failed, NotSent, Probe, Recording, Sent
from inspector.model.topology import SandboxId, Topology

V6 = 6


@dataclass(frozen=True, slots=True)
class Clocks:
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
    tap_program: bytes,
    answer_program: bytes,
    finish: Callable[[Recording], Recording],
    interruption: int | None = None,
    clocks: Clocks | None = None,
) -> Recording:
    """Return what was seen while the plan's probes were sent.

    `token` (16 random bytes) and `identifier` (16 bits, not 0) make the probes ours. The programs are packed classic
    BPF: what the taps accept, and what the sending socket does. `namespaces` and `pidfds` stay the caller's.
    `interruption` is a descriptor that turns readable when the run is to end (the reading side of a wake-up pipe); it
    is not read here. `finish` is called when the last frame is in, while the sockets are closing.
    """
    times = clocks or Clocks()
    echoes = partial(
        EchoSocket, plan=plan, token=token, identifier=identifier, program=answer_program, clock=times.realtime_ns
    )
    traced = plan.question.rule_trace and not plan.question.passive
    with (
        legacy_watch(plan, namespaces, wanted=traced) as legacy,
        open_rule_traces(plan, namespaces, flow_of(plan, identifier), wanted=traced) as rules,
        open_all(plan, namespaces, tap_program=tap_program, echoes=echoes) as opened,
    ):
        rules.collect()
        with Listening(plan.points, opened, pidfds, interruption, times.monotonic_ns) as listening:
            rules.join(listening)
            run = _Run(plan, opened, listening)
            run.probe()
            listening.drain()
            recording = _with_rules(run.recording(topology, token), rules, legacy)
        rules.begin_closing()
        opened.begin_closing()
        return finish(recording)


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

    def __init__(self, plan: Plan, opened: Opened, listening: Listening) -> None:
        self._plan = plan
        self._opened = opened
        self._listening = listening
        self._pacing = _pacing(plan.question if opened.echoes else None)
        self._probes: dict[int, Probe] = {}
        if opened.echoes is not None:
            listening.join(opened.echoes, partial(self._hear, opened.echoes))

    def probe(self) -> None:
        """Send the probes, each at its time, and wait for their answers."""
        pacing, listening = self._pacing, self._listening
        listening.wait(0)
        while not listening.ended:
            now_ns = listening.now_ns()
            due_ns, over_ns = pacing.due_ns(), pacing.over_ns()
            if over_ns is not None and over_ns <= now_ns:
                return
            if due_ns is not None and due_ns <= now_ns and self._opened.echoes is not None:
                self._send(self._opened.echoes)
            listening.wait(pacing.next_ns() - listening.now_ns())

    def recording(self, topology: Topology, token: bytes) -> Recording:
        """Give an account of it all, while everything is still open."""
        listening = self._listening
        left = sum(isinstance(each, Sent | Answered) for each in self._probes.values())
        return Recording(
            topology=topology,
            plan=self._plan,
            token=token,
            probes=self._all_probes(),
            observations=listening.observations(),
            counts=listening.counts(),
            blind_spots=(*self._opened.blind_spots, *listening.blind_spots),
            side_effects=(*_sent(self._plan, left), *promiscuity(self._plan.points, self._opened)),
            interrupted=listening.interrupted,
            departed=tuple(listening.departed),
        )

    def _all_probes(self) -> tuple[Probe, ...]:
        """Return one value for each probe that was asked for."""
        departed = ", ".join(self._listening.departed)
        why = self._opened.refusal or ("interrupted" if self._listening.interrupted else f"{departed} ended")
        wanted = range(1, self._plan.question.count + 1)
        return tuple(self._probes.get(each) or NotSent(sequence=each, why=why) for each in wanted)

    def _send(self, echoes: EchoSocket) -> None:
        probe = echoes.send(self._pacing.sent + 1)
        sequence = self._pacing.left(self._listening.now_ns())
        self._probes[sequence] = probe
        if isinstance(probe, Failed):
            self._pacing.settled(sequence)

    def _hear(self, echoes: EchoSocket) -> None:
        for answer in echoes.receive():
            self._probes[answer.sequence] = answer
            self._pacing.settled(answer.sequence)


def _pacing(question: Question | None) -> Pacing:
    if question is None:
        return Pacing(count=0, timeout_ns=0)
    return Pacing(
        count=question.count,
        timeout_ns=int(question.timeout_s * 1e9),
        interval_ns=None if question.interval_s is None else int(question.interval_s * 1e9),
    )


def _sent(plan: Plan, left: int) -> tuple[str, ...]:
    if not left:
        return ()
    source = f"{plan.source.label} ({plan.source.address})" if plan.source.address else plan.source.label
    version = "ICMPv6" if plan.family == V6 else "ICMP"
    requests = "echo request" if left == 1 else "echo requests"
    return (f"sent {left} {version} {requests} from {source} to {plan.resolution.address}",)


def promiscuity(points: tuple[CapturePoint, ...], opened: Opened) -> tuple[str, ...]:
    """Say where promiscuous mode was asked for, if it was."""
    watched = [str(points[index]) for index, tap in opened.taps.items() if tap.promiscuous]
    if not watched:
        return ()
    return (f"promiscuous mode on {', '.join(watched)}, through our sockets only: it ended with them",)
