"""Turn a block of a packet ring into pcapng packet blocks where it lies: no frame is copied, and one write takes all.

In front of each frame are 82 bytes that the kernel left (its header of the frame, a socket address, room), and from
frame to frame it is a multiple of eight. So the 28 bytes of an Enhanced Packet Block (draft-ietf-opsawg-pcapng, 4.3)
fit in front of each frame, and behind it the options; what is left over between them is the value of an option for
local use, FILLER, which is zero and means nothing.

1. Many frames are rewritten a field at a time for all of them (`packet_columns`); few, and blocks with a VLAN tag in
   them, one by one.
2. A VLAN tag that the kernel took out is put back: the addresses move four bytes to the front.
3. What has been rewritten is no ring block any more: write it, then release it.
"""

import mmap
import struct

from msgspec import Struct

from inspector.capture.packet_columns import BEHIND, DROPS, HEAD, Columns, flags_of, tail
from inspector.capture.ring import TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID, RingBlock
from inspector.wire import pcapng

ETH_P_8021Q = 0x8100
"""linux/if_ether.h"""
_FRAME = struct.Struct("=6IHHIIH")
"""tpacket3_hdr: next_offset, sec, nsec, snaplen, len, status, mac, net, rxhash, vlan_tci, vlan_tpid"""
_PACKET_TYPE = 58
"""Where sll_pkttype is, behind the start of the header."""
_HEAD = struct.Struct("<7I")
_TAG = struct.Struct("!HH")
_MACS, _TAG_LENGTH = 12, 4
_SECOND = 1_000_000_000
FEW = 48
"""Fewer frames than this are quicker one by one."""


class Rewritten(Struct, frozen=True):
    """What is to be written, in this order, and what is in it."""

    parts: tuple[memoryview, ...]
    """Whole pcapng blocks. They look into the ring: release them before it is closed."""
    frames: int
    wire_bytes: int


class _Taken(Struct, frozen=True):
    """What is known of a frame."""

    start: int
    """Where its packet block starts."""
    data: int
    kept: int
    length: int
    at_ns: int
    flags: int


class PacketBlocks:
    """The rewriting of one ring's blocks."""

    def __init__(self, memory: mmap.mmap, block_size: int) -> None:
        """Look into the memory; `close` lets go of it."""
        self._block_size = block_size
        self._memory = memoryview(memory)
        self._columns = Columns(memory, block_size)

    def close(self) -> None:
        """Let go of the memory."""
        self._columns.close()
        self._memory.release()

    def rewrite(self, block: RingBlock, interface: int, dropped: int = 0) -> Rewritten:
        """Rewrite the frames of a block; `dropped` is how many frames were lost before the first of them."""
        if block.frames <= FEW or dropped:
            return self._one_by_one(block, interface, dropped)
        alike = self._columns.read_alike(block)
        if alike is not None:
            _, last = self._read(alike.last_at)
            self._columns.write_alike(alike, interface)
            parts = self._last(block, last, interface, alike.start, 0)
            return Rewritten(parts, block.frames, alike.length * (block.frames - 1) + last.length)
        frames = self._columns.read(block)
        if frames is None:
            return self._one_by_one(block, interface, dropped)
        _, last = self._read(frames.last_at)
        self._columns.write(frames, interface)
        parts = self._last(block, last, interface, frames.start, 0)
        return Rewritten(parts, block.frames, int(frames.length.sum()) + last.length)

    def _one_by_one(self, block: RingBlock, interface: int, dropped: int) -> Rewritten:
        distance, taken = self._read(block.first)
        at, start, wire_bytes = block.first, taken.start, taken.length
        for _ in range(block.frames - 1):
            at += distance
            # A packet block ends over the kernel's header of the next frame: that is read first.
            distance, following = self._read(at)
            self._write(taken, following.start, interface, dropped)
            dropped, taken = 0, following
            wire_bytes += taken.length
        return Rewritten(self._last(block, taken, interface, start, dropped), block.frames, wire_bytes)

    def _read(self, at: int) -> tuple[int, _Taken]:
        """Return how far it is to the next frame, and what this one is. A tag that was taken out is in it again."""
        memory = self._memory
        distance, seconds, nanoseconds, kept, length, status, mac, _, _, tci, tpid = _FRAME.unpack_from(memory, at)
        data = at + mac
        if status & TP_STATUS_VLAN_VALID and kept >= _MACS:
            memory[data - _TAG_LENGTH : data - _TAG_LENGTH + _MACS] = bytes(memory[data : data + _MACS])
            data -= _TAG_LENGTH
            kind = tpid if status & TP_STATUS_VLAN_TPID_VALID else ETH_P_8021Q
            _TAG.pack_into(memory, data + _MACS, kind, tci & 0xFFFF)
            kept, length = kept + _TAG_LENGTH, length + _TAG_LENGTH
        flags = flags_of(status, memory[at + _PACKET_TYPE])
        return distance, _Taken(data - HEAD, data, kept, length, seconds * _SECOND + nanoseconds, flags)

    def _write(self, taken: _Taken, end: int, interface: int, dropped: int) -> None:
        total = end - taken.start
        _HEAD.pack_into(self._memory, taken.start, *_head(taken, total, interface))
        self._memory[taken.data + taken.kept : end] = tail(taken.kept, total, taken.flags, dropped)

    def _last(
        self, block: RingBlock, taken: _Taken, interface: int, start: int, dropped: int
    ) -> tuple[memoryview, ...]:
        """Write the last frame, apart where the ring's block has no room behind it; return all from `start` on."""
        counted = DROPS.size if dropped else 0
        end = taken.data + taken.kept + -taken.kept % 4 + counted + BEHIND
        if end <= block.start + self._block_size:
            self._write(taken, end, interface, dropped)
            return (self._memory[start:end],)
        total = end - taken.start
        frame = bytes(self._memory[taken.data : taken.data + taken.kept])
        apart = _HEAD.pack(*_head(taken, total, interface)) + frame + tail(taken.kept, total, taken.flags, dropped)
        ahead = (self._memory[start : taken.start],) if taken.start > start else ()
        return (*ahead, memoryview(apart))


def _head(taken: _Taken, total: int, interface: int) -> tuple[int, ...]:
    high, low = taken.at_ns >> 32, taken.at_ns & 0xFFFFFFFF
    return pcapng.ENHANCED_PACKET, total, interface, high, low, taken.kept, taken.length
