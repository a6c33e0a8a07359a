"""Read a pcapng file block by block, in memory that does not grow with it: everything that other programs write.

Sections of both byte orders; enhanced, simple and obsolete packet blocks (draft-ietf-opsawg-pcapng, 4.3, 4.4 and
appendix A). Limits and warnings are those of `pcapng_reader`, which reads our own files whole.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from inspector.errors import MalformedInputError
from inspector.model.sentence import say
from inspector.wire import pcapng, pcapng_beside
from inspector.wire.captured import FramesFile, Taken, Window
from inspector.wire.pcapng_reader import MAX_BLOCK, MAX_INTERFACES, Clock

MAX_NAMES = 10_000

_OBSOLETE_PACKET, _SIMPLE_PACKET = 2, 3
_MIN_BLOCK = 12
_PACKET_HEAD, _SIMPLE_HEAD = 28, 12
_TRAILER = 4
_ORDERS = {pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "little"): "<", pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "big"): ">"}
_DIRECTION = 0b11
_NANOSECONDS = 9


class PcapngFile(FramesFile):
    """A pcapng file: what it says beside the frames is known as far as it was read."""

    form = "pcapng"

    def __init__(self, stream: BinaryIO, ahead: bytes) -> None:
        """`ahead` was read of the stream before."""
        super().__init__()
        self._window = Window(stream, ahead)
        self._order = ""
        self._first = 0
        """Where the interfaces of this section start among all."""
        self._clocks: list[Clock] = []
        self._last_ns = 0
        self._known: list[tuple[Clock, int]] = []
        """Of this section's interfaces, with the nanoseconds of a tick if that is all to know: 0 otherwise."""
        self._packet_head = struct.Struct("<IIIIIII").unpack_from
        self._flags, self._flags_at = b"", 0
        self._at = 0
        """Of the block that is read, in the window."""

    def frames(self) -> Iterator[Taken]:
        """Yield each frame. Raises MalformedInputError."""
        window = self._window
        data, at = window.advance(0, _PACKET_HEAD)
        size = len(data)
        while True:
            yield from self._packets(data, at, size)
            at = self._at
            if size - at < _PACKET_HEAD:
                data, at = window.advance(at, _PACKET_HEAD)
                size = len(data)
                if size < _MIN_BLOCK:
                    break
                self._at = at
            kind, length = self._head(data, at)
            if at + length > size:
                data, at = window.advance(at, length)
                self._at, size = 0, len(data)
                if length > size:
                    break
            taken = self._block(kind, data, at, at + length - _TRAILER)
            if taken is not None:
                yield taken
            at = self._at = at + length
        self._end(size)

    def _packets(self, data: bytes, at: int, size: int) -> Iterator[Taken]:
        """Yield the frames of a run of packet blocks, as nearly all are; leave `_at` at the first that is otherwise."""
        head, first, clocks, flags, flags_at = self._packet_head, self._first, self._known, self._flags, self._flags_at
        at_ns, last = self._last_ns, size - _PACKET_HEAD
        while at <= last:
            kind, length, number, high, low, kept, wire = head(data, at)
            end, start = at + length, at + _PACKET_HEAD
            option = start + kept + (-kept & 3)
            if kind != pcapng.ENHANCED_PACKET or number >= len(clocks) or not option + _TRAILER <= end <= size:
                break
            if data[at + 4 : at + 8] != data[end - _TRAILER : end] or length & 3 or kept > pcapng.SNAPSHOT_LENGTH:
                break
            heading = 0
            if option + _TRAILER != end:
                if not data.startswith(flags, option) or option + 12 > end:
                    break
                heading = data[option + flags_at] & _DIRECTION
            clock, tick_ns = clocks[number]
            at_ns = (high << 32 | low) * tick_ns if tick_ns else clock.nanoseconds(high, low)
            yield first + number, at_ns, data, start, kept, max(kept, wire), heading
            at = end
        self._at, self._last_ns = at, at_ns

    def _block(self, kind: int, data: bytes, at: int, end: int) -> Taken | None:
        """Read one block, which is whole; return the frame in it, if it is of a kind that has one."""
        if data[at + 4 : at + 8] != data[end : end + _TRAILER]:
            raise self._malformed("the two lengths of a block differ")
        try:
            if kind == pcapng.ENHANCED_PACKET:
                return self._enhanced(data, at, end)
            if kind == _SIMPLE_PACKET:
                return self._simple(data, at, end)
            if kind == _OBSOLETE_PACKET:
                return self._obsolete(data, at, end)
            self._beside(kind, data[at + 8 : end])
        except pcapng_beside.DamagedError as error:
            raise self._malformed(str(error)) from error
        return None

    def _head(self, data: bytes, at: int) -> tuple[int, int]:
        if data.startswith(b"\n\r\r\n", at):
            order = _ORDERS.get(data[at + 8 : at + 12])
            if order is None:
                raise self._malformed("no byte-order magic in the section header")
            self._take_order(order)
        elif not self._order:
            raise self._malformed("a pcapng file starts with a section header")
        kind, length = self._pair(data, at)
        if not _MIN_BLOCK <= length <= MAX_BLOCK or length % 4:
            raise self._malformed(f"a block of {length} bytes")
        return kind, length

    def _take_order(self, order: str) -> None:
        self._order = order
        self._pair = struct.Struct(order + "II").unpack_from
        self._packet_head = struct.Struct(order + "IIIIIII").unpack_from
        self._flags = struct.pack(order + "HH", pcapng.EPB_FLAGS, 4)
        self._flags_at = 4 if order == "<" else 7

    def _end(self, size: int) -> None:
        self._at = 0
        if not self._order:
            raise self._malformed("the file ends within its section header" if size else "the file is empty")
        if size:
            byte = self._window.place(size)
            self.warnings.append(say("the last block is cut off at byte {byte}; it is left out", byte=byte))

    def _enhanced(self, data: bytes, at: int, end: int) -> Taken:
        start = at + _PACKET_HEAD
        if start > end:
            raise self._malformed("a packet block is too short")
        _, _, number, high, low, kept, wire = self._packet_head(data, at)
        option = start + kept + (-kept & 3)
        self._check(option, end, kept)
        index = self._interface(number)
        self._last_ns = at_ns = self._clocks[index].nanoseconds(high, low)
        return index, at_ns, data, start, kept, max(wire, kept), self._told_heading(data, option, end)

    def _told_heading(self, data: bytes, option: int, end: int) -> int:
        """Find the direction among the options of a packet; it almost always is the first."""
        if data.startswith(self._flags, option) and option + 8 <= end:
            return data[option + self._flags_at] & _DIRECTION
        for code, value in pcapng_beside.options(self._order, data[option:end]):
            if code == pcapng.EPB_FLAGS and len(value) == 4:  # noqa: PLR2004 - 32 bits
                flags: int = struct.unpack(self._order + "I", value)[0]
                return flags & _DIRECTION
        return 0

    def _simple(self, data: bytes, at: int, end: int) -> Taken:
        """Read a block that has neither a time stamp nor a number of its interface: it is the section's first."""
        start = at + _SIMPLE_HEAD
        if start > end:
            raise self._malformed("a packet block is too short")
        wire: int = struct.unpack_from(self._order + "I", data, at + 8)[0]
        index = self._interface(0)
        kept = min(wire, self.interfaces[index].snap_length or wire)
        self.timeless += 1
        self._check(start + kept, end, kept)
        return index, self._last_ns, data, start, kept, max(wire, kept), 0

    def _obsolete(self, data: bytes, at: int, end: int) -> Taken:
        start = at + _PACKET_HEAD
        if start > end:
            raise self._malformed("a packet block is too short")
        number, high, low, kept, wire = struct.unpack_from(self._order + "HxxIIII", data, at + 8)
        index = self._interface(number)
        self._last_ns = self._clocks[index].nanoseconds(high, low)
        self._check(start + kept, end, kept)
        return index, self._last_ns, data, start, kept, max(wire, kept), 0

    def _check(self, stop: int, end: int, kept: int) -> None:
        if stop > end or kept > pcapng.SNAPSHOT_LENGTH:
            raise self._malformed(f"a frame of {kept} bytes does not fit into its block")

    def _beside(self, kind: int, body: bytes) -> None:
        order = self._order
        if kind == pcapng.SECTION_HEADER:
            application, system = pcapng_beside.read_section(order, body)
            self._first, self._known = len(self.interfaces), []
            self.application, self.system = self.application or application, self.system or system
        elif kind == pcapng.INTERFACE_DESCRIPTION:
            if len(self.interfaces) >= MAX_INTERFACES:
                raise self._malformed(f"more than {MAX_INTERFACES} interfaces")
            described, clock = pcapng_beside.read_interface(order, body)
            self.interfaces.append(described)
            self._clocks.append(clock)
            self._known.append((clock, _plain_tick(clock)))
        elif kind == pcapng.INTERFACE_STATISTICS:
            number, counters = pcapng_beside.read_counters(order, body)
            self.counters[self._interface(number)] = counters
        elif kind == pcapng.NAME_RESOLUTION:
            for address, names in pcapng_beside.read_names(order, body):
                if len(self.names) < MAX_NAMES:
                    self.names[address] = names

    def _interface(self, number: int) -> int:
        index = self._first + number
        if index >= len(self.interfaces):
            raise self._malformed(f"interface {number} was never described")
        return index

    def _malformed(self, why: str) -> MalformedInputError:
        return MalformedInputError(f"malformed pcapng at byte {self._window.place(self._at)}: {why}")


def _plain_tick(clock: Clock) -> int:
    """Return how many nanoseconds a tick has, where time stamps are whole decimals from the epoch on; else 0."""
    if clock.offset_s or clock.resolution > _NANOSECONDS:
        return 0
    tick_ns: int = 10 ** (_NANOSECONDS - clock.resolution)
    return tick_ns
