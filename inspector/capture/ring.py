"""Read frames from a TPACKET_V3 ring: memory that a packet socket shares with the kernel.

Layouts are those of linux/if_packet.h; the life of a block is told in Documentation/networking/packet_mmap.rst.

1. The ring belongs to the socket from before it is bound: no frame goes another way.
2. A block is ours while its status has TP_STATUS_USER, and the kernel's again when its last frame was handed out.
3. The kernel closes a block when it is full, or `retire_ms` after it got its first frame: one lonely frame costs a
   block for that long, so many small blocks lose less than few large ones.
4. A frame larger than a block is kept up to a block's length; its wire length is not cut.
"""

import mmap
import socket
import struct
from collections.abc import Iterator

from msgspec import Struct

from inspector.capture.stamps import ask_for_stamps
from inspector.capture.syscalls import SOL_PACKET, set_option
from inspector.model.recording import Vlan

PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 5, 6, 10
TPACKET_V3 = 2

TP_STATUS_KERNEL, TP_STATUS_USER = 0x00, 0x01
TP_STATUS_CSUMNOTREADY = 0x08
TP_STATUS_BLK_TMO = 0x20
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40

_REQUEST = struct.Struct("=7I")
"""tpacket_req3: block size, blocks, frame size, frames, retire_blk_tov (ms), sizeof_priv, feature_req_word"""
_STATISTICS = struct.Struct("=3I")
"""tpacket_stats_v3: packets (dropped ones too), drops, freezes"""
_STATUS = struct.Struct("@I")
"""One native store: the kernel reads it as a word."""
_STATUS_OFFSET = 8
_BLOCK = struct.Struct("=3I")
"""tpacket_hdr_v1 from `block_status` on: status, num_pkts, offset_to_first_pkt"""
_FRAME = struct.Struct("=6IHHIIH")
"""tpacket3_hdr: next_offset, sec, nsec, snaplen, len, status, mac, net, rxhash, vlan_tci, vlan_tpid"""
_PACKET_TYPE_OFFSET = 48 + 10
"""sll_pkttype in the sockaddr_ll behind the header, which is aligned to 16 (TPACKET3_HDRLEN)"""


class RawFrame(Struct, frozen=True):
    """One frame as the kernel handed it over."""

    data: bytes
    at_ns: int
    packet_type: int
    """sll_pkttype: 0 host, 1 broadcast, 2 multicast, 3 other host, 4 outgoing"""
    wire_length: int
    vlan: Vlan | None = None
    checksum_ready: bool = True


class Shape(Struct, frozen=True):
    """How large a ring is, and how long a frame may wait in a block that is not full."""

    block_size: int = 16384
    """A multiple of the page size, and a power of two."""
    blocks: int = 16
    retire_ms: int = 1

    @property
    def size(self) -> int:
        """Return the bytes of memory it takes."""
        return self.block_size * self.blocks


class RingBlock(Struct, frozen=True):
    """Frames that the kernel handed over together, and where they are in the ring's memory."""

    start: int
    first: int
    """Where the header of the first frame is."""
    frames: int
    full: bool = True
    """Whether it was closed because it was full, and not because time was up."""


class Count(Struct, frozen=True):
    """What passed the filter, and how much of that found no room."""

    received: int = 0
    dropped: int = 0


class Ring:
    """The frames of one packet socket, in the order the kernel wrote them."""

    def __init__(self, sock: socket.socket, shape: Shape | None = None) -> None:
        """Set the ring up on a socket that receives nothing yet."""
        self._sock = sock
        self._shape = shape or Shape()
        self._count = Count()
        self._consumed = 0
        self._block = 0
        self._left = 0
        self._position = 0
        # Without anyone who asks for stamps, each tap stamps for itself; with it, all taps of one skb share the stamp.
        ask_for_stamps(sock)
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        size, blocks = self._shape.block_size, self._shape.blocks
        request = _REQUEST.pack(size, blocks, size, blocks, self._shape.retire_ms, 0, 0)
        set_option(sock, SOL_PACKET, PACKET_RX_RING, request)
        self._memory = mmap.mmap(sock.fileno(), size * blocks)

    def read(self) -> Iterator[RawFrame]:
        """Hand out all frames that are ready, without waiting for more."""
        while (frame := self.next()) is not None:
            yield frame

    def next(self) -> RawFrame | None:
        """Hand out one frame, or None where none is ready."""
        if not self._left and not self._open_block():
            return None
        frame, distance = self._frame(self._position)
        self._position += distance
        self._left -= 1
        self._consumed += 1
        if not self._left:
            self.release_block()
        return frame

    @property
    def memory(self) -> mmap.mmap:
        """Return what is shared with the kernel."""
        return self._memory

    @property
    def block_size(self) -> int:
        """Return the length of a block in bytes."""
        return self._shape.block_size

    def take_block(self) -> RingBlock | None:
        """Hand out the next block whole; until `release_block` it is ours to read and to write. Not beside `next`."""
        start = self._block * self._shape.block_size
        status, frames, first = _BLOCK.unpack_from(self._memory, start + _STATUS_OFFSET)
        if not status & TP_STATUS_USER:
            return None
        self._consumed += frames
        return RingBlock(start, start + first, frames, not status & TP_STATUS_BLK_TMO)

    def release_block(self) -> None:
        """Give the block at hand back to the kernel."""
        _STATUS.pack_into(self._memory, self._block * self._shape.block_size + _STATUS_OFFSET, TP_STATUS_KERNEL)
        self._block = (self._block + 1) % self._shape.blocks

    def count(self) -> Count:
        """Return the totals; the kernel's own start again at zero with every look (packet(7))."""
        raw = self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        received, dropped, _ = _STATISTICS.unpack(raw)
        self._count = Count(received=self._count.received + received, dropped=self._count.dropped + dropped)
        return self._count

    def drained(self) -> bool:
        """Whether every frame that found room has been handed out."""
        return self.unread() == 0

    def unread(self) -> int:
        """Return how many frames found room and have not been handed out."""
        count = self.count()
        return max(count.received - count.dropped - self._consumed, 0)

    def close(self) -> None:
        """Give the memory back; the ring itself goes with the socket."""
        self._memory.close()

    def _open_block(self) -> bool:
        start = self._block * self._shape.block_size
        status, self._left, first = _BLOCK.unpack_from(self._memory, start + _STATUS_OFFSET)
        if not status & TP_STATUS_USER:
            self._left = 0
            return False
        self._position = start + first
        if not self._left:
            self.release_block()
            return self._open_block()
        return True

    def _frame(self, at: int) -> tuple[RawFrame, int]:
        distance, seconds, nanoseconds, kept, length, status, mac, _, _, tci, tpid = _FRAME.unpack_from(
            self._memory, at
        )
        vlan = None
        if status & TP_STATUS_VLAN_VALID:
            vlan = Vlan(tci=tci, tpid=tpid) if status & TP_STATUS_VLAN_TPID_VALID else Vlan(tci=tci)
        frame = RawFrame(
            data=self._memory[at + mac : at + mac + kept],
            at_ns=seconds * 1_000_000_000 + nanoseconds,
            packet_type=self._memory[at + _PACKET_TYPE_OFFSET],
            wire_length=length,
            vlan=vlan,
            checksum_ready=not status & TP_STATUS_CSUMNOTREADY,
        )
        return frame, distance
