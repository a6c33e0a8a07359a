"""Rewrite the frames of a ring block a field at a time, for all of them at once: by numpy's loops in C.

Layouts are those of `packet_blocks` and `ring`.

1. Frames that are alike, as those of a flood or a download are, lie at equal distances: what is the same of them is
   copied to all, what is not is their time. Some 0.1 microseconds for each frame, the machine not being busy.
2. Others are reached by a list of places, which takes a look at each frame to make: some 0.5 microseconds.
"""

import mmap
import struct
from typing import Any

import numpy as np
from msgspec import Struct

from inspector.capture.ring import TP_STATUS_CSUMNOTREADY, TP_STATUS_VLAN_VALID, RingBlock
from inspector.wire import pcapng

TP_STATUS_CSUM_VALID, TP_STATUS_GSO_TCP = 0x80, 0x100
"""linux/if_packet.h; the second since Linux 6.0"""
PACKET_OUTGOING = 4
"""linux/if_packet.h"""
FILLER = 0x8000
"""An option code for local use (draft-ietf-opsawg-pcapng, 3.5: the most significant bit is set)."""
HEAD, BEHIND = 28, 16
"""Bytes of a packet block in front of its frame; and of flags, end of options and length at its end."""

_DISTANCE, _SECONDS, _NANOSECONDS, _KEPT, _LENGTH, _STATUS, _MAC, _SENT_TO = 0, 4, 8, 12, 16, 20, 24, 56
"""Offsets in tpacket3_hdr and in the sockaddr_ll behind it; the last is of a word whose third byte is sll_pkttype."""
_TOLD = _SENT_TO + 4
"""Bytes of it that are looked at"""
_SECOND, _HALF = np.uint64(1_000_000_000), np.uint64(32)
_OURS = 2
"""How many bytes off the kernel's alignment our words lie."""

_OPTION = struct.Struct("<HH")
_BEHIND = struct.Struct("<HHIII")
"""The flags option, the end of options, and the length again."""
DROPS = struct.Struct("<HHQ")
_BEGIN, _PAIR = struct.Struct("<III"), struct.Struct("<II")

Array = np.ndarray[Any, Any]


class Frames(Struct, eq=False):
    """What the kernel said of the frames of a block but the last one, all of it copied."""

    places: Array
    """Where their packet blocks start, among our words."""
    last_at: int
    """Where the header of the last frame is."""
    start: int
    """Where the first packet block starts."""
    distance: Array
    kept: Array
    length: Array
    at_ns: Array
    flags: Array


class Alike(Struct, eq=False):
    """The frames of a block but the last one, where they differ in nothing but their time and their bytes."""

    first: int
    """Where the header of the first frame is."""
    last_at: int
    start: int
    """Where the first packet block starts."""
    distance: int
    kept: int
    length: int
    flags: int
    at_ns: Array


class Columns:
    """The fields of one ring's frames."""

    def __init__(self, memory: mmap.mmap, block_size: int) -> None:
        """Look into the memory twice: our words lie two bytes off the kernel's."""
        whole = np.frombuffer(memory, np.uint8)
        self._block_size = block_size
        self._bytes = whole
        self._theirs = whole.view("<u4")
        self._ours = whole[_OURS : _OURS - 4].view("<u4")
        self._walked_bytes = memoryview(memory)
        self._walked = self._walked_bytes.cast("I")
        self._kinds = np.array([flags_of(0, kind) for kind in range(256)], np.uint32)
        self._masks = np.array([0xFFFFFFFF, 0xFFFFFF, 0xFFFF, 0xFF], np.uint32)
        """What is the frame's own of its last word, by how much of it is padding."""

    def close(self) -> None:
        """Let go of the memory."""
        self._walked.release()
        self._walked_bytes.release()
        del self._bytes, self._theirs, self._ours

    def read_alike(self, block: RingBlock) -> Alike | None:
        """Take over what the kernel said of frames that are alike; None where one is not."""
        theirs, first, count = self._theirs, block.first // 4, block.frames - 1
        distance, _, _, kept, length, status, mac = self._walked[first : first + 7]
        step = distance // 4
        last = first + count * step
        if not step or last * 4 >= block.start + self._block_size or status & TP_STATUS_VLAN_VALID:
            return None
        told: Array = np.ndarray((count + 1, 3), "<u4", self._bytes, block.first + _KEPT, (distance, 4))
        sent_to = theirs[first + _SENT_TO // 4 : last + _SENT_TO // 4 + 1 : step]
        if (theirs[first:last:step] != distance).any() or (told != told[0]).any() or (sent_to != sent_to[0]).any():
            return None
        at_ns = theirs[first + 1 : last : step] * _SECOND + theirs[first + 2 : last : step]
        start = block.first + (mac & 0xFFFF) - HEAD
        flags = flags_of(status, int(sent_to[0]) >> 16 & 0xFF)
        return Alike(block.first, last * 4, start, distance, kept, length, flags, at_ns)

    def write_alike(self, frames: Alike, interface: int) -> None:
        """Write the blocks of these frames; the header of the last one is written over."""
        kept, distance = frames.kept, frames.distance
        head = _BEGIN.pack(pcapng.ENHANCED_PACKET, distance, interface)
        self._walked_bytes[frames.start : frames.start + len(head)] = head
        self._fill(frames, HEAD + kept, tail(kept, distance, frames.flags) + head)
        self._fill(frames, 20, _PAIR.pack(kept, frames.length))
        halves = frames.at_ns.view("<u4")
        for offset, values in ((12, halves[1::2]), (16, halves[0::2])):
            field: Array = np.ndarray(values.shape, "<u4", self._bytes, frames.start + offset, (distance,))
            field[:] = values

    def _fill(self, frames: Alike, offset: int, value: bytes) -> None:
        """Write the same at the same place of each frame."""
        kind = f"V{len(value)}"
        field: Array = np.ndarray(frames.at_ns.shape, kind, self._bytes, frames.start + offset, (frames.distance,))
        field[:] = np.frombuffer(value, kind)

    def read(self, block: RingBlock) -> Frames | None:
        """Take over what the kernel said; None where there is a VLAN tag."""
        every, last_at = self._places(block)
        to_head = (self._walked[(block.first + _MAC) // 4] & 0xFFFF) - HEAD
        told = _words(self._bytes, _TOLD, 0)[every].view("<u4").reshape(-1, _TOLD // 4)
        status = told[:, _STATUS // 4]
        if (status & TP_STATUS_VLAN_VALID).any() or to_head % 4 != _OURS:
            return None
        told, status = told[:-1], status[:-1] & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID | TP_STATUS_GSO_TCP)
        # Bits 3, 7 and 8 of the status are bits 9, 10 and 11 of the flags.
        flags = (status & TP_STATUS_CSUMNOTREADY) << 6 | (status & ~np.uint32(TP_STATUS_CSUMNOTREADY)) << 3
        flags |= self._kinds[told[:, _SENT_TO // 4] >> 16 & 0xFF]
        at_ns = told[:, _SECONDS // 4] * _SECOND + told[:, _NANOSECONDS // 4]
        distance, kept, length = (told[:, each // 4] for each in (_DISTANCE, _KEPT, _LENGTH))
        places = every[:-1] + (to_head - _OURS) // 4
        return Frames(places, last_at, block.first + to_head, distance, kept, length, at_ns, flags)

    def write(self, frames: Frames, interface: int) -> None:
        """Write the blocks of these frames; the header of the last one is written over."""
        self._write_between(frames)
        heads = np.empty((len(frames.places), HEAD // 4), "<u4")
        for column, values in enumerate(
            (
                pcapng.ENHANCED_PACKET,
                frames.distance,
                interface,
                frames.at_ns >> _HALF,
                frames.at_ns & 0xFFFFFFFF,
                frames.kept,
                frames.length,
            )
        ):
            heads[:, column] = values
        self._put(frames.places, heads)

    def _write_between(self, frames: Frames) -> None:
        """Write what is behind each frame: padding, filler, flags, the end of options and the length."""
        padded = frames.kept + 3 & ~np.uint32(3)
        room = (frames.distance - np.uint32(HEAD) - padded) // 4
        behind, end = frames.places + (HEAD + padded) // 4, frames.places + frames.distance // 4
        self._ours[behind - 1] &= self._masks[padded - frames.kept]
        # The kernel aligns each frame to eight bytes, so the rooms differ by a word.
        least, most = int(room.min()), int(room.max())
        for offset in range(1, most - least):
            self._ours[behind + offset] = 0
        tails = np.zeros((len(room), least), "<u4")
        tails[:, -4] = pcapng.EPB_FLAGS | 4 << 16
        tails[:, -3] = frames.flags
        tails[:, -1] = frames.distance
        self._put(end - least, tails)
        self._ours[behind] = FILLER | (room * 4 - np.uint32(BEHIND + 4)) << 16

    def _put(self, places: Array, rows: Array) -> None:
        """Write a row of words at each of these places: one copy for each row."""
        length = rows.shape[1] * 4
        _words(self._bytes, length, _OURS)[places] = rows.view(f"V{length}")[:, 0]

    def _places(self, block: RingBlock) -> tuple[Array, int]:
        """Return where the header of each frame is, and that of the last one in bytes."""
        words, first = self._walked, block.first // 4
        places, at = [], first
        for _ in range(block.frames):
            places.append(at)
            at += words[at] // 4
        return np.array(places), places[-1] * 4


def _words(memory: Array, length: int, start: int) -> Array:
    """Look at so many bytes from every word on: what is taken or put there is copied at once."""
    return np.ndarray(((memory.size - start - length) // 4 + 1,), f"V{length}", memory, start, (4,))


def tail(kept: int, total: int, flags: int, dropped: int = 0) -> bytes:
    """Lay out what follows the `kept` bytes of a frame in a packet block of this length."""
    padding = -kept % 4
    counted = DROPS.pack(pcapng.EPB_DROPCOUNT, 8, dropped) if dropped else b""
    room = total - HEAD - kept - padding - len(counted) - BEHIND
    filler = _OPTION.pack(FILLER, room - 4) + bytes(room - 4) if room else b""
    return bytes(padding) + counted + filler + _BEHIND.pack(pcapng.EPB_FLAGS, 4, flags, 0, total)


def flags_of(status: int, packet_type: int) -> int:
    """Say direction, reception type and what was left to the hardware, as `epb_flags` does (4.3.1)."""
    flags = pcapng.packet_flags(
        outgoing=packet_type == PACKET_OUTGOING,
        packet_type=packet_type,
        checksum_ready=not status & TP_STATUS_CSUMNOTREADY,
    )
    flags |= pcapng.FLAG_CHECKSUM_VALID if status & TP_STATUS_CSUM_VALID else 0
    return flags | (pcapng.FLAG_SEGMENTED_LATER if status & TP_STATUS_GSO_TCP else 0)
