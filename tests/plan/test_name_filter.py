"""Which frames belong to a lookup: judged by a machine, and by the kernel."""

import socket

import pytest
from bpf_machine import judge

from inspector.plan.bpf import SNAPSHOT, pack
from inspector.plan.name_filter import name_program
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.dns import DNS, DNSQR, DNSRR  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ND_NS, IPv6  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet  # noqa: E402

SERVER, GATEWAY = "198.51.100.53", "172.18.0.1"
PROGRAM = name_program(
    names=(b"\x08tomcat02\0", b"\x08tomcat02\x07example\0", b"\x01a\0"),
    ports=(53, 40720),
    neighbours=(SERVER, GATEWAY, "fe80::1"),
)


def wire(*layers: Packet) -> bytes:
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for layer in layers:
        frame /= layer
    return bytes(frame)


def question(name: str, **more: object) -> DNS:
    return DNS(id=7, qd=DNSQR(qname=name, qtype="A"), **more)


HERE = IP(src="127.0.0.1", dst="127.0.0.11")
ANSWER = DNS(id=7, qr=1, qd=DNSQR(qname="tomcat02"), an=DNSRR(rrname="tomcat02", rdata="172.18.0.3"))

CASES = [
    (True, "query to a rewritten port", wire(HERE, UDP(sport=5, dport=40720), question("tomcat02"))),
    (
        True,
        "forwarded from anywhere",
        wire(IP(src="172.18.0.2", dst=SERVER), UDP(sport=9, dport=53), question("tomcat02")),
    ),
    (True, "answer", wire(IP(src="127.0.0.11", dst="127.0.0.1"), UDP(sport=53, dport=5), ANSWER)),
    (True, "search domain", wire(HERE, UDP(dport=40720), question("tomcat02.example"))),
    (True, "another case", wire(HERE, UDP(dport=40720), question("TomCat02"))),
    (True, "short name", wire(HERE, UDP(dport=40720), question("a"))),
    (True, "over IPv6", wire(IPv6(src="fd00::2", dst="fd00::53"), UDP(dport=53), question("tomcat02"))),
    (True, "IP options", wire(IP(dst=SERVER, options=b"\x01" * 8), UDP(dport=53), question("tomcat02"))),
    (True, "TCP to a server", wire(HERE, TCP(sport=5, dport=40720, flags="S"))),
    (True, "TCP from a server", wire(IP(src=SERVER), TCP(sport=53, dport=5, flags="SA"))),
    (True, "TCP over IPv6", wire(IPv6(dst="fd00::53"), TCP(sport=5, dport=53, flags="S"))),
    (True, "port unreachable", wire(IP(src="127.0.0.11", dst="127.0.0.1"), ICMP(type=3, code=3), HERE, UDP(dport=53))),
    (True, "unreachable over IPv6", wire(IPv6(dst="fd00::2"), ICMPv6DestUnreach(code=4))),
    (True, "ARP for the gateway", wire(ARP(op=1, psrc="172.18.0.2", pdst=GATEWAY))),
    (True, "solicitation of the gateway", wire(IPv6(dst="ff02::1:ff00:1"), ICMPv6ND_NS(tgt="fe80::1"))),
    (False, "another name", wire(HERE, UDP(sport=5, dport=53), question("tomdog02"))),
    (False, "a longer short name", wire(HERE, UDP(dport=53), question("ab"))),
    (False, "no DNS", wire(HERE, UDP(sport=5, dport=53))),
    (False, "TCP elsewhere", wire(HERE, TCP(sport=5, dport=8080))),
    (False, "ping", wire(HERE, ICMP(type=8))),
    (False, "ARP for others", wire(ARP(op=1, psrc="172.18.0.2", pdst="172.18.0.9"))),
]


@pytest.mark.parametrize(("wanted", "frame"), [pytest.param(wanted, frame, id=name) for wanted, name, frame in CASES])
def test_frames_are_judged(frame: bytes, *, wanted: bool) -> None:
    assert judge(PROGRAM, frame) == (SNAPSHOT if wanted else 0)


def test_the_kernel_takes_the_program() -> None:
    from inspector.capture.syscalls import attach_filter

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        attach_filter(sock, pack(PROGRAM))


def test_every_frame_cut_anywhere_has_a_verdict() -> None:
    for _wanted, _name, frame in CASES:
        for length in range(len(frame)):
            assert judge(PROGRAM, frame[:length]) in {0, SNAPSHOT}
