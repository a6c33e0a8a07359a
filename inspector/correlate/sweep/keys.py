"""The two ends of a packet as they stand in it, side by side: source, destination, then both ports where it has them.

A slice of the frame serves as a key: 8 or 32 bytes of addresses (IPv4, IPv6), 4 more of ports.
"""

from inspector.model.capture import Endpoint
from inspector.wire.ip import ipv4_text, ipv6_text

TCP, UDP = 6, 17
PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp", 136: "udplite"}
WITH_PORTS = frozenset({6, 17, 132, 136})
"""Both ports stand first in their headers."""
LOOPBACK_SERVER = bytes((127, 0, 0, 11))
"""Where container engines put their own DNS server, in the stack of the container."""

_V4_BOTH, _V6_BOTH = 8, 32
_V4_PORTED = 12


def addresses(key: bytes) -> bytes:
    """Return both addresses."""
    return key[:_V4_BOTH] if len(key) <= _V4_PORTED else key[:_V6_BOTH]


def turned(key: bytes) -> bytes:
    """Return the key of the other direction."""
    both = len(addresses(key))
    half = both // 2
    return key[half:both] + key[:half] + key[both + 2 :] + key[both : both + 2]


def source(key: bytes) -> Endpoint:
    """Return who sent it."""
    both = len(addresses(key))
    return Endpoint(address_text(key[: both // 2]), _port(key, both))


def destination(key: bytes) -> Endpoint:
    """Return whom it was sent to."""
    both = len(addresses(key))
    return Endpoint(address_text(key[both // 2 : both]), _port(key, both + 2))


def address_text(raw: bytes) -> str:
    """Write an address."""
    return ipv4_text(raw) if len(raw) == 4 else ipv6_text(raw)  # noqa: PLR2004 - 32 bits


def protocol_name(number: int | None) -> str:
    """Name what is inside an IP packet (IANA, protocol numbers)."""
    return "ip" if number is None else PROTOCOLS.get(number, f"ip protocol {number}")


def _port(key: bytes, at: int) -> int | None:
    return int.from_bytes(key[at : at + 2], "big") if len(key) >= at + 2 else None
