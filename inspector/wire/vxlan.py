"""Take an Ethernet frame out of the VXLAN datagram that carries it (RFC 7348, 5)."""

from typing import NamedTuple

from inspector.wire.headers import Datagram, Headers

_LENGTH = 8
_HAS_NUMBER = 0x08
"""The I flag: the network identifier is valid."""


class Carried(NamedTuple):
    """A frame, and what carries it."""

    number: int
    """The VXLAN network identifier."""
    source: str
    """Address of the node that sent it."""
    destination: str
    frame: bytes


def carried_frame(outer: Headers | Datagram, port: int) -> Carried | None:
    """Return what a datagram to this port carries; None where it is no VXLAN."""
    if outer.ip is None or outer.udp is None or outer.udp.destination_port != port:
        return None
    payload = outer.udp.payload
    if len(payload) <= _LENGTH or not payload[0] & _HAS_NUMBER:
        return None
    return Carried(int.from_bytes(payload[4:7], "big"), outer.ip.source, outer.ip.destination, payload[_LENGTH:])
