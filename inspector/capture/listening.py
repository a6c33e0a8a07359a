"""One loop over all sockets of a run: it reads the taps, notes who goes away, and ends when everything is in.

1. There is no thread per interface; what else is to be waited for (an echo socket, a resolver's) joins the same loop.
2. The end is a fact: every tap has handed out as many frames as the kernel counted (or DRAIN_LIMIT_NS is over).
3. A frame we had no room or time for is as lost as one the kernel had no room for, and counted so.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import Protocol, Self

from inspector.capture.opening import Opened
from inspector.capture.ring import RawFrame
from inspector.capture.tap import Tap
from inspector.model.question import CapturePoint, Heading
from inspector.model.recording import Observation, TapCount
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot

DRAIN_LIMIT_NS = 200_000_000
SETTLE_NS = 2_000_000
"""How long the loop listens on at least: the retire time of a ring block, and what is still in a backlog queue."""
PACKET_OUTGOING = 4
"""linux/if_packet.h"""
MOST_OBSERVATIONS, MOST_BYTES = 100_000, 64 << 20
"""Frames that are kept, and their bytes; more are counted as lost."""


class Descriptor(Protocol):
    """What a selector can wait for."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...


class Listening:
    """The loop, and what it has gathered."""

    def __init__(
        self,
        points: Sequence[CapturePoint],
        opened: Opened,
        pidfds: Mapping[str, int],
        interruption: int | None,
        now_ns: Callable[[], int],
    ) -> None:
        """Listen to all that was opened; `now_ns` is a clock that only goes forward."""
        self.blind_spots: list[BlindSpot] = []
        self.departed: list[str] = []
        self.interrupted = False
        self.now_ns = now_ns
        self._points = points
        self._taps = dict(opened.taps)
        self._discarded: Counter[int] = Counter()
        self._observations: list[Observation] = []
        self._kept = 0
        """Bytes of all frames"""
        self._selector = DefaultSelector()
        for index, tap in self._taps.items():
            self._selector.register(tap, EVENT_READ, partial(self._listen, index, tap))
        for name, descriptor in pidfds.items():
            self._selector.register(descriptor, EVENT_READ, partial(self._depart, name, descriptor))
        if interruption is not None:
            self._selector.register(interruption, EVENT_READ, partial(self._interrupt, interruption))

    def __enter__(self) -> Self:
        """Listen until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop waiting; what was opened stays its owner's."""
        self._selector.close()

    @property
    def ended(self) -> bool:
        """Whether somebody went away or asked us to stop."""
        return self.interrupted or bool(self.departed)

    def join(self, descriptor: Descriptor, work: Callable[[], None], events: int = EVENT_READ) -> None:
        """Call `work` whenever the descriptor is ready."""
        self._selector.register(descriptor, events, work)

    def leave(self, descriptor: Descriptor) -> None:
        """Wait for it no more."""
        self._selector.unregister(descriptor)

    def rejoin(self, descriptor: Descriptor, work: Callable[[], None], events: int) -> None:
        """Wait for other events than before."""
        self._selector.modify(descriptor, events, work)

    def wait(self, duration_ns: int) -> None:
        """Wait for whatever comes first, and do what is to be done about it."""
        for key, _ in self._selector.select(max(duration_ns, 0) / 1e9):
            key.data()

    def drain(self) -> None:
        """Listen on until every tap has handed out all that the kernel delivered."""
        start_ns = self.now_ns()
        self.wait(SETTLE_NS)
        while (waited_ns := self.now_ns() - start_ns) < DRAIN_LIMIT_NS:
            if waited_ns >= SETTLE_NS and all(tap.drained() for tap in self._taps.values()):
                return
            self.wait(SETTLE_NS)
        self._discarded.update({index: tap.unread() for index, tap in self._taps.items()})

    def observations(self) -> tuple[Observation, ...]:
        """Return what was seen, by time."""
        return tuple(sorted(self._observations, key=lambda each: each.at_ns))

    def counts(self) -> tuple[TapCount, ...]:
        """Return what the kernel counted, while the taps are still open."""
        return tuple(self._count(index, tap) for index, tap in self._taps.items())

    def _count(self, index: int, tap: Tap) -> TapCount:
        count = tap.count()
        return TapCount(point=index, received=count.received, dropped=count.dropped + self._discarded[index])

    def _listen(self, index: int, tap: Tap) -> None:
        for frame in tap.read():
            self._kept += len(frame.data)
            if len(self._observations) < MOST_OBSERVATIONS and self._kept <= MOST_BYTES:
                self._observations.append(_observation(index, frame))
            else:
                self._discarded[index] += 1
        if tap.ended:
            self._selector.unregister(tap)
            point = str(self._points[index])
            self.blind_spots.append(BlindSpot(point=point, why=say("ended while we listened: {why}", why=tap.ended)))

    def _depart(self, name: str, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self.departed.append(name)

    def _interrupt(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self.interrupted = True


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
