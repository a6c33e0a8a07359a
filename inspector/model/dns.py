"""A DNS message as a value: what was asked, and what was said (RFC 1035, 4)."""

from enum import StrEnum
from ipaddress import ip_address

from msgspec import Struct

PORT = 53
"""Where servers listen (RFC 1035, 4.2)."""


def is_loopback(address: str) -> bool:
    """Whether a server's address means the network stack that asks; ValueError where it is no address."""
    return ip_address(address.partition("%")[0]).is_loopback


class Transport(StrEnum):
    """What carries a message."""

    UDP = "udp"
    TCP = "tcp"


class Asked(Struct, frozen=True):
    """The question of a message."""

    name: str
    """Without the trailing dot, escaped as `dig` does; case as it was on the wire. The root is `.`."""
    type: str
    """`A`, `AAAA`, `PTR`...; `TYPE65280` (RFC 3597, 5) for what has no name here."""


class Record(Struct, frozen=True):
    """One resource record."""

    name: str
    """As that of a question."""
    type: str
    data: str
    """As `dig` writes it, made harmless: a name in it has its trailing dot."""
    ttl: int
    """Seconds."""


class Message(Struct, frozen=True):
    """One DNS message; only what could be read of it."""

    identifier: int
    response: bool
    rcode: str
    """`NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`...; `RCODE11` for what has no name here."""
    truncated: bool
    """TC: the rest did not fit into the datagram (RFC 1035, 4.1.1)."""
    recursion_available: bool
    authoritative: bool
    asked: Asked | None
    """None where the message holds no question, or not exactly one."""
    answers: tuple[Record, ...] = ()
    damage: str | None = None
    """What was wrong with it first, where something was: cut off, a compression loop, wrong counts."""
