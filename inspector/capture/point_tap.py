"""Listen at one capture point of a long capture: a packet socket with a large ring, whose blocks go to a file whole.

1. The filter is attached before the socket is bound, promiscuity is a membership of the socket: as in `tap`, which is
   for scapy and hands out frames.
2. An interface that is down may come up again; one that is gone is the end.
"""

import socket
import struct
from collections.abc import Iterator

from msgspec import Struct

from inspector.capture.packet_blocks import PacketBlocks, Rewritten
from inspector.capture.ring import Count, Ring, Shape
from inspector.capture.syscalls import SOL_PACKET, attach_filter, bind_packet_socket, bound_link, set_option
from inspector.wire.packet_filter import keep_all

BLOCK_SIZE = 1 << 18
"""Rewriting goes over a block a dozen times: larger ones do not stay in a processor's own cache (measured)."""
RETIRE_MS = 50
MOST_MEMORY, MOST_AT_FIRST, MOST_PER_POINT = 256 << 20, 192 << 20, 16 << 20
"""Bytes of all rings, of those that are there from the start, and of one."""
LEAST_BLOCK = 1 << 17
"""A frame longer than a block is cut: this holds a segment of 64 kB, with the kernel's words about it."""
MOST_AT_ONCE = 16
"""Blocks that are handed out before another point has its turn."""
ETH_P_ALL = 0x0003
"""linux/if_ether.h"""
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772
"""linux/if_arp.h"""
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
_MEMBERSHIP = struct.Struct("=iHH8s")
"""struct packet_mreq (linux/if_packet.h)"""


class NoEthernetError(ValueError):
    """The interface's frames have no Ethernet header."""


class Totals(Struct):
    """What came in at a point."""

    frames: int = 0
    """Written to the file."""
    wire_bytes: int = 0
    received: int = 0
    """Frames that passed the filter, by the kernel's count; the dropped ones among them."""
    dropped: int = 0


def share_out(new: int, taken: int = 0) -> tuple[int, Shape]:
    """Return how many of so many new rings there is room for where others have taken so many bytes, and their shape.

    Those that come later share half of what is left, so that there is something for the next.
    """
    room = MOST_AT_FIRST if not taken else (MOST_MEMORY - taken) // 2
    count = min(new, room // (2 * LEAST_BLOCK))
    size = min(MOST_PER_POINT, room // max(count, 1))
    block_size = BLOCK_SIZE if size >= 2 * BLOCK_SIZE else LEAST_BLOCK
    return count, Shape(block_size=block_size, blocks=size // block_size, retire_ms=RETIRE_MS)


class PointTap:
    """One interface, listened to. Made inside its namespace."""

    def __init__(self, ifindex: int, program: bytes, *, promiscuous: bool, shape: Shape) -> None:
        """Open, filter, set up the ring, and bind. Raises OSError, or NoEthernetError."""
        self.totals = Totals()
        self.interface = 0
        """Its number in the file at hand."""
        self.busy = False
        """Whether its last block was full: more of them can be waited for, and be dealt with together."""
        self.filled = 0.0
        """How much of the ring the last look found full, at least."""
        self._blocks_of_ring = shape.blocks
        self._taken = 0
        self._told = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._ring: Ring | None = None
        try:
            bind_packet_socket(self._socket, ifindex, 0)
            self._check()
            attach_filter(self._socket, program)
            self._ring = Ring(self._socket, shape)
            self._blocks = PacketBlocks(self._ring.memory, shape.block_size)
            if promiscuous:
                membership = _MEMBERSHIP.pack(ifindex, PACKET_MR_PROMISC, 0, b"")
                set_option(self._socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
            bind_packet_socket(self._socket, ifindex, ETH_P_ALL)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor that turns readable when a block is ready."""
        return self._socket.fileno()

    def read(self) -> Iterator[Rewritten]:
        """Hand out the blocks that are ready; each is the kernel's again when the next is asked for."""
        for found in range(MOST_AT_ONCE):
            self.filled = found / self._blocks_of_ring
            block = self._ring.take_block() if self._ring else None
            if block is None or self._ring is None:
                return
            self.busy = block.full
            lost, self._told = self.totals.dropped - self._told, self.totals.dropped
            done = self._blocks.rewrite(block, self.interface, lost)
            self._taken += done.frames
            try:
                yield done
            finally:
                for part in done.parts:
                    part.release()
                self._ring.release_block()

    def refuse(self) -> None:
        """Let nothing more in; what is in the ring can be read."""
        attach_filter(self._socket, keep_all(0))

    def look(self) -> None:
        """Take over the kernel's counts."""
        if self._ring is not None:
            count: Count = self._ring.count()
            self.totals.received, self.totals.dropped = count.received, count.dropped

    @property
    def unread(self) -> int:
        """How many frames are still in the ring."""
        self.look()
        return max(self.totals.received - self.totals.dropped - self._taken, 0)

    def is_gone(self) -> bool:
        """Whether the interface is there no more; takes the socket's pending error."""
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return not bound_link(self._socket)[0]

    def close(self) -> None:
        """Stop listening."""
        if self._ring is not None:
            self._blocks.close()
            self._ring.close()
            self._ring = None
        self._socket.close()

    def _check(self) -> None:
        name, device_type = bound_link(self._socket)
        if device_type not in {ARPHRD_ETHER, ARPHRD_LOOPBACK}:
            message = f"{name} has no Ethernet frames (device type {device_type} of linux/if_arp.h)"
            raise NoEthernetError(message)
