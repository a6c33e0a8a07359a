"""A frame with other MACs, addresses and names in it; lengths, numbers, flags and the state of its checksums stay.

1. What a checksum was before (right, wrong, left to hardware) it is afterwards (RFC 1624).
2. The probe's own payload stays: it is the token and a filler. Names in DNS messages are replaced. Any other payload is
   somebody's, and blanked in its length.
3. A packet within a packet (VXLAN, RFC 7348; an ICMP error's quotation, RFC 792 and RFC 4443) is treated alike.
4. No bytes raise. What is cut off or not known is blanked.
"""

import struct
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

from msgspec import Struct

from inspector.wire.headers import (
    ARP_LENGTH,
    ECHOES,
    ETHERNET_LENGTH,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ETHERTYPES_VLAN,
    ICMP_FAMILY,
    ICMP_LENGTH,
    PROTOCOL_ICMP,
    PROTOCOL_ICMPV6,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    QUOTING,
    VLAN_LENGTH,
)
from inspector.wire.ip import FAMILY_V4, FAMILY_V6, Ip, read_ipv4, read_ipv6
from inspector.wire.transport import TCP_LENGTH, UDP_LENGTH
from inspector.withhold import messages
from inspector.withhold.addresses import Addresses
from inspector.withhold.checksums import carried_over, is_partial, reduced, total
from inspector.withhold.words import Words

_TARGET = 16
_IPV6, _VXLAN = 40, 8
_DNS_PORT = 53
_CHECKSUM_AT = {PROTOCOL_ICMP: 2, PROTOCOL_ICMPV6: 2, PROTOCOL_UDP: 6, PROTOCOL_TCP: 16}
_REDIRECT, _SOLICITATION, _ADVERTISEMENT = 5, 135, 136
_MAC_OPTIONS = (1, 2)
_TCP_TOLD = frozenset({0, 1, 2, 3, 4, 5, 8})
"""Options that name nobody: end, nothing, segment size, window scale, both of SACK, time stamps (RFC 7323)."""


class Frames(Struct, frozen=True):
    """Rewrites the frames of one recording."""

    words: Words
    addresses: Addresses
    token: bytes
    tunnel_port: int | None = None

    def frame(self, frame: bytes) -> bytes:
        """Rewrite from the Ethernet header on."""
        if len(frame) < ETHERNET_LENGTH:
            return bytes(len(frame))
        start = ETHERNET_LENGTH
        while int.from_bytes(frame[start - 2 : start], "big") in ETHERTYPES_VLAN and len(frame) >= start + VLAN_LENGTH:
            start += VLAN_LENGTH
        ethertype = int.from_bytes(frame[start - 2 : start], "big")
        macs = self.addresses.mac(frame[:6]) + self.addresses.mac(frame[6:12])
        body = frame[start:]
        if ethertype == ETHERTYPE_ARP:
            body = self._arp(body)
        elif ethertype in {ETHERTYPE_IPV4, ETHERTYPE_IPV6}:
            body = self.packet(body)
        else:
            body = bytes(len(body))
        return macs + frame[12:start] + body

    def packet(self, packet: bytes) -> bytes:
        """Rewrite from the network header on, as far as the packet was kept."""
        version = packet[0] >> 4 if packet else 0
        ip = read_ipv4(packet) if version == FAMILY_V4 else read_ipv6(packet) if version == FAMILY_V6 else None
        if ip is None:
            return bytes(len(packet))
        behind = bytes(max(len(packet) - ip.header_length - len(ip.payload), 0))
        return (self._ipv4(packet, ip) if version == FAMILY_V4 else self._ipv6(packet, ip)) + behind

    def _ipv4(self, packet: bytes, ip: Ip) -> bytes:
        ends = self._ends(packet[12:20], 4)
        payload = self._payload(ip, packet[12:20], ends)
        head = bytearray(packet[: ip.header_length])
        head[12:20], head[20:] = ends, bytes(len(head) - 20)
        head[2:4] = _longer(packet[2:4], len(payload) - len(ip.payload))
        head[10:12] = bytes(2)
        before = packet[:10] + bytes(2) + packet[12 : ip.header_length]
        checksum = carried_over(int.from_bytes(packet[10:12], "big"), before, bytes(head))
        head[10:12] = checksum.to_bytes(2, "big")
        return bytes(head) + payload

    def _ipv6(self, packet: bytes, ip: Ip) -> bytes:
        ends = self._ends(packet[8:40], 16)
        fragment = ip.identification is not None
        if ip.header_length > _IPV6 and not fragment:
            return packet[:8] + ends + bytes(len(packet[_IPV6 : ip.header_length]) + len(ip.payload))
        payload = self._payload(ip, packet[8:40], ends)
        length = _longer(packet[4:6], len(payload) - len(ip.payload))
        return packet[:4] + length + packet[6:8] + ends + packet[_IPV6 : ip.header_length] + payload

    def _ends(self, ends: bytes, size: int) -> bytes:
        kind = IPv4Address if size == 4 else IPv6Address  # noqa: PLR2004 - bytes of an IPv4 address
        return b"".join(self.addresses.address(kind(each)).packed for each in (ends[:size], ends[size:]))

    def _arp(self, body: bytes) -> bytes:
        if len(body) < ARP_LENGTH:
            return body[:8] + bytes(max(len(body) - 8, 0))
        ends = (
            self.addresses.mac(body[at : at + 6]) + self.addresses.address(IPv4Address(body[at + 6 : at + 10])).packed
            for at in (8, 18)
        )
        return body[:8] + b"".join(ends) + bytes(len(body) - ARP_LENGTH)

    def _payload(self, ip: Ip, ends: bytes, new_ends: bytes) -> bytes:
        """Rewrite what an IP packet carries, and its checksum."""
        old = ip.payload
        if ip.fragment_offset:
            return old if _is_filler(old) else bytes(len(old))
        protocol = ip.protocol
        if protocol not in _CHECKSUM_AT:
            return bytes(len(old))
        at = _CHECKSUM_AT[protocol]
        if len(old) < at + 2:
            return old
        if protocol == PROTOCOL_UDP:
            new = self._udp(old, ends)
        elif protocol == PROTOCOL_TCP:
            new = self._tcp(old, ends)
        else:
            new = self._icmp(old, protocol, ends)
        pseudo = (b"", b"")
        if protocol != PROTOCOL_ICMP:
            pseudo = _pseudo(ends, old, protocol), _pseudo(new_ends, new, protocol)
        return new[:at] + _checksum(old, new, at, *pseudo) + new[at + 2 :]

    def _udp(self, old: bytes, ends: bytes) -> bytes:
        payload, (source, destination) = old[UDP_LENGTH:], struct.unpack_from("!HH", old)
        if self.tunnel_port is not None and destination == self.tunnel_port and len(payload) >= _VXLAN:
            new = payload[:_VXLAN] + self.frame(payload[_VXLAN:])
        elif self._is_probe(payload):
            new = payload
        elif _DNS_PORT in {source, destination} or _is_loopback(ends):
            new = messages.rewrite(payload, self.words, self.addresses)
        else:
            new = bytes(len(payload))
        return old[:4] + _longer(old[4:6], len(new) - len(payload)) + old[6:8] + new

    def _tcp(self, old: bytes, ends: bytes) -> bytes:
        start = max((old[12] >> 4) * 4, TCP_LENGTH)
        payload = old[start:]
        head = old[:TCP_LENGTH] + _told_options(old[TCP_LENGTH:start])
        if _DNS_PORT in struct.unpack_from("!HH", old) or _is_loopback(ends):
            message = messages.rewrite(payload[2:], self.words, self.addresses)
            whole = int.from_bytes(payload[:2], "big") == len(payload) - 2
            return head + (len(message).to_bytes(2, "big") if whole else payload[:2]) + message
        return head + (payload if self._is_probe(payload) else bytes(len(payload)))

    def _icmp(self, old: bytes, protocol: int, ends: bytes) -> bytes:
        kind, rest = old[0], old[ICMP_LENGTH:]
        if kind in ECHOES[ICMP_FAMILY[protocol]]:
            return old[:ICMP_LENGTH] + (rest if self._is_probe(rest) else bytes(len(rest)))
        if kind in QUOTING[ICMP_FAMILY[protocol]]:
            head = old[:ICMP_LENGTH]
            if protocol == PROTOCOL_ICMP and kind == _REDIRECT and len(head) == ICMP_LENGTH:
                head = head[:4] + self.addresses.address(IPv4Address(head[4:])).packed
            return head + self.packet(rest)
        if protocol == PROTOCOL_ICMPV6 and kind in {_SOLICITATION, _ADVERTISEMENT}:
            return old[:ICMP_LENGTH] + self._target(rest[:_TARGET], ends, kind) + self._nd_options(rest[_TARGET:])
        return old[:4] + bytes(len(old) - 4)

    def _target(self, target: bytes, ends: bytes, kind: int) -> bytes:
        """Rewrite the address that a message is about; one that is cut ends as whom it is sent to, or by."""
        if len(target) < _TARGET:
            return self.addresses.start(target, ends[29:32] if kind == _SOLICITATION else ends[13:16])
        return self.addresses.address(IPv6Address(target)).packed

    def _nd_options(self, options: bytes) -> bytes:
        """Rewrite a link-layer address option (RFC 4861, 4.6.1), and blank the others."""
        if len(options) >= 8 and options[0] in _MAC_OPTIONS and options[1] == 1:  # noqa: PLR2004 - one unit of eight
            return options[:2] + self.addresses.mac(options[2:8]) + self._nd_options(options[8:])
        return options[:2] + bytes(max(len(options) - 2, 0))

    def _is_probe(self, payload: bytes) -> bool:
        """Compare what fits, as correlation does; a lookup has no token."""
        return bool(self.token) and payload[: len(self.token)] == self.token[: len(payload)]


def _checksum(old: bytes, new: bytes, at: int, pseudo: bytes, new_pseudo: bytes) -> bytes:
    """Return the new checksum of a payload whose checksum is at this byte."""
    checksum = int.from_bytes(old[at : at + 2], "big")
    optional = at == _CHECKSUM_AT[PROTOCOL_UDP]
    if optional and checksum == 0:
        return bytes(2)
    if pseudo and is_partial(checksum, pseudo):
        return reduced(total(new_pseudo)).to_bytes(2, "big")
    other = carried_over(checksum, pseudo + _without(old, at), new_pseudo + _without(new, at))
    return (0xFFFF if optional and other == 0 else other).to_bytes(2, "big")


def _without(old: bytes, at: int) -> bytes:
    return old[:at] + bytes(2) + old[at + 2 :]


def _pseudo(ends: bytes, payload: bytes, protocol: int) -> bytes:
    """Lay out the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1); a sum does not care for the order of words."""
    return ends + struct.pack("!IHH", len(payload), 0, protocol)


def _longer(length: bytes, delta: int) -> bytes:
    return ((int.from_bytes(length, "big") + delta) & 0xFFFF).to_bytes(2, "big")


def _is_loopback(ends: bytes) -> bool:
    return len(ends) == 8 and 127 in {ends[0], ends[4]}  # noqa: PLR2004 - two IPv4 addresses


def _is_filler(payload: bytes) -> bool:
    """Whether it goes on as ping's filler does: each byte one more than the one before."""
    return all(after == (before + 1) & 0xFF for before, after in pairwise(payload))


def _told_options(options: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(options):
        kind = options[at]
        length = 1 if kind in {0, 1} else options[at + 1] if at + 1 < len(options) else 1
        length = max(length, 1)
        piece = options[at : at + length]
        out += piece if kind in _TCP_TOLD else b"\1" * len(piece)
        at += length
    return bytes(out)
