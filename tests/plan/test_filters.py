"""The programs accept what belongs to a trace and nothing else, here and in the kernel."""

import socket
import struct

import pytest
from bpf_machine import judge

from inspector.plan.bpf import SNAPSHOT, Instruction, pack
from inspector.plan.filters import answers, program
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet  # noqa: E402

IDENTIFIER = 0xBEEF
A, B, GATEWAY, OTHER = "172.18.0.2", "172.18.0.3", "172.18.0.1", "172.18.0.9"
A6, B6, GATEWAY6, OTHER6 = "fd00::2", "fd00::3", "fe80::42:acff:fe12:1", "fd00::9"
FOUR = program(family=4, addresses=(A, B, A6), neighbours=(A, B, GATEWAY), identifier=IDENTIFIER)
SIX = program(family=6, addresses=(A6, B6, A), neighbours=(A6, B6, GATEWAY6), identifier=IDENTIFIER)


def wire(*layers: Packet) -> bytes:
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for layer in layers:
        frame /= layer
    return bytes(frame)


ECHO = ICMP(type=8, id=IDENTIFIER, seq=1)
ECHO6 = ICMPv6EchoRequest(id=IDENTIFIER, seq=1)

CASES = [
    (True, FOUR, "echo", wire(IP(src=A, dst=B), ECHO)),
    (True, FOUR, "reply", wire(IP(src=B, dst=A), ICMP(type=0, id=IDENTIFIER))),
    (True, FOUR, "translated source", wire(IP(src=OTHER, dst=B), ECHO)),
    (True, FOUR, "options", wire(IP(src=A, dst=B, options=b"\x01" * 8), ECHO)),
    (True, FOUR, "later fragment", wire(IP(src=A, dst=B, frag=185, proto=1), b"x" * 40)),
    (True, FOUR, "error to us", wire(IP(src=GATEWAY, dst=A), ICMP(type=3, code=1), IP(src=A, dst=B), ECHO)),
    (True, FOUR, "time exceeded", wire(IP(src=OTHER, dst=A), ICMP(type=11), IP(src=A, dst=B), ECHO)),
    (
        True,
        FOUR,
        "error behind NAT",
        wire(IP(src=GATEWAY, dst=OTHER), ICMP(type=3, code=4), IP(src=OTHER, dst=B), ECHO),
    ),
    (False, FOUR, "error of others", wire(IP(src=GATEWAY, dst=OTHER), ICMP(type=3), IP(src=OTHER, dst=GATEWAY), ECHO)),
    (True, FOUR, "who has the gateway", wire(ARP(op=1, psrc=OTHER, pdst=GATEWAY))),
    (True, FOUR, "answer of a neighbour", wire(ARP(op=2, psrc=A, pdst=OTHER))),
    (
        True,
        SIX,
        "error behind NAT",
        wire(IPv6(src=GATEWAY6, dst=OTHER6), ICMPv6PacketTooBig(), IPv6(src=OTHER6, dst=B6), ECHO6),
    ),
    (
        False,
        SIX,
        "error of others",
        wire(IPv6(src=GATEWAY6, dst=OTHER6), ICMPv6PacketTooBig(), IPv6(src=OTHER6, dst=GATEWAY6), ECHO6),
    ),
    (False, FOUR, "another ping", wire(IP(src=A, dst=B), ICMP(type=8, id=1))),
    (False, FOUR, "another pair", wire(IP(src=OTHER, dst=GATEWAY), ECHO)),
    (False, FOUR, "udp", wire(IP(src=A, dst=B), UDP())),
    (False, FOUR, "tcp", wire(IP(src=A, dst=B), TCP())),
    (False, FOUR, "udp fragment", wire(IP(src=A, dst=B, frag=185, proto=17), b"x" * 40)),
    (False, FOUR, "strangers' arp", wire(ARP(op=1, psrc=OTHER, pdst="172.18.0.8"))),
    (False, FOUR, "the other family", wire(IPv6(src=A6, dst=B6), ECHO6)),
    (False, FOUR, "nothing", b""),
    (False, FOUR, "cut off", wire(IP(src=A, dst=B), ECHO)[:30]),
    (True, SIX, "echo", wire(IPv6(src=A6, dst=B6), ECHO6)),
    (True, SIX, "reply", wire(IPv6(src=B6, dst=A6), ICMPv6EchoReply(id=IDENTIFIER))),
    (True, SIX, "solicitation", wire(IPv6(src=OTHER6, dst="ff02::1:ff00:3"), ICMPv6ND_NS(tgt=B6))),
    (True, SIX, "advertisement", wire(IPv6(src=GATEWAY6, dst=A6), ICMPv6ND_NA(tgt=GATEWAY6))),
    (True, SIX, "unreachable", wire(IPv6(src=GATEWAY6, dst=A6), ICMPv6DestUnreach(), IPv6(src=A6, dst=B6), ECHO6)),
    (True, SIX, "too big", wire(IPv6(src=OTHER6, dst=A6), ICMPv6PacketTooBig(), IPv6(src=A6, dst=B6), ECHO6)),
    (True, SIX, "fragment", wire(IPv6(src=A6, dst=B6), IPv6ExtHdrFragment(offset=10, nh=58), b"x" * 40)),
    (False, SIX, "another ping", wire(IPv6(src=A6, dst=B6), ICMPv6EchoRequest(id=1))),
    (False, SIX, "another pair", wire(IPv6(src=OTHER6, dst="fd00::8"), ECHO6)),
    (False, SIX, "strangers' solicitation", wire(IPv6(src=A6, dst="ff02::1:ff00:9"), ICMPv6ND_NS(tgt=OTHER6))),
    (False, SIX, "router advertisement", wire(IPv6(src=GATEWAY6, dst="ff02::1"), ICMPv6ND_RA())),
    (False, SIX, "strangers' error", wire(IPv6(src=OTHER6, dst="fd00::8"), ICMPv6DestUnreach())),
    (False, SIX, "strangers' fragment", wire(IPv6(src=OTHER6, dst="fd00::8"), IPv6ExtHdrFragment(nh=58), b"x" * 40)),
    (False, SIX, "udp", wire(IPv6(src=A6, dst=B6), UDP())),
    (False, SIX, "arp", wire(ARP(psrc=A, pdst=B))),
]


@pytest.mark.parametrize(("accepted", "instructions", "name", "frame"), CASES)
def test_what_belongs_to_the_trace(
    accepted: bool,  # noqa: FBT001
    instructions: tuple[Instruction, ...],
    name: str,
    frame: bytes,
) -> None:
    assert judge(instructions, frame) == (SNAPSHOT if accepted else 0), name


def test_answers_are_replies_with_our_identifier() -> None:
    four, six = answers(family=4, identifier=IDENTIFIER), answers(family=6, identifier=IDENTIFIER)
    assert judge(four, bytes(IP(src=B, dst=A, options=b"\x01" * 4) / ICMP(type=0, id=IDENTIFIER)))
    assert not judge(four, bytes(IP(src=B, dst=A) / ICMP(type=0, id=1)))
    assert not judge(four, bytes(IP(src=B, dst=A) / ECHO))
    assert judge(six, bytes(ICMPv6EchoReply(id=IDENTIFIER)))
    assert not judge(six, bytes(ECHO6))
    assert not judge(six, bytes(ICMPv6EchoReply(id=2)))


def test_many_addresses_still_assemble() -> None:
    many = [f"10.0.{each >> 8}.{each & 255}" for each in range(600)]
    long = program(family=4, addresses=many, neighbours=many, identifier=7)
    assert judge(long, wire(IP(src=OTHER, dst=many[-1]), ICMP(type=8, id=7)))
    assert judge(long, wire(ARP(psrc=OTHER, pdst=many[-1])))
    assert not judge(long, wire(ARP(psrc=OTHER, pdst=B)))
    assert max(max(each.jt, each.jf) for each in long) <= 1


def test_no_address_at_all_accepts_nothing() -> None:
    empty = program(family=4, addresses=(), neighbours=(), identifier=1)
    assert not judge(empty, wire(IP(src=A, dst=B), ICMP(type=8, id=1)))
    assert not judge(empty, wire(ARP(psrc=A, pdst=B)))


@pytest.mark.parametrize("instructions", [FOUR, SIX, answers(family=4, identifier=1), answers(family=6, identifier=1)])
def test_the_kernel_takes_the_program(instructions: tuple[Instruction, ...]) -> None:
    from inspector.capture.syscalls import attach_filter

    packed = pack(instructions)
    assert len(packed) == 8 * len(instructions)
    assert struct.unpack_from("=HBBI", packed, len(packed) - 8) == (6, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        attach_filter(sock, packed)


def test_the_kernel_judges_alike() -> None:
    """A datagram socket filters from the UDP header on, so a frame behind eight bytes stands for one on a wire."""
    from inspector.capture.syscalls import attach_filter

    shifted = tuple(
        each._replace(k=each.k + 8) if each.code in {0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xB1} else each
        for each in FOUR
    )
    frames = [(accepted, frame) for accepted, instructions, _, frame in CASES if instructions is FOUR]
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0)
        attach_filter(receiver, pack(shifted))
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for _, frame in frames:
                sender.sendto(frame, receiver.getsockname())
        taken = []
        while True:
            try:
                taken.append(receiver.recv(4096))
            except BlockingIOError:
                break
    assert taken == [frame for accepted, frame in frames if accepted]
