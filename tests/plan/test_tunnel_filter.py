"""Of what a tunnel carries, the kernel is told to pass on the probe, its answers and errors, and nothing else."""

import struct

import pytest
from bpf_machine import judge
from overlays import AWAY, NODE, OWN, away, packed, packed6
from topologies import echo

from inspector.model.question import Plan, Protocol
from inspector.plan.bpf import Instruction
from inspector.plan.filters import program, tap_program
from inspector.plan.port_filter import Wanted
from inspector.plan.port_filter import program as port_program
from inspector.plan.tunnel_filter import carried
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402

OURS, FOREIGN = "10.0.9.3", "10.0.9.77"
ECHO = echo(OURS, AWAY)
"""Its identifier is 7."""


def echo_program(plan: Plan, identifier: int = 7) -> tuple[Instruction, ...]:
    near = (OURS, AWAY)
    return program(family=4, addresses=near, neighbours=near, identifier=identifier, lines=carried(plan, (identifier,)))


def frame(*layers: object) -> bytes:
    built = Ether()
    for each in layers:
        built = built / each
    return bytes(built)


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        (packed(ECHO), True),
        (packed(echo(AWAY, OURS, reply=True), back=True), True),
        (packed6(ECHO), True),
        (packed(frame(IP(src=FOREIGN, dst=OURS), ICMP(type=3, code=4), IP(src=OURS, dst=AWAY), ICMP(id=7))), True),
        (packed(frame(IP(src=OURS, dst=AWAY, frag=185, proto=1), b"x" * 40)), True),
        (ECHO, True),
        (packed(frame(IP(src=OURS, dst=AWAY), ICMP(type=8, id=8))), False),
        (packed(frame(IP(src=OURS, dst=AWAY), TCP(dport=80))), False),
        (packed(frame(IP(src=FOREIGN, dst="10.0.9.78"), ICMP(type=3), IP(), ICMP())), False),
        (packed(frame(ARP(psrc=OURS, pdst=AWAY))), False),
        (packed(ECHO, port=4790), False),
        (frame(IP(src="192.0.2.1", dst="192.0.2.2"), UDP(dport=4789), b"short"), False),
        (packed(ECHO)[:60], False),
    ],
    ids=[
        "echo", "reply", "outer IPv6", "error", "fragment", "bare", "another's echo", "TCP", "another's error", "ARP",
        "another port", "no VXLAN", "cut off",
    ],
)  # fmt: skip
def test_echoes(*, told: bytes, ours: bool) -> None:
    assert bool(judge(echo_program(away()), told)) is ours


@pytest.mark.parametrize(
    ("protocol", "layer", "ours"),
    [
        (Protocol.TCP, TCP(sport=40_001, dport=80, flags="S"), True),
        (Protocol.TCP, TCP(sport=80, dport=40_001, flags="RA"), True),
        (Protocol.TCP, TCP(sport=40_001, dport=80, flags="A"), False),
        (Protocol.TCP, TCP(sport=40_002, dport=80, flags="S"), False),
        (Protocol.UDP, UDP(sport=40_001, dport=53), True),
        (Protocol.UDP, UDP(sport=53, dport=40_009), False),
    ],
)
def test_ports(*, protocol: Protocol, layer: object, ours: bool) -> None:
    plan = away(protocol=protocol, port=80)
    wanted = Wanted(protocol, (40_001,), (OURS, AWAY), (OURS, AWAY))
    told = packed(frame(IP(src=OURS, dst=AWAY), layer))
    assert bool(judge(port_program(wanted, carried(plan, (40_001,))), told)) is ours


def test_what_the_other_node_refuses() -> None:
    error = frame(IP(src=NODE, dst=OWN), ICMP(type=3, code=3)) + packed(ECHO)[14:]
    foreign = frame(IP(src="192.0.2.9", dst=OWN), ICMP(type=3, code=3)) + packed(ECHO)[14 : 14 + 16] + bytes(40)
    code = [Instruction(*each) for each in struct.iter_unpack("=HBBI", tap_program(away(), 7))]
    assert judge(code, error)
    assert not judge(code, foreign)


def test_without_a_tunnel_nothing_is_written() -> None:
    plan = away(destination="n2")
    assert plan.passage is None
    assert carried(plan, (7,)).lines == []
    assert not judge(echo_program(plan), packed(ECHO))
