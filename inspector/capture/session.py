"""Carry out a plan: listen at all its points, send its probes, and bring back what was seen.

1. Each sandbox is entered once, only to open sockets there; everything else is done from where we are.
2. The first probe leaves when every tap is bound. One loop waits for all sockets; there is no thread per interface.
3. The end is a fact: every tap has handed out as many frames as the kernel counted (or DRAIN_LIMIT_NS is over).
4. What cannot be listened to is a blind spot, and the run goes on. A container that ends, or an interruption, ends the
   run early; what was captured until then is kept.
5. Nothing outlives the run: all sockets are closed, and promiscuity with them.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import Self

from inspector.capture.injector import EchoSocket
from inspector.capture.opening import Opened, open_all
from inspector.capture.pacing import Pacing
from inspector.capture.ring import RawFrame
from inspector.capture.tap import Tap
from inspector.model.question import Heading, Plan, Question
from inspector.model.recording import (
    Answered,
    Failed,
    NotSent,
    Observation,
    Probe,
    Recording,
    Sent,
    TapCount,
)
from inspector.model.topology import BlindSpot, SandboxId, Topology

DRAIN_LIMIT_NS = 200_000_000
SETTLE_NS = 2_000_000
"""How long the loop listens on at least: the retire time of a ring block, and what is still in a backlog queue."""
PACKET_OUTGOING = 4
"""linux/if_packet.h"""
MOST_OBSERVATIONS = 100_000
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
    with open_all(plan, namespaces, tap_program=tap_program, echoes=echoes) as opened:
        with _Run(plan, opened, pidfds, interruption, times.monotonic_ns) as run:
            run.probe()
            run.drain()
            recording = run.recording(topology, token)
        opened.begin_closing()
        return finish(recording)


class _Run:
    """One loop over all sockets, and what it has gathered."""

    def __init__(
        self,
        plan: Plan,
        opened: Opened,
        pidfds: Mapping[str, int],
        interruption: int | None,
        now_ns: Callable[[], int],
    ) -> None:
        self._plan = plan
        self._opened = opened
        self._now_ns = now_ns
        self._pacing = _pacing(plan.question if opened.echoes else None)
        self._probes: dict[int, Probe] = {}
        self._discarded: Counter[int] = Counter()
        self._observations: list[Observation] = []
        self._blind_spots: list[BlindSpot] = []
        self._departed: list[str] = []
        self._interrupted = False
        self._selector = DefaultSelector()
        for index, tap in opened.taps.items():
            self._selector.register(tap, EVENT_READ, partial(self._listen, index, tap))
        if opened.echoes is not None:
            self._selector.register(opened.echoes, EVENT_READ, partial(self._hear, opened.echoes))
        for name, descriptor in pidfds.items():
            self._selector.register(descriptor, EVENT_READ, partial(self._depart, name, descriptor))
        if interruption is not None:
            self._selector.register(interruption, EVENT_READ, partial(self._interrupt, interruption))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._selector.close()

    def probe(self) -> None:
        """Send the probes, each at its time, and wait for their answers."""
        pacing = self._pacing
        self._wait(0)
        while not self._interrupted and not self._departed:
            now_ns = self._now_ns()
            due_ns, over_ns = pacing.due_ns(), pacing.over_ns()
            if over_ns is not None and over_ns <= now_ns:
                return
            if due_ns is not None and due_ns <= now_ns and self._opened.echoes is not None:
                self._send(self._opened.echoes)
            self._wait(pacing.next_ns() - self._now_ns())

    def drain(self) -> None:
        """Listen on until every tap has handed out all that the kernel delivered."""
        start_ns = self._now_ns()
        self._wait(SETTLE_NS)
        while (waited_ns := self._now_ns() - start_ns) < DRAIN_LIMIT_NS:
            if waited_ns >= SETTLE_NS and all(tap.drained() for tap in self._opened.taps.values()):
                return
            self._wait(SETTLE_NS)
        self._discarded.update({index: tap.unread() for index, tap in self._opened.taps.items()})

    def recording(self, topology: Topology, token: bytes) -> Recording:
        """Give an account of it all, while everything is still open."""
        left = sum(isinstance(each, Sent | Answered) for each in self._probes.values())
        return Recording(
            topology=topology,
            plan=self._plan,
            token=token,
            probes=self._all_probes(),
            observations=tuple(sorted(self._observations, key=lambda each: each.at_ns)),
            counts=tuple(self._count(index, tap) for index, tap in self._opened.taps.items()),
            blind_spots=(*self._opened.blind_spots, *self._blind_spots),
            side_effects=_side_effects(self._plan, self._opened, left),
            interrupted=self._interrupted,
            departed=tuple(self._departed),
        )

    def _count(self, index: int, tap: Tap) -> TapCount:
        """Count what we had no room or time for: it is as lost as what the kernel had no room for."""
        count = tap.count()
        return TapCount(point=index, received=count.received, dropped=count.dropped + self._discarded[index])

    def _all_probes(self) -> tuple[Probe, ...]:
        """Return one value for each probe that was asked for."""
        why = self._opened.refusal or ("interrupted" if self._interrupted else f"{', '.join(self._departed)} ended")
        wanted = range(1, self._plan.question.count + 1)
        return tuple(self._probes.get(each) or NotSent(sequence=each, why=why) for each in wanted)

    def _wait(self, duration_ns: int) -> None:
        for key, _ in self._selector.select(max(duration_ns, 0) / 1e9):
            key.data()

    def _send(self, echoes: EchoSocket) -> None:
        probe = echoes.send(self._pacing.sent + 1)
        sequence = self._pacing.left(self._now_ns())
        self._probes[sequence] = probe
        if isinstance(probe, Failed):
            self._pacing.settled(sequence)

    def _hear(self, echoes: EchoSocket) -> None:
        for answer in echoes.receive():
            self._probes[answer.sequence] = answer
            self._pacing.settled(answer.sequence)

    def _listen(self, index: int, tap: Tap) -> None:
        for frame in tap.read():
            if len(self._observations) < MOST_OBSERVATIONS:
                self._observations.append(_observation(index, frame))
            else:
                self._discarded[index] += 1
        if tap.ended:
            self._selector.unregister(tap)
            point = str(self._plan.points[index])
            self._blind_spots.append(BlindSpot(point=point, why=f"ended while we listened: {tap.ended}"))

    def _depart(self, name: str, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self._departed.append(name)

    def _interrupt(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self._interrupted = True


def _pacing(question: Question | None) -> Pacing:
    if question is None:
        return Pacing(count=0, timeout_ns=0)
    return Pacing(
        count=question.count,
        timeout_ns=int(question.timeout_s * 1e9),
        interval_ns=None if question.interval_s is None else int(question.interval_s * 1e9),
    )


def _observation(point: int, frame: RawFrame) -> Observation:
    return Observation(
        point=point,
        at_ns=frame.at_ns,
        heading=Heading.OUT if frame.packet_type == PACKET_OUTGOING else Heading.IN,
        packet_type=frame.packet_type,
        frame=frame.data,
        wire_length=frame.wire_length,
        vlan=frame.vlan,
        checksum_ready=frame.checksum_ready,
    )


def _side_effects(plan: Plan, opened: Opened, left: int) -> tuple[str, ...]:
    effects = []
    if left:
        source = f"{plan.source.label} ({plan.source.address})" if plan.source.address else plan.source.label
        version = "ICMPv6" if plan.family == V6 else "ICMP"
        requests = "echo request" if left == 1 else "echo requests"
        effects.append(f"sent {left} {version} {requests} from {source} to {plan.resolution.address}")
    watched = [str(plan.points[index]) for index, tap in opened.taps.items() if tap.promiscuous]
    if watched:
        effects.append(f"promiscuous mode on {', '.join(watched)}, through our sockets only: it ended with them")
    return tuple(effects)
