"""Tell the kernel which frames belong to TCP and UDP probes. Pure.

1. A frame is ours that leaves from a port of our sockets or goes to one, whatever its addresses: a translation changes
   those, and the port of our side rarely. Where a masquerade does change it (another connection has that port already),
   the hops behind are not accepted, and are hops unseen.
2. Of TCP what opens a connection or breaks it: SYN, SYN-ACK, RST. What is said over a connection is never kept.
3. A foreign connection that happens to have one of these ports is passed on until whoever reads the frames sees that
   it is not of this trace.
4. ICMP errors and later fragments are accepted by address, as for echoes; they name no port at a fixed place.
5. IPv6 with extension headers before TCP or UDP is not accepted: the kernel puts none there.
"""

from collections.abc import Iterable

from inspector.model.question import Plan, Protocol
from inspector.plan.bpf import (
    LOAD_BYTE,
    LOAD_BYTE_AT_X,
    LOAD_HALF,
    LOAD_HALF_AT_X,
    LOAD_WORD,
    LOAD_X_IP_HEADER_LENGTH,
    Assembly,
    Instruction,
    pack,
)
from inspector.plan.filters import numbers_of

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _ICMPV6, _FRAGMENT = 1, 58, 44
_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17}
_V4_ERRORS, _V6_ERRORS = (3, 4, 5, 11, 12), (1, 2, 3, 4)
_V6_DISCOVERY = (135, 136)
_SYN_OR_RST = 0x06
_ETHERTYPE, _NETWORK, _V6 = 12, 14, 6


def port_program(plan: Plan, ports: tuple[int, ...]) -> bytes:
    """Return what every tap of the plan accepts, packed; `ports` are those the probes leave from."""
    ends = tuple(party.address for party in (plan.source, plan.destination) if party.address)
    return pack(
        program(
            family=plan.family,
            protocol=plan.question.protocol,
            ports=ports,
            addresses=ends,
            neighbours=(*ends, *plan.neighbours),
        )
    )


def program(
    *, family: int, protocol: Protocol, ports: Iterable[int], addresses: Iterable[str], neighbours: Iterable[str]
) -> tuple[Instruction, ...]:
    """Accept what leaves from `ports` or goes there, errors and fragments of `addresses`, ARP or ND of `neighbours`."""
    ours, near = numbers_of(addresses, family), numbers_of(neighbours, family)
    number = _NUMBERS[protocol]
    return (_program6 if family == _V6 else _program4)(number, tuple(ports), ours, near)


def _program4(
    protocol: int, ports: tuple[int, ...], ours: tuple[int, ...], near: tuple[int, ...]
) -> tuple[Instruction, ...]:
    """Lay out ARP (RFC 826) and IPv4 (RFC 791, 3.1) behind an Ethernet header."""
    lines = Assembly()
    lines.load(LOAD_HALF, _ETHERTYPE).when((_ARP,), "arp").unless(_IPV4, "reject")
    lines.load(LOAD_HALF, _NETWORK + 6).when_any(0x1FFF, "fragment")
    lines.load(LOAD_X_IP_HEADER_LENGTH, _NETWORK)
    lines.load(LOAD_BYTE, _NETWORK + 9).when((protocol,), "segment").unless(_ICMP, "reject")
    lines.load(LOAD_BYTE_AT_X, _NETWORK).when(_V4_ERRORS, "addresses").jump("reject")
    lines.label("segment")
    _of_interest(lines, protocol, LOAD_BYTE_AT_X, _NETWORK)
    lines.load(LOAD_HALF_AT_X, _NETWORK).when(ports, "accept")
    lines.load(LOAD_HALF_AT_X, _NETWORK + 2).when(ports, "accept").jump("reject")
    lines.label("fragment").load(LOAD_BYTE, _NETWORK + 9).unless(protocol, "reject")
    lines.label("addresses").load(LOAD_WORD, _NETWORK + 12).when(ours, "accept")
    lines.load(LOAD_WORD, _NETWORK + 16).when(ours, "accept").jump("reject")
    lines.label("arp").load(LOAD_WORD, _NETWORK + 14).when(near, "accept")
    lines.load(LOAD_WORD, _NETWORK + 24).when(near, "accept").jump("reject")
    return lines.finish()


def _program6(
    protocol: int, ports: tuple[int, ...], ours: tuple[int, ...], near: tuple[int, ...]
) -> tuple[Instruction, ...]:
    """Lay out IPv6 (RFC 8200, 3), ICMPv6 errors (RFC 4443) and neighbour discovery (RFC 4861, 4.3) behind Ethernet."""
    message = _NETWORK + 40
    lines = Assembly()
    lines.load(LOAD_HALF, _ETHERTYPE).unless(_IPV6, "reject")
    lines.load(LOAD_BYTE, _NETWORK + 6).when((protocol,), "segment").when((_FRAGMENT,), "addresses")
    lines.unless(_ICMPV6, "reject")
    lines.load(LOAD_BYTE, message).when(_V6_ERRORS, "addresses").when(_V6_DISCOVERY, "discovery").jump("reject")
    lines.label("discovery").load(LOAD_WORD, message + 20).when(near, "accept").jump("reject")
    lines.label("segment")
    _of_interest(lines, protocol, LOAD_BYTE, message)
    lines.load(LOAD_HALF, message).when(ports, "accept")
    lines.load(LOAD_HALF, message + 2).when(ports, "accept").jump("reject")
    lines.label("addresses").load(LOAD_WORD, _NETWORK + 20).when(ours, "accept")
    lines.load(LOAD_WORD, _NETWORK + 36).when(ours, "accept").jump("reject")
    return lines.finish()


def _of_interest(lines: Assembly, protocol: int, load: int, start: int) -> None:
    """Go on with segments that open or break a connection (RFC 9293, 3.1: the control bits are byte 13)."""
    if protocol == _NUMBERS[Protocol.TCP]:
        lines.load(load, start + 13).when_any(_SYN_OR_RST, "ports").jump("reject").label("ports")
