"""What stands before the packet in a frame, for each link type that captures of Linux machines have.

Layouts: tcpdump.org/linktypes (LINKTYPE_LINUX_SLL, _SLL2, _NULL, _LOOP, _RAW), IEEE 802.3 and 802.1Q.
"""

from msgspec import Struct

from inspector.wire.headers import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPES_VLAN

ETHERNET = 1
COOKED, COOKED_V2 = 113, 276

_IN, _OUT = 1, 2
_OUTGOING = 4
"""sll_pkttype of what this host sends (linux/if_packet.h: PACKET_OUTGOING)."""
_TAG_LENGTH = 4
_MAX_TAGS = 8


class LinkLayer(Struct, frozen=True):
    """How long the header is, and where in it the EtherType and the packet's direction stand."""

    words: str
    length: int
    ethertype_at: int | None = None
    """None where the packet itself says what it is."""
    direction_at: int | None = None
    has_macs: bool = False


LINK_LAYERS = {
    ETHERNET: LinkLayer("Ethernet", 14, ethertype_at=12, has_macs=True),
    COOKED: LinkLayer("Linux cooked", 16, ethertype_at=14, direction_at=1),
    COOKED_V2: LinkLayer("Linux cooked v2", 20, ethertype_at=0, direction_at=10),
    0: LinkLayer("BSD loopback", 4),
    108: LinkLayer("BSD loopback", 4),
    12: LinkLayer("raw IP", 0),
    14: LinkLayer("raw IP", 0),
    101: LinkLayer("raw IP", 0),
    228: LinkLayer("raw IPv4", 0),
    229: LinkLayer("raw IPv6", 0),
}
"""By LINKTYPE_ number; 12 and 14 are raw IP in files of some systems."""

_VERSIONS = {4: ETHERTYPE_IPV4, 6: ETHERTYPE_IPV6}


def link_words(link_type: int) -> str:
    """Name a link type."""
    known = LINK_LAYERS.get(link_type)
    return known.words if known else f"link type {link_type}"


def locate(layer: LinkLayer, data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the EtherType behind all VLAN tags and where the packet starts; 0 where the frame is too short."""
    packet = start + layer.length
    if packet >= end:
        return 0, end
    if layer.ethertype_at is None:
        return _VERSIONS.get(data[packet] >> 4, 0), packet
    at = start + layer.ethertype_at
    ethertype = int.from_bytes(data[at : at + 2], "big")
    for _ in range(_MAX_TAGS):
        if ethertype not in ETHERTYPES_VLAN or packet + _TAG_LENGTH > end:
            break
        ethertype = int.from_bytes(data[packet + 2 : packet + _TAG_LENGTH], "big")
        packet += _TAG_LENGTH
    return ethertype, packet


def heading(layer: LinkLayer, data: bytes, start: int) -> int:
    """Return the direction that a cooked header tells, as `epb_flags` numbers it; 0 where there is none."""
    if layer.direction_at is None:
        return 0
    return _OUT if data[start + layer.direction_at] == _OUTGOING else _IN
