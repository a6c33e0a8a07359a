"""One loop over all points of a long capture: blocks go from the rings to the file as they come, until told to end.

1. Points come and go while it runs; somebody else finds them, and says so through `News`.
2. The order of a file: section, names, an interface for each point, frames; new names and interfaces where they come
   up; statistics of a point where it ends, of all others at the end.
3. While there is little to write, frames stand in the order of their time; else a point's block after another's.
4. At the end every socket is told to refuse what still comes, and what has come is read to the last frame.
"""

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, DefaultSelector

from msgspec import Struct, field

from inspector.capture.capture_file import CaptureFile, CutShort, Full, Outlet, ReaderLeft, count_blocks
from inspector.capture.gathering import next_pause
from inspector.capture.news import Abandoned, Arrived, Gone, Named, News, PointKey
from inspector.capture.ordering import Held, Ordering
from inspector.capture.point_tap import RETIRE_MS, PointTap, Totals
from inspector.model.point_count import CaptureCount, PointCount
from inspector.model.topology import LinkKind
from inspector.wire import pcapng

LOOK_NS = 1_000_000_000
"""How often the kernel's counts are looked at."""
_LENGTH, _LENGTH_AT = struct.Struct("<I"), 24
"""The wire length in an Enhanced Packet Block"""
DRAIN_NS = 500_000_000
BEHIND_PORTS = 1 << 32
FEW_AT_ONCE, FEW_IN_ALL = 200, 600
"""Of more frames in a block, or in those of all points in a moment, the order is not looked after."""
MOMENT_NS = 10_000_000
SETTLE_NS = 2 * RETIRE_MS * 1_000_000


class _Watched(Struct, eq=False):
    key: PointKey
    interface: pcapng.Interface
    tap: PointTap
    started_ns: int
    pidfd: int | None
    number: int = 0
    before: Totals = field(default_factory=Totals)
    """Its totals when the file at hand was begun."""
    leaving_ns: int | None = None
    ended: bool = False

    @property
    def rank(self) -> int:
        """Return its place among points of one time: a frame comes in by a port, then by the bridge, at one stamp."""
        return self.number + (BEHIND_PORTS if self.interface.hardware == LinkKind.BRIDGE else 0)


class Streaming:
    """A long capture."""

    def __init__(
        self,
        outlet: Outlet,
        section: pcapng.Section,
        news: News,
        *,
        max_size: int | None,
        now_ns: Callable[[], int],
        realtime_ns: Callable[[], int],
        show: Callable[[CaptureCount], None] = lambda _: None,
    ) -> None:
        """Capture what `news` tells of; `show` is called at the start and each second."""
        self._section = section
        self._news = news
        self._now_ns, self._realtime_ns = now_ns, realtime_ns
        self._show = show
        self._file = CaptureFile(outlet, self._ahead, self._behind, max_size)
        self._points: dict[PointKey, _Watched] = {}
        self._past: list[PointCount] = []
        self._names: dict[str, tuple[str, ...]] = {}
        self._selector = DefaultSelector()
        self._control = DefaultSelector()
        """What must not wait while blocks gather."""
        self._order: Ordering[_Watched] = Ordering()
        self._pause_ns = 0
        self._unordered_until_ns = 0
        self._slots: list[_Watched] = []
        """Points by their number in the file at hand: those that ended, too, so that a number keeps its meaning."""
        self._begun_ns = now_ns()
        self._ending = False
        self.alone = False

    def run(self, interruption: int, duration_ns: int | None) -> CaptureCount:
        """Capture until the end, and return what there was.

        Raises CutShort where the file cannot take more.
        """
        self._begun_ns = self._now_ns()
        end_ns = None if duration_ns is None else self._begun_ns + duration_ns
        for descriptor, work in ((self._news, self._hear), (interruption, self._end)):
            self._selector.register(descriptor, EVENT_READ, work)
            self._control.register(descriptor, EVENT_READ)
        try:
            self._hear()
            self._file.start()
            self._show(self.count())
            self._carry_on(end_ns)
            self._drain(interruption)
            self._file.finish()
        except (Full, ReaderLeft):
            self._look()
            with suppress(ReaderLeft, CutShort):
                self._file.finish()
        finally:
            self._file.close()
        return self.count()

    def count(self) -> CaptureCount:
        """Return what there was so far."""
        points = [*self._past, *(_count(each) for each in self._points.values())]
        elapsed_s = (self._now_ns() - self._begun_ns) / 1e9
        return CaptureCount(tuple(points), elapsed_s, self._file.written, self._file.files)

    @property
    def points(self) -> int:
        """How many points are listened to."""
        return len(self._points)

    def close(self) -> None:
        """Stop listening."""
        for each in self._points.values():
            self._drop_pidfd(each)
            each.tap.close()
        self._selector.close()
        self._control.close()

    def _carry_on(self, end_ns: int | None) -> None:
        look_ns = self._begun_ns + LOOK_NS
        while not self._ending and not (self.alone and not self._points):
            now_ns = self._now_ns()
            if end_ns is not None and now_ns >= end_ns:
                return
            if now_ns >= look_ns:
                look_ns = now_ns + LOOK_NS
                self._look()
                self._show(self.count())
            until_ns = look_ns if end_ns is None else min(look_ns, end_ns)
            if self._order or any(each.leaving_ns for each in self._points.values()):
                until_ns = min(until_ns, now_ns + SETTLE_NS // 2)
            ready = self._selector.select(max(until_ns - now_ns, 0) / 1e9)
            for key, _ in ready:
                key.data()
            self._write_held(self._order.due(self._now_ns()))
            self._let_go()
            self._gather(end_ns, came=bool(ready))

    def _gather(self, end_ns: int | None, *, came: bool) -> None:
        """Let full blocks gather, as long as there is room for many times as much in the rings; others for a moment.

        A packet passes many points at once, and the blocks of all of them are due within a moment.
        """
        if any(each.tap.busy for each in self._points.values()):
            self._pause_ns = next_pause(self._pause_ns, max(each.tap.filled for each in self._points.values()))
        else:
            self._pause_ns = 0
        pause_ns = self._pause_ns or (MOMENT_NS if came else 0)
        left_ns = pause_ns if end_ns is None else min(pause_ns, end_ns - self._now_ns())
        if left_ns > 0:
            self._control.select(left_ns / 1e9)

    def _drain(self, interruption: int) -> None:
        """Read what has come in until now, and nothing later."""
        self._selector.unregister(self._news)
        self._selector.unregister(interruption)
        for each in self._points.values():
            each.tap.refuse()
        start_ns = self._now_ns()
        while (waited_ns := self._now_ns() - start_ns) < DRAIN_NS:
            if waited_ns >= SETTLE_NS and not any(each.tap.unread for each in self._points.values()):
                break
            for key, _ in self._selector.select(SETTLE_NS / 1e9 / 4):
                key.data()
        self._write_held(self._order.all())
        self._look()

    def _look(self) -> None:
        for each in self._points.values():
            each.tap.look()

    def _end(self) -> None:
        self._ending = True

    def _hear(self) -> None:
        for each in self._news.take():
            match each:
                case Arrived():
                    self._welcome(each)
                case Gone():
                    self._see_off(each.key)
                case Named():
                    self._name(each)
                case Abandoned():
                    self.alone = each.alone

    def _welcome(self, new: Arrived) -> None:
        watched = _Watched(new.key, new.interface, new.tap, self._realtime_ns(), new.pidfd)
        self._points[new.key] = watched
        self._selector.register(new.tap, EVENT_READ, partial(self._read, watched))
        if new.pidfd is not None:
            # A socket of ours would keep the stack of a container that has ended.
            self._selector.register(new.pidfd, EVENT_READ, partial(self._outlive, watched))
        if self._file.files:
            self._file.write((pcapng.interface_block(watched.interface),))
        watched.number = new.tap.interface = len(self._slots)
        self._slots.append(watched)

    def _name(self, named: Named) -> None:
        added = {address: names for address, names in named.names.items() if self._names.get(address) != names}
        self._names.update(added)
        if added and self._file.files:
            self._file.write((pcapng.names_block(added),))

    def _outlive(self, watched: _Watched) -> None:
        self._drop_pidfd(watched)
        self._news.forget(watched.key)
        self._see_off(watched.key)

    def _drop_pidfd(self, watched: _Watched) -> None:
        if watched.pidfd is not None:
            self._selector.unregister(watched.pidfd)
            os.close(watched.pidfd)
            watched.pidfd = None

    def _see_off(self, key: PointKey) -> None:
        if (watched := self._points.get(key)) and watched.leaving_ns is None:
            watched.leaving_ns = self._now_ns() + SETTLE_NS

    def _read(self, watched: _Watched) -> None:
        came = False
        for block in watched.tap.read():
            came = True
            if not watched.tap.busy and block.frames <= self._room_to_order():
                self._order.add(watched, watched.rank, block.parts, self._now_ns())
                continue
            self._write_held(self._order.all())
            totals, before = watched.tap.totals, self._file.taken
            try:
                self._file.write(block.parts)
            except (Full, CutShort):
                totals.frames += count_blocks(block.parts, self._file.taken - before)
                raise
            totals.frames += block.frames
            totals.wire_bytes += block.wire_bytes
        if not came and watched.tap.is_gone():
            self._see_off(watched.key)

    def _room_to_order(self) -> int:
        """Return how many more frames may wait for their turn; where there were too many, none for a while."""
        now_ns = self._now_ns()
        if len(self._order) > FEW_IN_ALL:
            self._unordered_until_ns = now_ns + LOOK_NS
        return 0 if self._pause_ns or now_ns < self._unordered_until_ns else FEW_AT_ONCE

    def _write_held(self, held: list[Held[_Watched]]) -> None:
        """Write frames in the order they have."""
        if not held:
            return
        whole, before = memoryview(b"".join(each.block for each in held)), self._file.taken
        try:
            self._file.write((whole,))
        finally:
            taken = self._file.taken - before
            for each in held if taken == len(whole) else held[: count_blocks((whole,), taken)]:
                each.point.tap.totals.frames += 1
                each.point.tap.totals.wire_bytes += _LENGTH.unpack_from(each.block, _LENGTH_AT)[0]

    def _let_go(self) -> None:
        """Close the points that left, once what they still had is read."""
        for each in tuple(self._points.values()):
            if each.leaving_ns is None or (each.tap.unread and self._now_ns() < each.leaving_ns + DRAIN_NS):
                continue
            if self._now_ns() >= each.leaving_ns:
                self._write_held(self._order.all())
                self._selector.unregister(each.tap)
                self._drop_pidfd(each)
                each.tap.look()
                each.ended = True
                del self._points[each.key]
                self._past.append(_count(each))
                self._file.write((self._statistics(each),))
                each.tap.close()

    def _ahead(self) -> bytes:
        for each in self._points.values():
            totals = each.tap.totals
            each.before = Totals(totals.frames, totals.wire_bytes, totals.received, totals.dropped)
            each.started_ns = self._realtime_ns()
        blocks = [pcapng.section_block(self._section), pcapng.names_block(self._names)]
        return b"".join((*blocks, *(pcapng.interface_block(each.interface) for each in self._slots)))

    def _behind(self) -> bytes:
        return b"".join(self._statistics(each) for each in self._points.values())

    def _statistics(self, watched: _Watched) -> bytes:
        totals, before = watched.tap.totals, watched.before
        received, dropped = totals.received - before.received, totals.dropped - before.dropped
        return pcapng.statistics_block(
            pcapng.Statistics(watched.number, received, dropped, watched.started_ns, self._realtime_ns())
        )


def _count(watched: _Watched) -> PointCount:
    totals = watched.tap.totals
    return PointCount(
        watched.interface.name, totals.frames, totals.wire_bytes, totals.received, totals.dropped, watched.ended
    )
