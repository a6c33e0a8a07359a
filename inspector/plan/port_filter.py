"""Tell the kernel which frames belong to TCP and UDP probes. Pure.

1. A frame is ours that leaves from a port of our sockets or goes to one, whatever its addresses: a translation changes
   those, and the port of our side rarely. Where a masquerade does change it (another connection has that port already),
   the hops behind are not accepted, and are hops unseen.
2. Of TCP what opens a connection or breaks it: SYN, SYN-ACK, RST. What is said over a connection is never kept.
3. A foreign connection that happens to have one of these ports is passed on until whoever reads the frames sees that
   it is not of this trace.
4. A published port's proxy opens connections of its own: those are known by whom they go to, others' among them.
5. ICMP errors and later fragments are accepted by address, as for echoes; they name no port at a fixed place.
6. IPv6 with extension headers before TCP or UDP is not accepted: the kernel puts none there.
"""

from msgspec import Struct

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

_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17}
_SYN_OR_RST = 0x06


class Wanted(Struct, frozen=True):
    """What of one family is ours."""

    protocol: Protocol
    ports: tuple[int, ...] = ()
    """Those our sockets leave from."""
    ends: tuple[str, ...] = ()
    """Whose errors and fragments are accepted."""
    neighbours: tuple[str, ...] = ()
    targets: tuple[tuple[str, int], ...] = ()
    """Address and port behind a published port: a proxy opens connections of its own to it."""


def port_program(plan: Plan, ports: tuple[int, ...]) -> bytes:
    """Return what every tap of the plan accepts, packed; `ports` are those the probes leave from."""
    ends = tuple(party.address for party in (plan.source, plan.destination) if party.address)
    targets: tuple[tuple[str, int], ...] = ()
    if plan.publication is not None:
        targets = ((plan.publication.address, plan.publication.port),)
        ends = (*ends, plan.publication.address)
    wanted = Wanted(plan.question.protocol, ports, ends, (*ends, *plan.neighbours), targets)
    return pack(program(wanted, carried(plan, ports)))


def program(wanted: Wanted, lines: Assembly | None = None) -> tuple[Instruction, ...]:
    """Accept what leaves from the ports or goes there, what goes to the targets or comes from there, and the rest.

    `lines` go ahead of all that.
    """
    lines = lines or Assembly()
    lines.load(LOAD_HALF, ETHERTYPE).when((ARP,), "arp").when((IPV4,), "four").when((IPV6,), "six").jump("reject")
    _four(lines.label("four"), wanted)
    _six(lines.label("six"), wanted)
    near = numbers_of(wanted.neighbours, 4)
    lines.label("arp").load(LOAD_WORD, NETWORK + 14).when(near, "accept")
    lines.load(LOAD_WORD, NETWORK + 24).when(near, "accept").jump("reject")
    return lines.finish()


def _four(lines: Assembly, wanted: Wanted) -> None:
    """Lay out IPv4 (RFC 791, 3.1) behind an Ethernet header."""
    protocol = _NUMBERS[wanted.protocol]
    lines.load(LOAD_HALF, NETWORK + 6).when_any(0x1FFF, "fragment4")
    lines.load(LOAD_X_IP_HEADER_LENGTH, NETWORK)
    lines.load(LOAD_BYTE, NETWORK + 9).when((protocol,), "segment4").unless(ICMP, "reject")
    lines.load(LOAD_BYTE_AT_X, NETWORK).when(V4_ERRORS, "addresses4").jump("reject")
    lines.label("segment4")
    _of_interest(lines, protocol, LOAD_BYTE_AT_X, NETWORK, "4")
    places = (NETWORK, NETWORK + 12, NETWORK + 16)
    _of_ports(lines, wanted, LOAD_HALF_AT_X, places, 4)
    lines.label("fragment4").load(LOAD_BYTE, NETWORK + 9).unless(protocol, "reject")
    ours = numbers_of(wanted.ends, 4)
    lines.label("addresses4").load(LOAD_WORD, NETWORK + 12).when(ours, "accept")
    lines.load(LOAD_WORD, NETWORK + 16).when(ours, "accept").jump("reject")


def _six(lines: Assembly, wanted: Wanted) -> None:
    """Lay out IPv6 (RFC 8200, 3), ICMPv6 errors (RFC 4443) and neighbour discovery (RFC 4861, 4.3) behind Ethernet."""
    message, protocol = NETWORK + 40, _NUMBERS[wanted.protocol]
    lines.load(LOAD_BYTE, NETWORK + 6).when((protocol,), "segment6").when((FRAGMENT,), "addresses6")
    lines.unless(ICMPV6, "reject")
    lines.load(LOAD_BYTE, message).when(V6_ERRORS, "addresses6").when(DISCOVERY, "discovery").jump("reject")
    near, ours = numbers_of(wanted.neighbours, V6), numbers_of(wanted.ends, V6)
    lines.label("discovery").load(LOAD_WORD, message + 20).when(near, "accept").jump("reject")
    lines.label("segment6")
    _of_interest(lines, protocol, LOAD_BYTE, message, "6")
    _of_ports(lines, wanted, LOAD_HALF, (message, NETWORK + 20, NETWORK + 36), V6)
    lines.label("addresses6").load(LOAD_WORD, NETWORK + 20).when(ours, "accept")
    lines.load(LOAD_WORD, NETWORK + 36).when(ours, "accept").jump("reject")


def _of_ports(lines: Assembly, wanted: Wanted, load: int, places: tuple[int, int, int], family: int) -> None:
    """Accept by port, or by a target's address and port; `places`: of the segment, of both addresses' last 32 bits."""
    segment, source, destination = places
    lines.load(load, segment).when(wanted.ports, "accept")
    lines.load(load, segment + 2).when(wanted.ports, "accept")
    for address, port in wanted.targets:
        for number in numbers_of((address,), family):
            for offset, at in ((segment, source), (segment + 2, destination)):
                skip = f"not {family} {number} {port} {offset}"
                lines.load(load, offset).unless(port, skip).load(LOAD_WORD, at).when((number,), "accept")
                lines.label(skip)
    lines.jump("reject")


def _of_interest(lines: Assembly, protocol: int, load: int, start: int, family: str) -> None:
    """Go on with segments that open or break a connection (RFC 9293, 3.1: the control bits are byte 13)."""
    if protocol == _NUMBERS[Protocol.TCP]:
        lines.load(load, start + 13).when_any(_SYN_OR_RST, f"ports{family}").jump("reject").label(f"ports{family}")
