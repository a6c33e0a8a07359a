"""Every frame that crosses any interface of some network stacks, by sockets of the tests' own, which filter nothing.

One socket for each stack, bound to no interface. What it could not keep up with fails the test.
"""

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from msgspec import Struct

from inspector import netns
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.inet6 import ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RS, IPv6  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402

ETH_P_ALL = 0x0003
"""linux/if_ether.h"""
PACKET_OUTGOING = 4
"""linux/if_packet.h"""
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 263, 6, 33
IGMP = 2
"""RFC 3376"""


class Crossed(Struct, frozen=True):
    """One frame at one interface."""

    stack: str
    interface: str
    outgoing: bool
    frame: Any
    """As scapy reads it."""

    def __str__(self) -> str:
        return f"{self.stack}/{self.interface} {'out' if self.outgoing else 'in'}: {self.frame.summary()}"


@contextmanager
def all_frames(stacks: Mapping[str, int]) -> Iterator[Callable[[], list[Crossed]]]:
    """Listen in the namespaces of these descriptors; what is yielded hands out what crossed since it was last asked."""
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(netns.enter(fd, _listening)) for name, fd in stacks.items()}
        yield lambda: [each for name, sock in sockets.items() for each in _taken(name, sock)]


def _listening() -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.settimeout(0)
    return sock


def _taken(name: str, sock: socket.socket) -> Iterator[Crossed]:
    while True:
        try:
            data, (interface, _, kind, *_) = sock.recvfrom(65_536)
        except BlockingIOError:
            break
        yield Crossed(name, interface, kind == PACKET_OUTGOING, Ether(data))
    _, dropped = struct.unpack("=2I", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    assert not dropped, f"{name}: {dropped} frames were not seen"


def of_the_stack_itself(frame: Any) -> bool:
    """Whether this is said of an interface that came up, by its stack or the engine, and never because of a packet.

    Who else has my address (RFC 4862, 5.4.2: asked from the unspecified address), which routers are there (RFC 4861,
    4.1), which groups I listen to (RFC 3810, 5.2; RFC 3376, 4.2). Engine 28 announces, some seconds long, which address
    a new container has (RFC 5227, 2.3; RFC 4861, 7.2.6: an advertisement that nobody solicited).
    """
    if frame.haslayer(ARP):
        return bool(frame[ARP].psrc == frame[ARP].pdst)
    if frame.haslayer(ICMPv6ND_NA):
        return not frame[ICMPv6ND_NA].S
    if frame.haslayer(ICMPv6ND_NS):
        return bool(frame[IPv6].src == "::")
    if frame.haslayer(IP):
        return bool(frame[IP].proto == IGMP)
    return bool(frame.haslayer(ICMPv6ND_RS) or frame.haslayer(ICMPv6MLReport2))
