"""Tell the kernel which frames belong to a trace, so that a flood beside it never reaches us. Pure.

1. Where NAT gives the echo another identifier (it may on the way out to a network where that one is taken), the
   frame behind the NAT is not accepted: we ask for one identifier only, and a hop unseen is better than a flood seen.
2. An ICMP error is accepted for what it quotes, too: one about a packet behind NAT is not addressed to any of ours.
3. IPv6 addresses are compared by their last 32 bits; what slips through is sorted out by whoever reads the frames.
4. Every frame of others at these points passes the program, too: what tells them apart soonest is asked first.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from inspector.model.question import Plan
from inspector.plan.bpf import (
    LOAD_BYTE,
    LOAD_BYTE_AT_X,
    LOAD_HALF,
    LOAD_HALF_AT_X,
    LOAD_WORD,
    LOAD_WORD_AT_X,
    LOAD_X_IP_HEADER_LENGTH,
    Assembly,
    Instruction,
    pack,
)
from inspector.plan.frames import (
    ARP,
    DISCOVERY,
    ETHERTYPE,
    FRAGMENT,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    NETWORK,
    V4_ERRORS,
    V6,
    V6_ERRORS,
)
from inspector.plan.tunnel_filter import carried

_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_V6_ECHO_REQUEST, _V6_ECHO_REPLY = 128, 129

_ICMP_HEADER = 8
"""Behind it an error quotes the packet it is about."""


def tap_program(plan: Plan, identifier: int) -> bytes:
    """Return what every tap of the plan accepts, packed."""
    ends = tuple(party.address for party in (plan.source, plan.destination) if party.address)
    near = (*ends, *plan.neighbours)
    beneath = (plan.passage.node,) if plan.passage else ()
    errors = (*ends, *beneath)
    lines = carried(plan, (identifier,))
    return pack(program(family=plan.family, addresses=errors, neighbours=near, identifier=identifier, lines=lines))


def answer_program(plan: Plan, identifier: int) -> bytes:
    """Return what the sending socket of the plan accepts, packed."""
    return pack(answers(family=plan.family, identifier=identifier))


def program(
    *,
    family: int,
    addresses: Iterable[str],
    neighbours: Iterable[str],
    identifier: int,
    lines: Assembly | None = None,
) -> tuple[Instruction, ...]:
    """Accept the echoes with this identifier, the ICMP errors and the fragments of `addresses`, and neighbour talk.

    That is ARP from or for `neighbours`, or solicitations and advertisements of them. Addresses of the other family
    are left out. `lines` go ahead of all that.
    """
    ours, near = numbers_of(addresses, family), numbers_of(neighbours, family)
    write = _program6 if family == V6 else _program4
    return write(lines or Assembly(), ours, near, identifier)


def answers(*, family: int, identifier: int) -> tuple[Instruction, ...]:
    """Accept what a raw socket may hear in answer: echo replies with this identifier.

    A raw IPv4 socket filters from the IP header on (raw(7)), a raw IPv6 socket from the ICMPv6 header on (RFC 3542, 3).
    """
    lines = Assembly()
    if family == V6:
        lines.load(LOAD_BYTE, 0).unless(_V6_ECHO_REPLY, "reject").load(LOAD_HALF, 4)
    else:
        lines.load(LOAD_X_IP_HEADER_LENGTH, 0).load(LOAD_BYTE_AT_X, 0).unless(_ECHO_REPLY, "reject")
        lines.load(LOAD_HALF_AT_X, 4)
    return lines.unless(identifier, "reject").finish()


def _program4(
    lines: Assembly, ours: tuple[int, ...], near: tuple[int, ...], identifier: int
) -> tuple[Instruction, ...]:
    """Lay out ARP (RFC 826), IPv4 (RFC 791, 3.1) and ICMP (RFC 792) behind an Ethernet header."""
    lines.load(LOAD_HALF, ETHERTYPE).when((ARP,), "arp").unless(IPV4, "reject")
    lines.load(LOAD_BYTE, NETWORK + 9).unless(ICMP, "reject")
    lines.load(LOAD_HALF, NETWORK + 6).when_any(0x1FFF, "addresses")
    lines.load(LOAD_X_IP_HEADER_LENGTH, NETWORK).load(LOAD_BYTE_AT_X, NETWORK)
    lines.when((_ECHO_REQUEST, _ECHO_REPLY), "echo").when(V4_ERRORS, "error").jump("addresses")
    lines.label("echo").load(LOAD_HALF_AT_X, NETWORK + 4).unless(identifier, "reject").jump("addresses")
    lines.label("error")
    for address in (12, 16):
        lines.load(LOAD_WORD_AT_X, NETWORK + _ICMP_HEADER + address).when(ours, "accept")
    lines.label("addresses").load(LOAD_WORD, NETWORK + 12).when(ours, "accept")
    lines.load(LOAD_WORD, NETWORK + 16).when(ours, "accept").jump("reject")
    lines.label("arp").load(LOAD_WORD, NETWORK + 14).when(near, "accept")
    lines.load(LOAD_WORD, NETWORK + 24).when(near, "accept").jump("reject")
    return lines.finish()


def _program6(
    lines: Assembly, ours: tuple[int, ...], near: tuple[int, ...], identifier: int
) -> tuple[Instruction, ...]:
    """Lay out IPv6 (RFC 8200, 3), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861, 4.3) behind Ethernet."""
    message = NETWORK + 40
    lines.load(LOAD_HALF, ETHERTYPE).unless(IPV6, "reject")
    lines.load(LOAD_BYTE, NETWORK + 6).when((FRAGMENT,), "addresses").unless(ICMPV6, "reject")
    lines.load(LOAD_BYTE, message).when((_V6_ECHO_REQUEST, _V6_ECHO_REPLY), "echo").when(V6_ERRORS, "quoting")
    lines.when(DISCOVERY, "discovery").jump("reject")
    lines.label("quoting")
    for start in (NETWORK, message + _ICMP_HEADER):
        lines.load(LOAD_WORD, start + 20).when(ours, "accept").load(LOAD_WORD, start + 36).when(ours, "accept")
    lines.jump("reject")
    lines.label("discovery").load(LOAD_WORD, message + 20).when(near, "accept").jump("reject")
    lines.label("echo").load(LOAD_HALF, message + 4).unless(identifier, "reject")
    lines.label("addresses").load(LOAD_WORD, NETWORK + 20).when(ours, "accept")
    lines.load(LOAD_WORD, NETWORK + 36).when(ours, "accept").jump("reject")
    return lines.finish()


def numbers_of(addresses: Iterable[str], family: int) -> tuple[int, ...]:
    """Return the last 32 bits of the addresses of one family, each once."""
    parsed = (ip_address(each) for each in addresses)
    return tuple(dict.fromkeys(int(each) & 0xFFFFFFFF for each in parsed if each.version == family))
