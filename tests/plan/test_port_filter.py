"""The programs for TCP and UDP accept what belongs to a trace and nothing else."""

import pytest
from bpf_machine import judge

from inspector.model.question import Protocol
from inspector.plan.bpf import SNAPSHOT, Instruction
from inspector.plan.port_filter import Wanted, program
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

A, B, OTHER, GATEWAY = "172.18.0.2", "172.18.0.3", "172.18.0.9", "172.18.0.1"
A6, B6, OTHER6 = "fd00::2", "fd00::3", "fd00::9"
PORTS = (40_001, 40_002)


def made(family: int, protocol: Protocol) -> tuple[Instruction, ...]:
    ends = (A, B) if family == 4 else (A6, B6)
    return program(Wanted(protocol, PORTS, ends, (*ends, GATEWAY) if family == 4 else ends))


TCP4, UDP4 = made(4, Protocol.TCP), made(4, Protocol.UDP)
TCP6, UDP6 = made(6, Protocol.TCP), made(6, Protocol.UDP)

PROXIED = program(Wanted(Protocol.TCP, PORTS, targets=((B, 80), (B6, 80))))


def wire(*layers: Packet) -> bytes:
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for layer in layers:
        frame /= layer
    return bytes(frame)


SYN, ANSWER = TCP(sport=40_002, dport=80, flags="S"), TCP(sport=80, dport=40_001, flags="SA")
ASKED = UDP(sport=40_001, dport=53)

CASES = [
    (True, TCP4, "syn", wire(IP(src=A, dst=B), SYN)),
    (True, TCP4, "translated syn", wire(IP(src=OTHER, dst=GATEWAY), SYN)),
    (True, TCP4, "syn behind options", wire(IP(src=A, dst=B, options=b"\x01" * 8), SYN)),
    (True, TCP4, "syn-ack", wire(IP(src=B, dst=A), ANSWER)),
    (True, TCP4, "rst", wire(IP(src=B, dst=A), TCP(sport=80, dport=40_001, flags="R"))),
    (True, TCP4, "error", wire(IP(src=OTHER, dst=A), ICMP(type=3), IP(src=A, dst=B), SYN)),
    (True, TCP4, "arp", wire(ARP(op=1, psrc=OTHER, pdst=GATEWAY))),
    (False, TCP4, "data", wire(IP(src=A, dst=B), TCP(sport=40_001, dport=80, flags="PA"), Raw(b"secret"))),
    (False, TCP4, "ack", wire(IP(src=A, dst=B), TCP(sport=40_001, dport=80, flags="A"))),
    (False, TCP4, "another flow", wire(IP(src=A, dst=B), TCP(sport=40_003, dport=80, flags="S"))),
    (False, TCP4, "udp", wire(IP(src=A, dst=B), ASKED)),
    (False, TCP4, "echo", wire(IP(src=A, dst=B), ICMP(type=8))),
    (False, TCP4, "error of others", wire(IP(src=OTHER, dst=GATEWAY), ICMP(type=3), IP(src=OTHER), SYN)),
    (False, TCP4, "fragment of udp", wire(IP(src=A, dst=B, frag=3, proto=17), b"x" * 40)),
    (True, TCP4, "the other family", wire(IPv6(src=A6, dst=B6), SYN)),
    (True, PROXIED, "a proxy's connection", wire(IP(src=GATEWAY, dst=B), TCP(sport=9, dport=80, flags="S"))),
    (True, PROXIED, "the answer to it", wire(IP(src=B, dst=GATEWAY), TCP(sport=80, dport=9, flags="SA"))),
    (True, PROXIED, "over ipv6", wire(IPv6(src=A6, dst=B6), TCP(sport=9, dport=80, flags="S"))),
    (False, PROXIED, "another port of it", wire(IP(src=GATEWAY, dst=B), TCP(sport=9, dport=81, flags="S"))),
    (False, PROXIED, "that port of another", wire(IP(src=GATEWAY, dst=OTHER), TCP(sport=9, dport=80, flags="S"))),
    (False, PROXIED, "what is said", wire(IP(src=GATEWAY, dst=B), TCP(sport=9, dport=80, flags="PA"))),
    (True, UDP4, "asked", wire(IP(src=A, dst=B), ASKED)),
    (True, UDP4, "answered", wire(IP(src=B, dst=A), UDP(sport=53, dport=40_002))),
    (True, UDP4, "later fragment", wire(IP(src=A, dst=B, frag=185, proto=17), b"x" * 40)),
    (False, UDP4, "later fragment of others", wire(IP(src=OTHER, dst=GATEWAY, frag=185, proto=17), b"x" * 40)),
    (False, UDP4, "tcp", wire(IP(src=A, dst=B), SYN)),
    (False, UDP4, "others", wire(IP(src=A, dst=B), UDP(sport=5, dport=53))),
    (True, TCP6, "syn", wire(IPv6(src=A6, dst=B6), SYN)),
    (True, TCP6, "syn-ack", wire(IPv6(src=B6, dst=A6), ANSWER)),
    (True, TCP6, "error", wire(IPv6(src=OTHER6, dst=A6), ICMPv6DestUnreach(), IPv6(src=A6, dst=B6), SYN)),
    (True, TCP6, "solicitation", wire(IPv6(src=OTHER6, dst="ff02::1"), ICMPv6ND_NS(tgt=B6))),
    (False, TCP6, "solicitation of others", wire(IPv6(src=OTHER6, dst="ff02::1"), ICMPv6ND_NS(tgt=OTHER6))),
    (False, TCP6, "data", wire(IPv6(src=A6, dst=B6), TCP(sport=40_001, dport=80, flags="PA"))),
    (False, TCP6, "echo", wire(IPv6(src=A6, dst=B6), ICMPv6EchoRequest())),
    (False, TCP6, "arp", wire(ARP(op=1, psrc=A, pdst=GATEWAY))),
    (True, UDP6, "asked", wire(IPv6(src=A6, dst=B6), ASKED)),
    (True, UDP6, "fragment", wire(IPv6(src=A6, dst=B6), IPv6ExtHdrFragment(offset=185, nh=17), b"x" * 40)),
    (False, UDP6, "others", wire(IPv6(src=A6, dst=B6), UDP(sport=5, dport=53))),
]


@pytest.mark.parametrize(("accepted", "program", "name", "frame"), CASES, ids=[each[2] for each in CASES])
def test_it_judges(accepted: bool, program: tuple[Instruction, ...], name: str, frame: bytes) -> None:  # noqa: FBT001
    assert judge(program, frame) == (SNAPSHOT if accepted else 0), name


@pytest.mark.parametrize("program", [TCP4, UDP4, TCP6, UDP6])
def test_a_frame_cut_short_is_refused(program: tuple[Instruction, ...]) -> None:
    whole = wire(IP(src=A, dst=B), ASKED) if program is UDP4 else wire(IP(src=A, dst=B), SYN)
    assert all(judge(program, whole[:length]) == 0 for length in range(34))
