"""Read IPv4 and IPv6 headers, and step over the extensions of the latter."""

import struct
from ipaddress import IPv6Address

from msgspec import Struct

FAMILY_V4 = 4
FAMILY_V6 = 6

_IPV4_LENGTH = 20
_IPV6_LENGTH = 40
_EXTENSIONS = frozenset({0, 43, 60})
"""Hop-by-hop options, routing header, destination options."""
_FRAGMENT = 44
_EXTENSION_LENGTH = 8
_MAX_EXTENSIONS = 8


class Ip(Struct, frozen=True):
    """An IPv4 header (RFC 791) or an IPv6 header with its extensions (RFC 8200)."""

    version: int
    source: str
    destination: str
    ttl: int
    """Time to live, or hop limit."""
    protocol: int | None
    """What follows all headers; None where the IPv6 extensions are cut off or too many."""
    header_length: int
    """Bytes from the start of the packet to its payload."""
    total_length: int
    identification: int | None = None
    """None for an IPv6 packet that is no fragment."""
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    """In bytes."""
    options: bytes = b""
    """IPv4 options; the extension headers for IPv6."""
    payload: bytes = b""
    """What follows the headers, as far as it was kept."""


def read_ipv4(packet: bytes) -> Ip | None:
    """Read an IPv4 header (RFC 791, 3.1); None where its twenty bytes are not whole."""
    if len(packet) < _IPV4_LENGTH:
        return None
    _, _, total, identification, fragment, ttl, protocol, _, source, destination = struct.unpack_from(
        "!BBHHHBBH4s4s", packet
    )
    header_length = max((packet[0] & 0x0F) * 4, _IPV4_LENGTH)
    return Ip(
        version=FAMILY_V4,
        source=ipv4_text(source),
        destination=ipv4_text(destination),
        ttl=ttl,
        protocol=protocol,
        header_length=header_length,
        total_length=total,
        identification=identification,
        dont_fragment=bool(fragment & 0x4000),
        more_fragments=bool(fragment & 0x2000),
        fragment_offset=(fragment & 0x1FFF) * 8,
        options=packet[_IPV4_LENGTH:header_length],
        payload=packet[header_length : total or None],
    )


def read_ipv6(packet: bytes) -> Ip | None:
    """Read an IPv6 header (RFC 8200, 3) and step over its extensions (4.2 to 4.6); None where it is cut."""
    if len(packet) < _IPV6_LENGTH:
        return None
    _, length, following, hop_limit, source, destination = struct.unpack_from("!IHBB16s16s", packet)
    total = length + _IPV6_LENGTH
    extensions = skip_extensions(packet[: total if length else None], following)
    return Ip(
        version=FAMILY_V6,
        source=ipv6_text(source),
        destination=ipv6_text(destination),
        ttl=hop_limit,
        protocol=extensions.protocol,
        header_length=extensions.end,
        total_length=total,
        identification=extensions.identification,
        more_fragments=extensions.more_fragments,
        fragment_offset=extensions.fragment_offset,
        options=packet[_IPV6_LENGTH : extensions.end],
        payload=packet[extensions.end : total if length else None],
    )


class Extensions(Struct, frozen=True):
    """What stands between an IPv6 header and what the packet carries."""

    protocol: int | None
    """None where they are cut off or too many."""
    end: int
    identification: int | None = None
    more_fragments: bool = False
    fragment_offset: int = 0


def skip_extensions(packet: bytes, following: int) -> Extensions:
    """Step over the extensions of an IPv6 packet whose fixed header is whole; `following` is its next header."""
    end, identification, more, offset = _IPV6_LENGTH, None, False, 0
    protocol: int | None = following
    for _ in range(_MAX_EXTENSIONS):
        if protocol not in {*_EXTENSIONS, _FRAGMENT} or offset:
            break
        if len(packet) < end + _EXTENSION_LENGTH:
            protocol = None
            break
        length = _EXTENSION_LENGTH
        if protocol == _FRAGMENT:
            bits, identification = struct.unpack_from("!HI", packet, end + 2)
            more, offset = bool(bits & 1), bits & 0xFFF8
        else:
            length += packet[end + 1] * 8
        protocol = packet[end]
        end += length
    else:
        protocol = None
    return Extensions(protocol, end, identification, more, offset)


def ipv4_text(raw: bytes) -> str:
    """Write four bytes as an address."""
    return f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}"


def ipv6_text(raw: bytes) -> str:
    """Write sixteen bytes as an address (RFC 5952)."""
    return str(IPv6Address(raw))
