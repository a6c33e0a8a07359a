"""The places and numbers that the filters go by are those that scapy writes."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ND_NA, ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from inspector.plan import frames


@pytest.mark.parametrize(("packet", "number"), [(ARP(), frames.ARP), (IP(), frames.IPV4), (IPv6(), frames.IPV6)])
def test_a_frame_says_what_it_carries_ahead_of_the_packet(packet: Packet, number: int) -> None:
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)
    assert int.from_bytes(frame[frames.ETHERTYPE : frames.ETHERTYPE + 2], "big") == number
    assert frame[frames.NETWORK :] == bytes(packet)


@pytest.mark.parametrize(
    ("packet", "number"),
    [
        (IP() / ICMP(), frames.ICMP),
        (IP() / TCP(), frames.TCP),
        (IP() / UDP(), frames.UDP),
        (IPv6() / ICMPv6DestUnreach(), frames.ICMPV6),
        (IPv6() / IPv6ExtHdrFragment(), frames.FRAGMENT),
    ],
)
def test_a_packet_says_its_protocol(packet: Packet, number: int) -> None:
    raw = bytes(packet)
    assert raw[9 if raw[0] >> 4 == 4 else 6] == number


def test_types_of_messages() -> None:
    assert (bytes(ICMPv6ND_NS())[0], bytes(ICMPv6ND_NA())[0]) == frames.DISCOVERY
    assert bytes(ICMPv6DestUnreach())[0] in frames.V6_ERRORS
    assert bytes(ICMP(type="dest-unreach"))[0] in frames.V4_ERRORS
    assert bytes(ICMP(type="echo-reply"))[0] not in frames.V4_ERRORS
