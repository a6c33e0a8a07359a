"""Tell the kernel which frames belong to a trace, so that a flood beside it never reaches us. Pure.

The programs are classic BPF (linux/filter.h; McCanne and Jacobson, 1993). Rules:

1. A name in `goto` means a later `label`; jumps only go forward, so every program ends.
2. 802.1Q tags do not shift the offsets: the kernel takes them out before a packet socket sees the frame.
3. Where NAT gives the echo another identifier (it may on the way out to a network where that one is taken), the
   frame behind the NAT is not accepted: we ask for one identifier only, and a hop unseen is better than a flood seen.
4. IPv6 addresses are compared by their last 32 bits; what slips through is sorted out by whoever reads the frames.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple, Self

from inspector.model.question import Plan

SNAPSHOT = 0x40000
"""What an accepting program returns: the number of bytes to keep, which is all of them."""

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
"""BPF_LD | BPF_ABS with BPF_W, BPF_H, BPF_B"""
_LOAD_HALF_AT_X, _LOAD_BYTE_AT_X = 0x48, 0x50
"""BPF_LD | BPF_IND"""
_LOAD_X_IP_HEADER_LENGTH = 0xB1
"""BPF_LDX | BPF_MSH | BPF_B: four times the lower half of the byte"""
_JUMP, _JUMP_EQUAL, _JUMP_BITS = 0x05, 0x15, 0x45
"""BPF_JMP with BPF_JA, BPF_JEQ, BPF_JSET"""
_RETURN = 0x06

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _ICMPV6, _FRAGMENT = 1, 58, 44
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_V6_ECHO_REQUEST, _V6_ECHO_REPLY = 128, 129
_V6_SOLICITATION, _V6_ADVERTISEMENT = 135, 136
_V6_ERRORS = (1, 2, 3, 4)

_ETHERTYPE = 12
_NETWORK = 14
"""Where the packet starts in an Ethernet frame."""
_V6 = 6


class Instruction(NamedTuple):
    """One `struct sock_filter` (linux/filter.h)."""

    code: int
    jt: int
    jf: int
    k: int


def tap_program(plan: Plan, identifier: int) -> bytes:
    """Return what every tap of the plan accepts, packed."""
    ends = tuple(party.address for party in (plan.source, plan.destination) if party.address)
    near = (*ends, *plan.neighbours)
    return pack(program(family=plan.family, addresses=ends, neighbours=near, identifier=identifier))


def answer_program(plan: Plan, identifier: int) -> bytes:
    """Return what the sending socket of the plan accepts, packed."""
    return pack(answers(family=plan.family, identifier=identifier))


def program(
    *, family: int, addresses: Iterable[str], neighbours: Iterable[str], identifier: int
) -> tuple[Instruction, ...]:
    """Accept the echoes with this identifier, the ICMP errors and the fragments of `addresses`, and neighbour talk.

    That is ARP from or for `neighbours`, or solicitations and advertisements of them. Addresses of the other family
    are left out.
    """
    ours, near = _numbers(addresses, family), _numbers(neighbours, family)
    return _program6(ours, near, identifier) if family == _V6 else _program4(ours, near, identifier)


def answers(*, family: int, identifier: int) -> tuple[Instruction, ...]:
    """Accept what a raw socket may hear in answer: echo replies with this identifier.

    A raw IPv4 socket filters from the IP header on (raw(7)), a raw IPv6 socket from the ICMPv6 header on (RFC 3542, 3).
    """
    lines = _Assembly()
    if family == _V6:
        lines.load(_LOAD_BYTE, 0).unless(_V6_ECHO_REPLY, "reject").load(_LOAD_HALF, 4)
    else:
        lines.load(_LOAD_X_IP_HEADER_LENGTH, 0).load(_LOAD_BYTE_AT_X, 0).unless(_ECHO_REPLY, "reject")
        lines.load(_LOAD_HALF_AT_X, 4)
    return lines.unless(identifier, "reject").finish()


def pack(instructions: Iterable[Instruction]) -> bytes:
    """Write the program as SO_ATTACH_FILTER reads it: native `struct sock_filter { u16 code; u8 jt, jf; u32 k; }`."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def _program4(ours: tuple[int, ...], near: tuple[int, ...], identifier: int) -> tuple[Instruction, ...]:
    """Lay out ARP (RFC 826), IPv4 (RFC 791, 3.1) and ICMP (RFC 792) behind an Ethernet header."""
    lines = _Assembly()
    lines.load(_LOAD_HALF, _ETHERTYPE).when((_ARP,), "arp").unless(_IPV4, "reject")
    lines.load(_LOAD_BYTE, _NETWORK + 9).unless(_ICMP, "reject")
    lines.load(_LOAD_WORD, _NETWORK + 12).when(ours, "ours")
    lines.load(_LOAD_WORD, _NETWORK + 16).when(ours, "ours").jump("reject")
    lines.label("ours").load(_LOAD_HALF, _NETWORK + 6).when_any(0x1FFF, "accept")
    lines.load(_LOAD_X_IP_HEADER_LENGTH, _NETWORK).load(_LOAD_BYTE_AT_X, _NETWORK)
    lines.when((_ECHO_REQUEST, _ECHO_REPLY), "echo").jump("accept")
    lines.label("echo").load(_LOAD_HALF_AT_X, _NETWORK + 4).when((identifier,), "accept").jump("reject")
    lines.label("arp").load(_LOAD_WORD, _NETWORK + 14).when(near, "accept")
    lines.load(_LOAD_WORD, _NETWORK + 24).when(near, "accept").jump("reject")
    return lines.finish()


def _program6(ours: tuple[int, ...], near: tuple[int, ...], identifier: int) -> tuple[Instruction, ...]:
    """Lay out IPv6 (RFC 8200, 3), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861, 4.3) behind Ethernet."""
    message = _NETWORK + 40
    lines = _Assembly()
    lines.load(_LOAD_HALF, _ETHERTYPE).unless(_IPV6, "reject")
    lines.load(_LOAD_BYTE, _NETWORK + 6).when((_FRAGMENT,), "addresses").unless(_ICMPV6, "reject")
    lines.load(_LOAD_BYTE, message).when((_V6_ECHO_REQUEST, _V6_ECHO_REPLY), "echo").when(_V6_ERRORS, "addresses")
    lines.when((_V6_SOLICITATION, _V6_ADVERTISEMENT), "discovery").jump("reject")
    lines.label("discovery").load(_LOAD_WORD, message + 20).when(near, "accept").jump("reject")
    lines.label("echo").load(_LOAD_HALF, message + 4).unless(identifier, "reject")
    lines.label("addresses").load(_LOAD_WORD, _NETWORK + 20).when(ours, "accept")
    lines.load(_LOAD_WORD, _NETWORK + 36).when(ours, "accept").jump("reject")
    return lines.finish()


def _numbers(addresses: Iterable[str], family: int) -> tuple[int, ...]:
    parsed = (ip_address(each) for each in addresses)
    return tuple(dict.fromkeys(int(each) & 0xFFFFFFFF for each in parsed if each.version == family))


@dataclass(slots=True)
class _Assembly:
    """Instructions with names for jump targets; every far jump is a BPF_JA, whose offset has 32 bits."""

    lines: list[tuple[Instruction, str | None]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def load(self, code: int, offset: int) -> Self:
        self.lines.append((Instruction(code, 0, 0, offset), None))
        return self

    def when(self, values: Iterable[int], label: str) -> Self:
        for value in values:
            self.lines.append((Instruction(_JUMP_EQUAL, 0, 1, value), None))
            self.jump(label)
        return self

    def unless(self, value: int, label: str) -> Self:
        self.lines.append((Instruction(_JUMP_EQUAL, 1, 0, value), None))
        return self.jump(label)

    def when_any(self, bits: int, label: str) -> Self:
        self.lines.append((Instruction(_JUMP_BITS, 0, 1, bits), None))
        return self.jump(label)

    def jump(self, label: str) -> Self:
        self.lines.append((Instruction(_JUMP, 0, 0, 0), label))
        return self

    def label(self, label: str) -> Self:
        self.labels[label] = len(self.lines)
        return self

    def finish(self) -> tuple[Instruction, ...]:
        """End with both outcomes (falling off the last line accepts) and turn the names into distances."""
        self.label("accept").load(_RETURN, SNAPSHOT).label("reject").load(_RETURN, 0)
        return tuple(
            instruction if label is None else instruction._replace(k=self.labels[label] - position - 1)
            for position, (instruction, label) in enumerate(self.lines)
        )
