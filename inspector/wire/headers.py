"""Read the headers that a path is told by: Ethernet, ARP, IPv4, IPv6, ICMP, neighbour discovery, UDP and TCP.

1. No bytes raise. What is cut off is None, and what was whole before the cut is kept.
2. Numbers stay numbers, MACs are `aa:bb:cc:dd:ee:ff`, addresses are text as `ipaddress` writes it.
3. Padding behind the IP packet (IEEE 802.3 fills a frame to 60 bytes) is not payload.
"""

import struct

from msgspec import Struct

from inspector.wire.icmp_words import icmp_words
from inspector.wire.ip import FAMILY_V4, FAMILY_V6, Ip, ipv4_text, ipv6_text, read_ipv4, read_ipv6
from inspector.wire.transport import Tcp, Udp, read_tcp, read_udp

__all__ = [
    "Arp",
    "Datagram",
    "Headers",
    "Icmp",
    "Ip",
    "Neighbour",
    "Tcp",
    "Udp",
    "icmp_words",
    "read",
    "read_arp",
    "read_icmp",
    "read_packet",
]

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPES_VLAN = frozenset({0x8100, 0x88A8})

PROTOCOL_ICMP = 1
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17
PROTOCOL_ICMPV6 = 58

ARP_REQUEST = 1
ARP_REPLY = 2

ECHO_REPLY = 0
UNREACHABLE = 3
FRAG_NEEDED = 4
REDIRECT = 5
ECHO_REQUEST = 8
PARAMETER_PROBLEM = 12

V6_PACKET_TOO_BIG = 2
V6_PARAMETER_PROBLEM = 4
V6_ECHO_REQUEST = 128
V6_ECHO_REPLY = 129
V6_SOLICITATION = 135
V6_ADVERTISEMENT = 136
V6_REDIRECT = 137

ETHERNET_LENGTH = 14
VLAN_LENGTH = 4
ARP_LENGTH = 28
_ARP_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"
ICMP_LENGTH = 8
_ND_LENGTH = 24
_MAC_LENGTH = 6
_LINK_LAYER_OPTIONS = frozenset({1, 2})
ECHOES = {FAMILY_V4: frozenset({ECHO_REPLY, ECHO_REQUEST}), FAMILY_V6: frozenset({V6_ECHO_REQUEST, V6_ECHO_REPLY})}
QUOTING = {FAMILY_V4: frozenset({3, 4, 5, 11, 12}), FAMILY_V6: frozenset({1, 2, 3, 4})}
"""Types of ICMP errors, by family: they quote the packet that they are about (RFC 792, RFC 4443)."""
ICMP_FAMILY = {PROTOCOL_ICMP: FAMILY_V4, PROTOCOL_ICMPV6: FAMILY_V6}


class Arp(Struct, frozen=True):
    """Who has an address, and who says so (RFC 826, Ethernet and IPv4 only)."""

    operation: int
    sender_mac: str
    sender: str
    target_mac: str
    target: str


class Neighbour(Struct, frozen=True):
    """A neighbour solicitation or advertisement (RFC 4861, 4.3 and 4.4)."""

    advertisement: bool
    target: str
    mac: str | None
    """The source's (solicitation) or target's (advertisement) link-layer address, if the option is there."""
    solicited: bool = False


class Icmp(Struct, frozen=True):
    """An ICMP (RFC 792) or ICMPv6 (RFC 4443) message."""

    family: int
    type: int
    code: int
    identifier: int | None = None
    """Of an echo; likewise `sequence`."""
    sequence: int | None = None
    payload: bytes = b""
    """What follows the eight bytes of header."""
    mtu: int | None = None
    """Of a `frag needed` or `packet too big`."""
    gateway: str | None = None
    """Where a redirect points."""
    pointer: int | None = None
    """The byte a parameter problem complains about."""
    quoted: "Datagram | None" = None
    """The packet an error is about, as far as it was quoted."""

    @property
    def echo_request(self) -> bool:
        """Whether it asks."""
        return self.type == (ECHO_REQUEST if self.family == FAMILY_V4 else V6_ECHO_REQUEST)

    @property
    def echo_reply(self) -> bool:
        """Whether it answers."""
        return self.type == (ECHO_REPLY if self.family == FAMILY_V4 else V6_ECHO_REPLY)

    @property
    def error(self) -> bool:
        """Whether it is about another packet."""
        return self.type in QUOTING[self.family]

    @property
    def words(self) -> str:
        """Its meaning, as ping says it."""
        return icmp_words(self.family, self.type, self.code, self.mtu)


class Datagram(Struct, frozen=True):
    """An IP packet without a frame around it."""

    ip: Ip
    icmp: Icmp | None = None
    nd: Neighbour | None = None
    udp: Udp | None = None
    tcp: Tcp | None = None


class Headers(Struct, frozen=True):
    """Everything read from one Ethernet frame."""

    source_mac: str
    destination_mac: str
    ethertype: int
    """The one behind all VLAN tags."""
    arp: Arp | None = None
    ip: Ip | None = None
    icmp: Icmp | None = None
    nd: Neighbour | None = None
    udp: Udp | None = None
    tcp: Tcp | None = None


def read(frame: bytes) -> Headers | None:
    """Read a frame from its Ethernet header on (IEEE 802.3, 3.1.1); None where even that is not whole."""
    if len(frame) < ETHERNET_LENGTH:
        return None
    destination_mac, source_mac = _mac(frame[:6]), _mac(frame[6:12])
    ethertype, start = _skip_tags(frame)
    rest = frame[start:]
    if ethertype == ETHERTYPE_ARP:
        return Headers(source_mac, destination_mac, ethertype, arp=read_arp(rest))
    datagram = read_packet(rest) if ethertype in {ETHERTYPE_IPV4, ETHERTYPE_IPV6} else None
    if datagram is None:
        return Headers(source_mac, destination_mac, ethertype)
    return Headers(
        source_mac,
        destination_mac,
        ethertype,
        ip=datagram.ip,
        icmp=datagram.icmp,
        nd=datagram.nd,
        udp=datagram.udp,
        tcp=datagram.tcp,
    )


def read_packet(packet: bytes) -> Datagram | None:
    """Read an IP packet, as a raw IPv4 socket hands it over; None where its fixed header is not whole."""
    return _read_datagram(packet, quotes=True)


def read_icmp(message: bytes, family: int, *, quotes: bool = True) -> Icmp | None:
    """Read an ICMP message, as a raw IPv6 socket hands it over; `quotes` False leaves the quoted packet alone."""
    if len(message) < ICMP_LENGTH:
        return Icmp(family, message[0], message[1]) if len(message) > 1 else None
    kind, code = message[0], message[1]
    payload = message[ICMP_LENGTH:]
    if kind in ECHOES[family]:
        identifier, sequence = struct.unpack_from("!HH", message, 4)
        return Icmp(family, kind, code, identifier, sequence, payload)
    return Icmp(
        family,
        kind,
        code,
        payload=payload,
        mtu=_mtu(message, family),
        gateway=_gateway(message, family),
        pointer=_pointer(message, family),
        quoted=_read_datagram(payload, quotes=False) if quotes and kind in QUOTING[family] else None,
    )


def _skip_tags(frame: bytes) -> tuple[int, int]:
    """Return the EtherType behind all 802.1Q tags (IEEE 802.1Q, 9.6) and where its payload starts."""
    start = ETHERNET_LENGTH
    ethertype = int.from_bytes(frame[start - 2 : start], "big")
    while ethertype in ETHERTYPES_VLAN and len(frame) >= start + VLAN_LENGTH:
        start += VLAN_LENGTH
        ethertype = int.from_bytes(frame[start - 2 : start], "big")
    return ethertype, start


def read_arp(body: bytes) -> Arp | None:
    """Read what an ARP frame carries behind its header; None where it is cut off, or not of Ethernet and IPv4."""
    if len(body) < ARP_LENGTH or not body.startswith(_ARP_ETHERNET_IPV4):
        return None
    operation, sender_mac, sender, target_mac, target = struct.unpack_from("!H6s4s6s4s", body, 6)
    return Arp(operation, _mac(sender_mac), ipv4_text(sender), _mac(target_mac), ipv4_text(target))


def _read_datagram(packet: bytes, *, quotes: bool) -> Datagram | None:
    version = packet[0] >> 4 if packet else 0
    ip = read_ipv4(packet) if version == FAMILY_V4 else read_ipv6(packet) if version == FAMILY_V6 else None
    if ip is None:
        return None
    if ip.fragment_offset:
        return Datagram(ip)
    if ip.protocol == PROTOCOL_UDP:
        return Datagram(ip, udp=read_udp(ip.payload))
    if ip.protocol == PROTOCOL_TCP:
        return Datagram(ip, tcp=read_tcp(ip.payload))
    if ip.protocol != (PROTOCOL_ICMP if version == FAMILY_V4 else PROTOCOL_ICMPV6):
        return Datagram(ip)
    icmp = read_icmp(ip.payload, version, quotes=quotes)
    return Datagram(ip, icmp, _read_neighbour(ip.payload) if version == FAMILY_V6 else None)


def _read_neighbour(message: bytes) -> Neighbour | None:
    if len(message) < _ND_LENGTH or message[0] not in {V6_SOLICITATION, V6_ADVERTISEMENT}:
        return None
    advertisement = message[0] == V6_ADVERTISEMENT
    return Neighbour(
        advertisement=advertisement,
        target=ipv6_text(message[8:_ND_LENGTH]),
        mac=_link_layer_option(message[_ND_LENGTH:]),
        solicited=advertisement and bool(message[4] & 0x40),
    )


def _link_layer_option(options: bytes) -> str | None:
    """Find the link-layer address among the options (RFC 4861, 4.6.1)."""
    while len(options) >= 2 + _MAC_LENGTH and options[1]:
        if options[0] in _LINK_LAYER_OPTIONS:
            return _mac(options[2 : 2 + _MAC_LENGTH])
        options = options[options[1] * 8 :]
    return None


def _mtu(message: bytes, family: int) -> int | None:
    """Find the next hop's MTU (RFC 1191, 4; RFC 4443, 3.2)."""
    if family == FAMILY_V4 and message[:2] == bytes((UNREACHABLE, FRAG_NEEDED)):
        return int.from_bytes(message[6:8], "big")
    return int.from_bytes(message[4:8], "big") if family == FAMILY_V6 and message[0] == V6_PACKET_TOO_BIG else None


def _gateway(message: bytes, family: int) -> str | None:
    if family == FAMILY_V4:
        return ipv4_text(message[4:8]) if message[0] == REDIRECT else None
    return ipv6_text(message[8:24]) if message[0] == V6_REDIRECT and len(message) >= _ND_LENGTH else None


def _pointer(message: bytes, family: int) -> int | None:
    if family == FAMILY_V4:
        return message[4] if message[0] == PARAMETER_PROBLEM else None
    return int.from_bytes(message[4:8], "big") if message[0] == V6_PARAMETER_PROBLEM else None


def _mac(raw: bytes) -> str:
    return raw.hex(":")
