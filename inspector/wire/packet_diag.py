"""Ask which packet sockets a network stack has and where they made an interface promiscuous.

Layouts: linux/sock_diag.h, linux/packet_diag.h (packet_diag_req, packet_diag_msg, packet_diag_mclist). No bytes raise.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from inspector.wire.nfnetlink import Message, attributes

SOCK_DIAG_BY_FAMILY = 20
_AF_PACKET = 17
_SHOW_MEMBERSHIPS = 2
"""PACKET_SHOW_MCLIST"""
_MEMBERSHIPS = 1
"""PACKET_DIAG_MCLIST"""
_PROMISCUOUS = 1
"""PACKET_MR_PROMISC (linux/if_packet.h)"""
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBHIIII")
_ANSWER = struct.Struct("=BBHIII")
_MEMBERSHIP = struct.Struct("=IIHH32s")
_REQUEST_DUMP = 0x301


class PacketSocket(NamedTuple):
    """A packet socket, by its inode, and the interfaces that it has made promiscuous."""

    inode: int
    promiscuous: tuple[int, ...]


def request() -> bytes:
    """Write the request for all packet sockets of the stack."""
    body = _REQUEST.pack(_AF_PACKET, 0, 0, 0, _SHOW_MEMBERSHIPS, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0) + body


def read(message: Message) -> PacketSocket | None:
    """Read one of the answers; None where it is something else."""
    if message.type != SOCK_DIAG_BY_FAMILY or len(message.payload) < _ANSWER.size:
        return None
    inode = _ANSWER.unpack_from(message.payload)[3]
    found = attributes(message.payload[_ANSWER.size :]).get(_MEMBERSHIPS, b"")
    return PacketSocket(inode, tuple(_interfaces(found)))


def _interfaces(data: bytes) -> Iterator[int]:
    for at in range(0, len(data) - _MEMBERSHIP.size + 1, _MEMBERSHIP.size):
        interface, count, kind, _length, _address = _MEMBERSHIP.unpack_from(data, at)
        if kind == _PROMISCUOUS and count:
            yield interface
