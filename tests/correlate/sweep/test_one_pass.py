"""What is asked and what is answered: echoes, names, connections, MACs, and the errors in between."""

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Ether

from captures import MS, ROUTER, A, B, ip, pcap, told, told_bytes
from inspector.model.capture import Endpoint, Opening, Times

WEB, DB, NAT = "10.0.0.2", "10.0.0.3", "192.0.2.1"


def ping(sequence: int, *, reply: bool = False, source: str = WEB) -> Ether:
    ends = (DB, source) if reply else (source, DB)
    return ip(*ends, id=sequence) / ICMP(type=0 if reply else 8, id=9, seq=sequence) / b"a payload"


def test_echoes_are_matched_and_those_without_an_answer_named() -> None:
    asked = [("a", each * MS, ping(each)) for each in range(3)]
    answers = [("a", each * MS + 50 * (each + 1), ping(each, reply=True)) for each in (0, 2)]
    (each,) = told(*sorted(asked + answers, key=lambda one: one[1])).echoes
    assert (each.source, each.destination, each.identifier, each.sent, each.answered) == (WEB, DB, 9, 3, 2)
    assert (each.unanswered, each.rtt, each.interface) == ((1,), Times(50, 100, 150), "a")


def test_an_echo_at_several_interfaces_is_one_from_where_it_was_seen_first() -> None:
    frames = [("b", 10, ping(1)), ("a", 0, ping(1)), ("b", 20, ping(1, reply=True)), ("a", 40, ping(1, reply=True))]
    (each,) = told(*frames).echoes
    assert (each.interface, each.sent, each.rtt) == ("a", 1, Times(40, 40, 40))


def test_an_echo_that_was_rewritten_is_told_as_the_same() -> None:
    inside, outside = told(("in", 0, ping(1)), ("out", 9, ping(1, source=NAT))).echoes
    assert inside.origin is None
    assert outside.origin is not None
    assert outside.origin.source == Endpoint(WEB)


def test_echoes_of_version_6() -> None:
    asked = Ether(src=A, dst=B) / IPv6(src="fd00::2", dst="fd00::3") / ICMPv6EchoRequest(id=3, seq=1)
    answer = Ether(src=B, dst=A) / IPv6(src="fd00::3", dst="fd00::2") / ICMPv6EchoReply(id=3, seq=1)
    (each,) = told(("a", 0, asked), ("a", 9, answer)).echoes
    assert (each.source, each.answered) == ("fd00::2", 1)


def dns(source: str, destination: str, port: int, to: int, **fields: object) -> Ether:
    return ip(source, destination) / UDP(sport=port, dport=to) / DNS(id=5, qd=[DNSQR(qname="web.test")], **fields)


def reply(source: str, destination: str, port: int, to: int, **fields: object) -> Ether:
    return dns(source, destination, port, to, qr=1, **fields)


def test_a_name_is_asked_for_again_and_answered_once() -> None:
    asked = dns(WEB, DB, 4000, 53)
    answer = reply(DB, WEB, 53, 4000, an=[DNSRR(rrname="web.test", type="A", ttl=60, rdata="10.0.0.9")])
    (each,) = told(("a", 0, asked), ("a", 500 * MS, asked), ("a", 501 * MS, answer)).exchanges
    assert (each.name, each.type, each.asked, each.rcode) == ("web.test", "A", 2, "NOERROR")
    assert (each.elapsed_ns, each.answers, each.server) == (501 * MS, ("A 10.0.0.9",), Endpoint(DB, 53))


def test_the_engines_own_server_has_a_port_that_is_rewritten() -> None:
    asked, answer = dns("127.0.0.1", "127.0.0.11", 4000, 41523), reply("127.0.0.11", "127.0.0.1", 53, 4000, rcode=3)
    report = told(("lo", 0, asked), ("lo", 9, answer))
    (each,) = report.exchanges
    assert (each.rcode, each.server.port, each.answered_by) == ("NXDOMAIN", 41523, Endpoint("127.0.0.11", 53))
    (conversation,) = report.conversations
    assert (conversation.there.frames, conversation.back.frames) == (1, 1)


def test_a_question_that_is_asked_on_is_no_second_one() -> None:
    frames = (
        ("in", 0, dns(WEB, DB, 4000, 53)),
        ("out", 5, dns(NAT, DB, 4000, 53)),
        ("out", 8, reply(DB, NAT, 53, 4000)),
        ("in", 9, reply(DB, WEB, 53, 4000)),
    )
    first, on = told(*frames).exchanges
    assert (first.onward, on.onward, on.client) == (False, True, Endpoint(NAT, 4000))


def test_names_over_tcp_and_what_cannot_be_read() -> None:
    message = bytes(DNS(id=5, qd=[DNSQR(qname="web.test", qtype="AAAA")]))
    segment = TCP(sport=4000, dport=53, flags="PA", seq=1) / (len(message).to_bytes(2, "big") + message)
    report = told(
        ("a", 0, ip(WEB, DB) / segment),
        ("a", 1, ip(WEB, DB) / UDP(sport=4001, dport=53) / b"no DNS at all"),
        ("a", 2, reply(DB, WEB, 53, 4002)),
    )
    (each,) = report.exchanges
    assert (each.type, each.transport, each.rcode) == ("AAAA", "tcp", None)
    assert [words.split(" (")[0] for words in report.overlooked.others] == [
        "1 DNS answers have no question in the file",
        "1 DNS messages could not be read",
    ]


def segment(flags: str, *, back: bool = False, source: str = WEB) -> Ether:
    ends, ports = ((DB, source), (80, 4000)) if back else ((source, DB), (4000, 80))
    return ip(*ends) / TCP(sport=ports[0], dport=ports[1], flags=flags, seq=1)


@pytest.mark.parametrize(
    ("rest", "opening", "syns", "reset"),
    [
        ([], Opening.UNANSWERED, 1, None),
        ([("S", False, 1000 * MS)], Opening.UNANSWERED, 2, None),
        ([("RA", True, 5)], Opening.REFUSED, 1, Endpoint(DB, 80)),
        ([("SA", True, 5)], Opening.OPENED, 1, None),
        ([("SA", True, 5), ("R", False, 9)], Opening.OPENED, 1, Endpoint(WEB, 4000)),
    ],
)
def test_a_connection_begins_and_breaks(
    rest: list[tuple[str, bool, int]], opening: Opening, syns: int, reset: Endpoint | None
) -> None:
    frames = [("a", 0, segment("S")), *(("a", at, segment(flags, back=back)) for flags, back, at in rest)]
    (each,) = told(*frames).connections
    assert (each.opening, each.syns, each.reset_by) == (opening, syns, reset)
    assert each.handshake_ns == (5 if opening is Opening.OPENED else None)


def test_a_reset_without_a_beginning_and_a_connection_that_was_rewritten() -> None:
    (each,) = told(("a", 0, segment("R", back=True))).connections
    assert (each.opening, each.reset_by) == (Opening.UNSEEN, Endpoint(DB, 80))
    inside, outside = told(("in", 0, segment("S")), ("out", 9, segment("S", source=NAT))).connections
    assert (inside.origin, outside.origin and outside.origin.source) == (None, Endpoint(WEB, 4000))


def test_an_icmp_error_refuses_what_it_quotes() -> None:
    syn, asked = segment("S"), dns(WEB, DB, 4000, 53)
    said = [ip("10.0.0.1", WEB) / ICMP(type=3, code=13) / each[IP] for each in (syn, asked)]
    report = told(("a", 0, syn), ("a", 1, asked), *(("a", 9, each) for each in said), ("b", 9, said[0]))
    assert report.connections[0].opening is Opening.REFUSED
    assert report.connections[0].refusal == report.exchanges[0].refusal == "10.0.0.1 says Packet filtered"
    assert [(each.protocol, each.source.port, each.seen_at) for each in report.complaints] == [
        ("tcp", 4000, ("a", "b")),
        ("udp", 4000, ("a",)),
    ]


def arp(operation: int, source: str, target: str, mac: str = A) -> Ether:
    return Ether(src=mac, dst=B) / ARP(op=operation, hwsrc=mac, psrc=source, pdst=target)


def test_macs_are_asked_for_and_answered_by_one_by_two_or_by_none() -> None:
    report = told(
        ("a", 0, arp(1, WEB, DB)),
        ("a", 5, arp(2, DB, WEB, B)),
        ("a", 6, arp(2, DB, WEB, ROUTER)),
        ("a", 7, arp(1, WEB, "10.0.0.9")),
        ("a", 8 + 1000 * MS, arp(1, WEB, "10.0.0.9")),
        ("a", 9, arp(1, WEB, WEB)),
        ("a", 9, arp(1, "0.0.0.0", WEB)),
    )
    assert [(each.target, each.asked, each.macs, each.elapsed_ns) for each in report.neighbours] == [
        (DB, 1, (B, ROUTER), 5),
        ("10.0.0.9", 2, (), None),
    ]


def test_neighbour_discovery() -> None:
    asks = Ether(src=A) / IPv6(src="fe80::2", dst="ff02::1:ff00:3") / ICMPv6ND_NS(tgt="fe80::3")
    tells = Ether(src=ROUTER) / IPv6(src="fe80::3", dst="fe80::2") / ICMPv6ND_NA(tgt="fe80::3", S=1)
    (each,) = told(("a", 0, asks), ("a", 3, tells / ICMPv6NDOptDstLLAddr(lladdr=B))).neighbours
    assert (each.asker, each.target, each.macs) == ("fe80::2", "fe80::3", (B,))
    (each,) = told(("a", 0, asks), ("a", 3, tells)).neighbours
    assert each.macs == (ROUTER,)


def test_a_cooked_capture_tells_interfaces_by_number_and_directions() -> None:
    def frame(number: int, kind: int, ttl: int) -> bytes:
        cooked = CookedLinuxV2(proto=0x0800, ifindex=number, pkttype=kind, lladdrlen=6, src=b"\2" * 6 + b"\0\0")
        return bytes(cooked / IP(src=WEB, dst=DB, id=7, ttl=ttl) / TCP(sport=4000, dport=80, flags="S"))

    report = told_bytes(pcap([(0, frame(3, 0, 64)), (9, frame(5, 4, 63))], link=276))
    assert [each.name for each in report.interfaces] == ["any#3", "any#5"]
    (way,) = report.ways
    assert [(each.interface, each.heading) for each in way.sightings] == [("any#3", "in"), ("any#5", "out")]


@pytest.mark.parametrize("link", [113, 101, 228, 0, 108])
def test_other_link_types_hold_the_same_packets(link: int) -> None:
    packet = bytes(IP(src=WEB, dst=DB) / ICMP(type=8, id=9, seq=1))
    heads = {113: bytes(CookedLinux(proto=0x0800)), 0: b"\x02\0\0\0", 108: b"\0\0\0\x02"}
    report = told_bytes(pcap([(0, heads.get(link, b"") + packet)], link=link))
    assert (report.echoes[0].sent, report.interfaces[0].unread) == (1, 0)


def test_what_is_not_read_is_counted() -> None:
    report = told_bytes(pcap([(0, b"radio"), (1, b"waves")], link=105))
    assert (report.interfaces[0].unread, report.interfaces[0].link) == (2, "link type 105")
    frames = [Ether(type=0x88CC) / b"lldp", b"short", Ether(src=A, dst=B, type=0x0800) / b"\x45\0"]
    assert told(*(("a", at, each) for at, each in enumerate(frames))).interfaces[0].unread == 3
