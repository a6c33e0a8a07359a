"""Turn a block of a packet ring into pcapng packet blocks where it lies: no frame is copied, and one write takes all.

In front of each frame are 82 bytes that the kernel left (its header of the frame, a socket address, room), and from
frame to frame it is a multiple of eight. So the 28 bytes of an Enhanced Packet Block (draft-ietf-opsawg-pcapng, 4.3)
fit in front of each frame, and behind it the options; what is left over between them is the value of an option for
local use, FILLER, which means nothing.

1. Frames that lie at equal distances and have length, status and second in common are written a field at a time for all
   of them: a strided copy in C costs some 8 ns a field and frame, where packing a header in Python costs 1000.
2. A VLAN tag that the kernel took out is put back: the addresses move four bytes to the front.
3. What has been rewritten is no ring block any more: write it, then release it.
"""

import mmap
import struct
from array import array

from msgspec import Struct

from inspector.capture.ring import TP_STATUS_CSUMNOTREADY, TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID, RingBlock
from inspector.wire import pcapng

FILLER = 0x8000
"""An option code for local use (draft-ietf-opsawg-pcapng, 3.5: the most significant bit is set)."""
TP_STATUS_CSUM_VALID, TP_STATUS_GSO_TCP = 0x80, 0x100
"""linux/if_packet.h; the second since Linux 6.0"""
ETH_P_8021Q = 0x8100
PACKET_OUTGOING = 4

_FRAME = struct.Struct("=6IHHIIH")
"""tpacket3_hdr: next_offset, sec, nsec, snaplen, len, status, mac, net, rxhash, vlan_tci, vlan_tpid"""
_SENT_TO = 56
"""Where sll_hatype, sll_pkttype and sll_halen are, behind the start of the header."""
_HEAD = struct.Struct("<7I")
_PAIR = struct.Struct("<II")
_OPTION = struct.Struct("<HH")
_FLAGS = struct.Struct("<HHIII")
"""The flags option, the end of options, and the length again."""
_DROPS = struct.Struct("<HHQ")
_TAG = struct.Struct("!HH")
_MACS, _TAG_LENGTH = 12, 4
_SECOND = 1_000_000_000
_TOLD = TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID | TP_STATUS_GSO_TCP
FEW = 24
"""Fewer frames than this are quicker one by one."""
_MOST_TAILS = 4096


class Rewritten(Struct, frozen=True):
    """What is to be written, in this order, and what is in it."""

    parts: tuple[memoryview, ...]
    """Whole pcapng blocks. They look into the ring: release them before it is closed."""
    frames: int
    wire_bytes: int


class PacketBlocks:
    """The rewriting of one ring's blocks."""

    def __init__(self, memory: mmap.mmap, block_size: int) -> None:
        """Look into the memory at every alignment: a memoryview's items cannot start between two of them."""
        self._block_size = block_size
        self._whole = memoryview(memory)
        self._size = len(self._whole)
        self._words = tuple(self._aligned(offset, 4).cast("I") for offset in range(4))
        self._longs = tuple(self._aligned(offset, 8).cast("Q") for offset in range(8))
        self._tails: dict[tuple[int, int, int], bytes] = {}
        self._flags: dict[int, int] = {}

    def close(self) -> None:
        """Let go of the memory."""
        for view in (*self._words, *self._longs, self._whole):
            view.release()

    def rewrite(self, block: RingBlock, interface: int, dropped: int = 0) -> Rewritten:
        """Rewrite the frames of a block; `dropped` is how many frames were lost before the first of them."""
        walk = _Walk(self, block, interface, dropped)
        walk.all()
        return walk.rewritten()

    def _aligned(self, offset: int, size: int) -> memoryview:
        return self._whole[offset : offset + (self._size - offset) // size * size]

    def flags_of(self, status: int, packet_type: int) -> int:
        """Say direction, reception type and what was left to the hardware, as `epb_flags` does (4.3.1)."""
        key = (status & _TOLD) << 8 | packet_type
        flags = self._flags.get(key)
        if flags is None:
            flags = pcapng.packet_flags(
                outgoing=packet_type == PACKET_OUTGOING,
                packet_type=packet_type,
                checksum_ready=not status & TP_STATUS_CSUMNOTREADY,
            )
            flags |= pcapng.FLAG_CHECKSUM_VALID if status & TP_STATUS_CSUM_VALID else 0
            flags |= pcapng.FLAG_SEGMENTED_LATER if status & TP_STATUS_GSO_TCP else 0
            self._flags[key] = flags
        return flags

    def tail(self, kept: int, length: int, flags: int) -> bytes:
        """Lay out what follows a frame: padding, filler, flags, the end."""
        key = kept, length, flags
        found = self._tails.get(key)
        if found is None:
            if len(self._tails) >= _MOST_TAILS:
                self._tails.clear()
            found = self._tails[key] = tail(kept, length, flags)
        return found

    def column(self, at: int, stride: int, count: int, size: int) -> tuple[memoryview, slice]:
        """Return a view and the slice of it that is one field of `count` frames."""
        index, offset = divmod(at, size)
        view = (self._words if size == 4 else self._longs)[offset]  # noqa: PLR2004 - bytes of a word
        step = stride // size
        return view, slice(index, index + count * step, step)


def tail(kept: int, length: int, flags: int, dropped: int = 0) -> bytes:
    """Lay out what follows the `kept` bytes of a frame in a block of this length."""
    padding = -kept % 4
    counted = _DROPS.pack(pcapng.EPB_DROPCOUNT, 8, dropped) if dropped else b""
    room = length - _HEAD.size - kept - padding - len(counted) - _FLAGS.size
    filler = _OPTION.pack(FILLER, room - 4) + bytes(room - 4) if room else b""
    return bytes(padding) + counted + filler + _FLAGS.pack(pcapng.EPB_FLAGS, 4, flags, 0, length)


class _Walk:
    """One pass over a block. A frame's block ends where the next one's starts, so each is finished with the next."""

    def __init__(self, blocks: PacketBlocks, block: RingBlock, interface: int, dropped: int) -> None:
        self._blocks = blocks
        self._block = block
        self._interface = interface
        self._dropped = dropped
        self._memory = blocks._whole  # noqa: SLF001 - its own other half
        self._start = -1
        self._wire = 0
        self._end = 0
        self._apart = b""
        self._open: tuple[int, int, int, int, int, int] | None = None
        """Of the frame at hand: start of its block, kept bytes, wire length, time, flags, start of its bytes."""

    def rewritten(self) -> Rewritten:
        parts = [self._memory[self._start : self._end]] if self._end > self._start >= 0 else []
        parts += [memoryview(self._apart)] if self._apart else []
        return Rewritten(tuple(parts), self._block.frames, self._wire)

    def all(self) -> None:
        at, left, before = self._block.first, self._block.frames, 0
        while left:
            distance = self._one(at)
            left -= 1
            at += distance
            if distance == before and left > FEW and (alike := self._alike(at, distance, left)) > FEW:
                # The last of them ends where something else starts, so it is left to the next round.
                before = self._many(at, distance, alike - 1)
                left -= alike
                at += distance * (alike - 1) + before
            else:
                before = distance
        self._last()

    def _one(self, at: int) -> int:
        """Take up the frame at hand, finish the one before, and return how far it is to the next."""
        distance, taken = self._read(at)
        if self._open is not None:
            self._finish(taken[0])
        elif self._start < 0:
            self._start = taken[0]
        self._open = taken
        return distance

    def _read(self, at: int) -> tuple[int, tuple[int, int, int, int, int, int]]:
        memory = self._memory
        distance, seconds, nanoseconds, kept, length, status, mac, _, _, tci, tpid = _FRAME.unpack_from(memory, at)
        data = at + mac
        flags = self._blocks.flags_of(status, memory[at + _SENT_TO + 2])
        if status & TP_STATUS_VLAN_VALID and kept >= _MACS:
            data -= _TAG_LENGTH
            memory[data : data + _MACS] = bytes(memory[at + mac : at + mac + _MACS])
            kind = tpid if status & TP_STATUS_VLAN_TPID_VALID else ETH_P_8021Q
            _TAG.pack_into(memory, data + _MACS, kind, tci & 0xFFFF)
            kept, length = kept + _TAG_LENGTH, length + _TAG_LENGTH
        self._wire += length
        return distance, (data - _HEAD.size, kept, length, seconds * _SECOND + nanoseconds, flags, data)

    def _finish(self, end: int) -> None:
        start, kept, length, at_ns, flags, data = self._open or (0, 0, 0, 0, 0, 0)
        total = end - start
        _HEAD.pack_into(
            self._memory, start,
            pcapng.ENHANCED_PACKET, total, self._interface, at_ns >> 32, at_ns & 0xFFFFFFFF, kept, length,
        )  # fmt: skip
        if self._dropped:
            self._memory[data + kept : end] = tail(kept, total, flags, self._dropped)
            self._dropped = 0
        else:
            self._memory[data + kept : end] = self._blocks.tail(kept, total, flags)
        self._end = end

    def _last(self) -> None:
        """Finish the last frame, apart where the ring's block has no room behind it."""
        if self._open is None:
            return
        start, kept, length, at_ns, flags, data = self._open
        counted = _DROPS.size if self._dropped else 0
        end = data + kept + -kept % 4 + counted + _FLAGS.size
        if end <= self._block.start + self._blocks._block_size:  # noqa: SLF001 - as above
            self._finish(end)
            return
        total, self._end = end - start, start
        head = _HEAD.pack(pcapng.ENHANCED_PACKET, total, self._interface, at_ns >> 32, at_ns & 0xFFFFFFFF, kept, length)
        frame = bytes(self._memory[data : data + kept])
        self._apart = head + frame + tail(kept, total, flags, self._dropped)

    def _alike(self, at: int, distance: int, left: int) -> int:
        """Return how many frames from here on differ in nothing but their nanosecond and their bytes."""
        within = (self._block.start + self._blocks._block_size - at) // distance  # noqa: SLF001 - as above
        count = min(left, within)
        last = at + min(count, FEW) * distance
        if count <= FEW or self._blocks._words[0][last >> 2] != distance:  # noqa: SLF001 - as above
            return 0
        if _FRAME.unpack_from(self._memory, at)[5] & TP_STATUS_VLAN_VALID:
            return 0
        # Distance and second; wire length and status; whom it is sent to. The kept bytes follow from the length.
        for offset, size in ((0, 8), (16, 8), (_SENT_TO, 4)):
            view, field = self._blocks.column(at + offset, distance, count, size)
            found = view[field].tobytes()
            count = _same(found, size, count)
            if count <= FEW:
                return 0
        return count

    def _many(self, at: int, distance: int, count: int) -> int:
        """Write the blocks of frames that are alike, each as long as the distance between two of them.

        All is read before anything is written: the end of a block lies over the kernel's header of the next frame.
        """
        _, seconds, _, kept, length, status, mac, *_ = _FRAME.unpack_from(self._memory, at)
        flags = self._blocks.flags_of(status, self._memory[at + _SENT_TO + 2])
        start = at + mac - _HEAD.size
        times = self._times(at, distance, count, seconds, kept)
        onward, taken = self._read(at + count * distance)
        self._finish(start)
        self._open = taken
        behind = tail(kept, distance, flags)
        words = (
            (start, _PAIR.pack(pcapng.ENHANCED_PACKET, distance)),
            (start + 20, _PAIR.pack(kept, length)),
            (start + _HEAD.size + kept, behind[:8]),
            (start + distance - 16, behind[-16:-8]),
            (start + distance - 8, behind[-8:]),
        )
        for place, value in words:
            view, field = self._blocks.column(place, distance, count, 8)
            view[field] = array("Q", value) * count
        for place, values in (
            (start + 8, memoryview(array("I", [self._interface]) * count)),
            (start + 12, times[1::2]),
            (start + 16, times[0::2]),
        ):
            view, field = self._blocks.column(place, distance, count, 4)
            view[field] = values
        self._wire += length * count
        self._end = start + distance * count
        return onward

    def _times(self, at: int, distance: int, count: int, seconds: int, kept: int) -> memoryview:
        """Return the time of each frame in nanoseconds, as low and high halves in turn.

        Nanoseconds and kept bytes are one field of 64 bits. One addition of two long integers adds the rest to all of
        them; it cannot carry from one to the next, since a sum is a time.
        """
        view, field = self._blocks.column(at + 8, distance, count, 8)
        read = int.from_bytes(view[field].tobytes(), "little")
        each = seconds * _SECOND - (kept << 32)
        total = read + int.from_bytes(each.to_bytes(8, "little") * count, "little")
        return memoryview(total.to_bytes(8 * count, "little")).cast("I")


def _same(found: bytes, size: int, count: int) -> int:
    """Return how many items at the start are equal to the first."""
    wanted = found[:size] * count
    if found == wanted:
        return count
    low, high = 1, count
    while low < high:
        middle = (low + high + 1) // 2
        if found[: middle * size] == wanted[: middle * size]:
            low = middle
        else:
            high = middle - 1
    return low
