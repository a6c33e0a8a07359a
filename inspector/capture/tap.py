"""Listen on one interface: a scapy socket on a kernel ring, for scapy's sniffing and for ours.

1. The kernel filter is attached before the socket is bound, so no frame that it refuses is ever in the ring.
2. Promiscuity is a membership of this socket (PACKET_ADD_MEMBERSHIP): it ends with the socket, also after a kill.
3. An interface that goes down ends the tap; that is a fact (`ended`), not an exception.
4. Scapy gets its time as a float, which is coarser than a hop; `read` has the kernel's nanoseconds.

Import this module when capture starts and not before: it imports scapy.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

from inspector.capture.ring import Count, RawFrame, Ring, Shape
from inspector.capture.syscalls import SOL_PACKET, attach_filter, bind_packet_socket, bound_link, set_option
from inspector.wire import scapy_door

scapy_door.prepare_core()

from scapy.config import conf  # noqa: E402 - behind its door
from scapy.data import MTU  # noqa: E402
from scapy.packet import Packet  # noqa: E402
from scapy.supersocket import SuperSocket  # noqa: E402

ETH_P_ALL = 0x0003
"""linux/if_ether.h"""
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772
"""linux/if_arp.h: the device types whose frames start with an Ethernet header"""
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
_MEMBERSHIP = struct.Struct("=iHH8s")
"""struct packet_mreq (linux/if_packet.h): ifindex, type, address length, address"""


class UnsuitableLinkError(ValueError):
    """The interface's frames have no Ethernet header."""


def packet_socket() -> socket.socket:
    """Open a packet socket in the calling thread's namespace; protocol 0, so that it receives nothing until bound."""
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


class Tap(SuperSocket):  # type: ignore[misc]  # scapy is not type-checked here
    """One interface, listened to. Made from a packet socket that is not bound yet, which the tap then owns."""

    desc = "frames of one interface, through a ring shared with the kernel"
    nonblocking_socket = False
    closed: bool = False

    def __init__(
        self,
        sock: socket.socket,
        ifindex: int,
        *,
        program: bytes = b"",
        promiscuous: bool = False,
        shape: Shape | None = None,
        ring: Ring | None = None,
    ) -> None:
        """Filter, set up the ring, and bind; on failure the socket is closed. `program` is packed classic BPF.

        A `ring` that the socket has already is taken as it is.
        """
        self.ins = self.outs = sock
        self.ended: str | None = None
        """Why nothing more will come."""
        self._ring = ring
        try:
            bind_packet_socket(sock, ifindex, 0)
            self.iface = self._checked_name()
            if program:
                attach_filter(sock, program)
            self._ring = ring or Ring(sock, shape)
            if promiscuous:
                membership = _MEMBERSHIP.pack(ifindex, PACKET_MR_PROMISC, 0, b"")
                set_option(sock, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
            self.promisc = self.promiscuous = promiscuous
            bind_packet_socket(sock, ifindex, ETH_P_ALL)
        except BaseException:
            self.close()
            raise

    def read(self) -> Iterator[RawFrame]:
        """Hand out the frames that are ready, without waiting for more."""
        if self._ring is None:
            return
        yield from self._ring.read()
        self._look_for_the_end()

    def count(self) -> Count:
        """Return what the kernel counted so far: frames that passed the filter, and those of them it lost."""
        return self._ring.count() if self._ring else Count()

    def drained(self) -> bool:
        """Whether every frame the kernel delivered has been read."""
        return self.unread() == 0

    def unread(self) -> int:
        """Return how many frames the kernel delivered that have not been read."""
        return self._ring.unread() if self._ring else 0

    def recv_raw(self, x: int = MTU) -> tuple[type[Packet] | None, bytes | None, float | None]:
        """Hand scapy one frame; nothing where none is ready after all, EOFError (which scapy expects) at the end."""
        frame = self._ring.next() if self._ring else None
        if frame is None:
            self._look_for_the_end()
            if self.ended:
                raise EOFError(self.ended)
            return None, None, None
        return conf.l2types.num2layer.get(ARPHRD_ETHER, conf.raw_layer), frame.data[:x], frame.at_ns / 1e9

    def send(self, x: Packet) -> int:  # noqa: ARG002 - scapy's signature
        """Refuse: a tap only listens."""
        message = "a tap only listens"
        raise OSError(errno.EOPNOTSUPP, message)

    def close(self) -> None:
        """Stop listening; what is left in the ring is lost."""
        if self.closed:
            return
        self.closed = True
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        self.ins.close()

    def _checked_name(self) -> str:
        name, device_type = bound_link(self.ins)
        if device_type not in {ARPHRD_ETHER, ARPHRD_LOOPBACK}:
            message = f"{name} has no Ethernet frames (device type {device_type} of linux/if_arp.h)"
            raise UnsuitableLinkError(message)
        return name

    def _look_for_the_end(self) -> None:
        """Take the socket's pending error (ENETDOWN when the interface goes down or away, packet(7))."""
        pending = self.ins.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if pending:
            self.ended = os.strerror(pending)
