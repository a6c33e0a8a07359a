"""Headers: right on packets that scapy built, quiet on anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import headers, scapy_door
from inspector.wire.headers import Headers, Icmp, icmp_words

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, IPOption_Router_Alert  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

A, B = "02:42:ac:11:00:02", "02:42:ac:11:00:03"
ETHER = Ether(src=A, dst=B)
TOKEN = b"0123456789abcdef\x00\x07rest"
ECHO = ICMP(type=8, id=0x1234, seq=7) / Raw(TOKEN)
PACKETS = {
    "echo": ETHER / IP(src="10.0.0.2", dst="10.0.0.3", ttl=63, id=99, flags="DF") / ECHO,
    "echo6": ETHER / IPv6(src="fd00::2", dst="fd00::3") / ICMPv6EchoRequest(id=5, seq=6, data=TOKEN),
    "arp": ETHER / ARP(op=1, hwsrc=A, psrc="10.0.0.2", hwdst="00:00:00:00:00:00", pdst="10.0.0.3"),
    "udp": ETHER / Dot1Q(vlan=7) / IP(src="10.0.0.2", dst="10.0.0.3") / UDP(sport=1, dport=2),
    "tcp": ETHER / IP(src="10.0.0.2", dst="10.0.0.3") / TCP(sport=4711, dport=53, seq=7, flags="S") / b"data",
    "ns": ETHER / IPv6(src="::", dst="ff02::1") / ICMPv6ND_NS(tgt="fd00::3") / ICMPv6NDOptSrcLLAddr(lladdr=A),
    "unreachable": ETHER / IP() / ICMP(type=3, code=1) / IPerror(src="10.0.0.2", dst="10.0.0.3") / ECHO,
}


def parse(packet: Packet) -> Headers:
    """Read what scapy built."""
    found = headers.read(bytes(packet))
    assert found is not None
    return found


def icmp(packet: Packet) -> Icmp:
    """Read the ICMP message of what scapy built."""
    found = parse(packet).icmp
    assert found is not None
    return found


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(frame: bytes) -> None:
    """Random bytes give None or headers, nothing else."""
    found = headers.read(frame)
    assert (found is None) == (len(frame) < 14)


@given(
    prefix=st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00\x00\x01\x86\xdd"]),
    version=st.sampled_from([b"\x45", b"\x4f", b"\x60", b""]),
    rest=st.binary(max_size=160),
    protocol=st.sampled_from([0, 1, 6, 17, 43, 44, 58, 60]),
)
def test_almost_packets_are_read_without_an_exception(
    prefix: bytes, version: bytes, rest: bytes, protocol: int
) -> None:
    """Random bytes behind a believable start reach every layer."""
    body = bytearray(version + rest)
    for offset in (6, 9):
        if len(body) > offset:
            body[offset] = protocol
    found = headers.read(bytes(12) + prefix + bytes(body))
    assert found is not None
    assert found.source_mac == "00:00:00:00:00:00"


@pytest.mark.parametrize("name", PACKETS)
def test_every_prefix_of_a_packet_says_no_more_than_the_whole(name: str) -> None:
    """A packet cut anywhere is partial, never wrong."""
    raw = bytes(PACKETS[name])
    whole = headers.read(raw)
    assert whole is not None
    for length in range(14, len(raw)):
        part = headers.read(raw[:length])
        assert part is not None
        assert part.destination_mac == whole.destination_mac
        assert part.arp in {None, whole.arp}
        if part.ip:
            assert whole.ip is not None
            assert (part.ip.source, part.ip.destination) == (whole.ip.source, whole.ip.destination)
        if part.icmp:
            assert whole.icmp is not None
            assert part.icmp.type == whole.icmp.type
            assert part.icmp.sequence in {None, whole.icmp.sequence}
        if part.tcp:
            assert whole.tcp is not None
            assert (part.tcp.sequence, part.tcp.flags or 2) == (whole.tcp.sequence, whole.tcp.flags)
        if part.udp:
            assert part.udp == whole.udp


def test_an_ipv4_echo_is_read_field_by_field() -> None:
    """Everything a fingerprint needs."""
    found = parse(PACKETS["echo"])
    assert (found.source_mac, found.destination_mac, found.ethertype) == (A, B, headers.ETHERTYPE_IPV4)
    assert found.ip is not None
    assert (found.ip.source, found.ip.destination, found.ip.ttl) == ("10.0.0.2", "10.0.0.3", 63)
    assert (found.ip.identification, found.ip.dont_fragment, found.ip.fragment_offset) == (99, True, 0)
    assert (found.ip.protocol, found.ip.header_length) == (headers.PROTOCOL_ICMP, 20)
    assert found.icmp is not None
    assert (found.icmp.identifier, found.icmp.sequence, found.icmp.payload) == (0x1234, 7, TOKEN)
    assert found.icmp.echo_request
    assert not found.icmp.echo_reply


def test_an_ipv6_echo_is_read_behind_its_extensions() -> None:
    """Hop-by-hop, routing and destination options are stepped over."""
    extensions = IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting(addresses=["fd00::9"]) / IPv6ExtHdrDestOpt()
    packet = IPv6(src="fd00::2", dst="fd00::3", hlim=3) / extensions / ICMPv6EchoRequest(id=5, seq=6, data=TOKEN)
    found = parse(ETHER / packet)
    assert found.ip is not None
    assert (found.ip.source, found.ip.ttl, found.ip.protocol) == ("fd00::2", 3, headers.PROTOCOL_ICMPV6)
    assert found.ip.identification is None
    assert found.icmp is not None
    assert (found.icmp.identifier, found.icmp.sequence, found.icmp.payload) == (5, 6, TOKEN)


def test_a_chain_of_extensions_has_an_end() -> None:
    """Nine extension headers are more than anyone sends; what follows is unknown."""
    packet = IPv6(src="fd00::2", dst="fd00::3")
    for _ in range(9):
        packet /= IPv6ExtHdrDestOpt()
    found = parse(ETHER / packet / ICMPv6EchoRequest())
    assert found.ip is not None
    assert found.ip.protocol is None
    assert found.icmp is None


@pytest.mark.parametrize("offset", [0, 185])
def test_only_the_first_fragment_has_an_icmp_header(offset: int) -> None:
    """Bytes in the middle of a packet are not mistaken for its start."""
    found = parse(ETHER / IP(src="10.0.0.2", dst="10.0.0.3", flags="MF", frag=offset, proto=1) / bytes(ECHO))
    assert found.ip is not None
    assert (found.ip.more_fragments, found.ip.fragment_offset) == (True, offset * 8)
    assert (found.icmp is not None) == (offset == 0)


def test_an_ipv6_fragment_tells_offset_and_id() -> None:
    """The fragment header is read, and ends the chain behind the first fragment."""
    fragment = IPv6ExtHdrFragment(offset=3, m=1, id=77, nh=58)
    found = parse(ETHER / IPv6(src="fd00::2", dst="fd00::3") / fragment / Raw(bytes(24)))
    assert found.ip is not None
    assert (found.ip.identification, found.ip.fragment_offset, found.ip.more_fragments) == (77, 24, True)
    assert found.icmp is None


def test_options_lengthen_the_header() -> None:
    """IPv4 options are kept apart from the payload."""
    found = parse(ETHER / IP(src="10.0.0.2", dst="10.0.0.3", options=[IPOption_Router_Alert()]) / ECHO)
    assert found.ip is not None
    assert (found.ip.header_length, found.ip.options) == (24, b"\x94\x04\x00\x00")
    assert found.icmp is not None
    assert found.icmp.payload == TOKEN


def test_padding_is_no_payload() -> None:
    """A frame filled to 60 bytes carries no more than its IP packet says."""
    found = headers.read(bytes(ETHER / IP(src="10.0.0.2", dst="10.0.0.3") / ICMP(type=8)) + bytes(18))
    assert found is not None
    assert found.icmp is not None
    assert found.icmp.payload == b""


def test_tags_are_skipped() -> None:
    """Two VLAN tags change nothing but where the packet starts."""
    found = parse(ETHER / Dot1AD(vlan=4) / Dot1Q(vlan=7) / IP(src="10.0.0.2", dst="10.0.0.3") / ECHO)
    assert found.ethertype == headers.ETHERTYPE_IPV4
    assert found.icmp is not None


def test_arp_tells_who_asks_for_whom() -> None:
    """All five fields."""
    found = parse(PACKETS["arp"]).arp
    assert found == headers.Arp(headers.ARP_REQUEST, A, "10.0.0.2", "00:00:00:00:00:00", "10.0.0.3")


@pytest.mark.parametrize(
    ("type_", "code", "words"),
    [
        (3, 0, "Destination Net Unreachable"),
        (3, 1, "Destination Host Unreachable"),
        (3, 13, "Packet filtered"),
        (11, 0, "Time to live exceeded"),
        (5, 1, "Redirect Host"),
        (12, 0, "Parameter problem"),
    ],
)
def test_an_icmp_error_quotes_the_probe(type_: int, code: int, words: str) -> None:
    """The inner packet is read as far as its payload."""
    inner = IPerror(src="10.0.0.2", dst="10.9.9.9", id=42) / ECHO
    error = icmp(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=type_, code=code, gw="10.0.0.9", ptr=8) / inner)
    assert error.error
    assert error.words == words
    assert error.gateway == ("10.0.0.9" if type_ == headers.REDIRECT else None)
    assert error.pointer == (8 if type_ == headers.PARAMETER_PROBLEM else None)
    assert error.quoted is not None
    assert (error.quoted.ip.destination, error.quoted.ip.identification) == ("10.9.9.9", 42)
    assert error.quoted.icmp is not None
    assert (error.quoted.icmp.identifier, error.quoted.icmp.sequence) == (0x1234, 7)
    assert error.quoted.icmp.payload == TOKEN


def test_frag_needed_tells_the_mtu() -> None:
    """The next hop's MTU is a number and part of the words."""
    message = ICMP(type=3, code=4, nexthopmtu=1400) / IPerror(src="10.0.0.2", dst="10.0.0.3") / ECHO
    error = icmp(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / message)
    assert (error.mtu, error.words) == (1400, "Frag needed and DF set (mtu = 1400)")


@pytest.mark.parametrize(
    ("message", "words", "mtu"),
    [
        (ICMPv6PacketTooBig(mtu=1280), "Packet too big: mtu=1280", 1280),
        (ICMPv6DestUnreach(code=0), "Destination unreachable: No route", None),
        (ICMPv6DestUnreach(code=3), "Destination unreachable: Address unreachable", None),
        (ICMPv6ParamProblem(code=1, ptr=40), "Parameter problem: Unknown header", None),
    ],
)
def test_an_icmpv6_error_quotes_the_probe(message: Packet, words: str, mtu: int | None) -> None:
    """Likewise for version 6."""
    inner = IPv6(src="fd00::2", dst="fd00::9") / ICMPv6EchoRequest(id=5, seq=6, data=TOKEN)
    error = icmp(ETHER / IPv6(src="fd00::1", dst="fd00::2") / message / inner)
    assert (error.words, error.mtu) == (words, mtu)
    assert error.quoted is not None
    assert error.quoted.ip.destination == "fd00::9"
    assert error.quoted.icmp is not None
    assert (error.quoted.icmp.sequence, error.quoted.icmp.payload) == (6, TOKEN)


def test_an_error_about_an_error_is_not_followed() -> None:
    """Quotes are read one deep, however deep they go."""
    inner = IP(src="10.0.0.2", dst="10.0.0.3") / ICMP(type=3, code=1) / IPerror(src="1.1.1.1", dst="2.2.2.2") / ECHO
    error = icmp(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=11) / bytes(inner))
    assert error.quoted is not None
    assert error.quoted.icmp is not None
    assert error.quoted.icmp.quoted is None


@pytest.mark.parametrize("ip", [IP(src="10.0.0.2", dst="10.0.0.3"), IPv6(src="fd00::2", dst="fd00::3")])
def test_udp_and_tcp_are_read_behind_either_ip(ip: Packet) -> None:
    """Each by itself, and without the padding of a short frame."""
    udp = headers.read(bytes(ETHER / ip / UDP(sport=4711, dport=53) / b"query") + bytes(9))
    assert udp is not None
    assert udp.udp == headers.Udp(4711, 53, 13, b"query")
    assert (udp.tcp, udp.icmp, udp.nd) == (None, None, None)
    tcp = headers.read(bytes(ETHER / ip / TCP(sport=4711, dport=53, seq=7, ack=8, flags="SA") / b"x") + bytes(9))
    assert tcp is not None
    assert tcp.tcp == headers.Tcp(4711, 53, 7, 8, 0x12, b"x")
    assert (tcp.udp, tcp.icmp, tcp.nd) == (None, None, None)


def test_neighbour_discovery_tells_target_and_mac() -> None:
    """Solicitation and advertisement, with and without the option."""
    assert parse(PACKETS["ns"]).nd == headers.Neighbour(advertisement=False, target="fd00::3", mac=A)
    answer = ICMPv6ND_NA(tgt="fd00::3", S=1, R=0) / ICMPv6NDOptDstLLAddr(lladdr=B)
    found = parse(ETHER / IPv6(src="fd00::3", dst="fd00::2") / answer).nd
    assert found == headers.Neighbour(advertisement=True, target="fd00::3", mac=B, solicited=True)
    bare = parse(ETHER / IPv6(src="fd00::3", dst="fd00::2") / ICMPv6ND_NA(tgt="fd00::3", S=0)).nd
    assert bare == headers.Neighbour(advertisement=True, target="fd00::3", mac=None)


def test_words_exist_for_every_type_and_code() -> None:
    """No message leaves us speechless, and only known ones are named like ping does."""
    assert icmp_words(4, 3, 99) == "Destination Unreachable, code 99"
    assert icmp_words(6, 3, 0) == "Time exceeded: Hop limit"
    assert icmp_words(6, 200, 1) == "ICMPv6 type 200 code 1"
    assert all(icmp_words(family, type_, code) for family in (4, 6) for type_ in range(256) for code in range(20))
