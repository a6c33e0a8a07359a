"""Keep of the probes' frames what a report is made from: their headers, and the token that makes a frame ours.

1. Of a frame stays: Ethernet, ARP, IP with its options, UDP, TCP with its options, ICMP, neighbour discovery, what an
   ICMP error quotes of them, the same within a tunnel; and the first 18 bytes of a probe's payload, token and sequence.
2. The rest is cut off, as by a snapshot length; how long the frame was on the wire is still told.
3. The frames of a lookup stay whole: their DNS messages are what a lookup is about.
"""

from functools import partial

from msgspec.structs import replace

from inspector.model.recording import Observation, Recording
from inspector.wire.craft import MARK_LENGTH
from inspector.wire.headers import (
    ARP_LENGTH,
    ETHERNET_LENGTH,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ETHERTYPES_VLAN,
    ICMP_FAMILY,
    ICMP_LENGTH,
    PROTOCOL_ICMPV6,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    QUOTING,
    VLAN_LENGTH,
)
from inspector.wire.ip import FAMILY_V4, FAMILY_V6, read_ipv4, read_ipv6
from inspector.wire.transport import TCP_LENGTH, UDP_LENGTH

_VXLAN = 8
_DISCOVERY = frozenset({135, 136, 137})


def headers_only(recording: Recording) -> Recording:
    """Return the recording with the probes' frames cut behind what tells a path."""
    passage = recording.plan.passage
    kept = partial(_frame, recording.token, passage.port if passage else None)

    def cut(seen: Observation) -> Observation:
        return replace(seen, frame=seen.frame[: kept(seen.frame)])

    return replace(recording, observations=tuple(cut(each) for each in recording.observations))


def _frame(token: bytes, tunnel_port: int | None, frame: bytes) -> int:
    """Return how many bytes stay, from the Ethernet header on."""
    start = ETHERNET_LENGTH
    while int.from_bytes(frame[start - 2 : start], "big") in ETHERTYPES_VLAN:
        start += VLAN_LENGTH
    ethertype = int.from_bytes(frame[start - 2 : start], "big")
    if ethertype == ETHERTYPE_ARP:
        return start + ARP_LENGTH
    if ethertype not in {ETHERTYPE_IPV4, ETHERTYPE_IPV6}:
        return start
    return start + _packet(token, tunnel_port, frame[start:])


def _packet(token: bytes, tunnel_port: int | None, packet: bytes) -> int:
    version = packet[0] >> 4 if packet else 0
    ip = read_ipv4(packet) if version == FAMILY_V4 else read_ipv6(packet) if version == FAMILY_V6 else None
    if ip is None or ip.fragment_offset:
        return ip.header_length if ip else 0
    payload, start = ip.payload, ip.header_length
    match ip.protocol:
        case protocol if protocol == PROTOCOL_UDP:
            inside = payload[UDP_LENGTH:]
            if tunnel_port is not None and int.from_bytes(payload[2:4], "big") == tunnel_port:
                return start + UDP_LENGTH + _VXLAN + _frame(token, tunnel_port, inside[_VXLAN:])
            return start + UDP_LENGTH + _mark(token, inside)
        case protocol if protocol == PROTOCOL_TCP:
            length = (payload[12] >> 4) * 4 if len(payload) > 12 else TCP_LENGTH  # noqa: PLR2004 - data offset (RFC 9293, 3.1)
            return start + max(length, TCP_LENGTH)
        case protocol if protocol in ICMP_FAMILY:
            return start + _icmp(token, tunnel_port, payload, protocol)
    return start


def _icmp(token: bytes, tunnel_port: int | None, message: bytes, protocol: int) -> int:
    inside = message[ICMP_LENGTH:]
    if message[:1] and message[0] in QUOTING[ICMP_FAMILY[protocol]]:
        return ICMP_LENGTH + _packet(token, tunnel_port, inside)
    if protocol == PROTOCOL_ICMPV6 and message[:1] and message[0] in _DISCOVERY:
        return len(message)
    return ICMP_LENGTH + _mark(token, inside)


def _mark(token: bytes, payload: bytes) -> int:
    ours = bool(token) and payload[: len(token)] == token[: len(payload)]
    return MARK_LENGTH if ours else 0
