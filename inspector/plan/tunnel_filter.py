"""Tell the kernel which frames of a VXLAN tunnel carry a packet of the trace. Pure.

1. An Ethernet frame stands behind an IP, a UDP and a VXLAN header (RFC 7348, 5): X holds how long the outer IP header
   is, and everything inside stands at a fixed distance from its end.
2. The inner IPv4 header is taken to have no options: the kernel puts none in what we send, and where somebody answers
   with some, the frames of the tunnel are hops unseen.
3. Inside, only the probe and its answers are accepted, ICMP errors and fragments by their addresses; no ARP.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from inspector.model.question import Plan, Protocol
from inspector.plan.bpf import (
    LOAD_BYTE,
    LOAD_BYTE_AT_X,
    LOAD_HALF,
    LOAD_HALF_AT_X,
    LOAD_WORD_AT_X,
    LOAD_X,
    LOAD_X_IP_HEADER_LENGTH,
    Assembly,
)
from inspector.plan.frames import ETHERTYPE, FRAGMENT, IPV4, IPV6, NETWORK, UDP, V6

_INNER = NETWORK + 8 + 8 + 14
"""Where the inner packet starts: behind an Ethernet header, X, UDP, VXLAN and another Ethernet header."""
_NUMBERS = {Protocol.ICMP: {4: 1, 6: 58}, Protocol.TCP: {4: 6, 6: 6}, Protocol.UDP: {4: 17, 6: 17}}
_ICMP = _NUMBERS[Protocol.ICMP]
_ECHOES = {4: (8, 0), 6: (128, 129)}
_ERRORS = {4: (3, 4, 5, 11, 12), 6: (1, 2, 3, 4)}
_HEADER = {4: 20, 6: 40}
_NEXT = {4: 9, 6: 6}
_ADDRESSES = {4: (12, 16), 6: (20, 36)}
"""Where source and destination stand in an IP header; of an IPv6 address the last 32 bits."""
_SYN_OR_RST = 0x06


def carried(plan: Plan, identifiers: Iterable[int]) -> Assembly:
    """Return the beginning of a program that accepts what a tunnel carries, and goes on with anything else."""
    lines = Assembly()
    if plan.passage is None:
        return lines
    lines.load(LOAD_HALF, ETHERTYPE).when((IPV4,), "outer4").when((IPV6,), "outer6").jump("bare")
    lines.label("outer4").load(LOAD_BYTE, NETWORK + 9).unless(UDP, "bare")
    lines.load(LOAD_HALF, NETWORK + 6).when_any(0x1FFF, "bare").load(LOAD_X_IP_HEADER_LENGTH, NETWORK).jump("outer")
    lines.label("outer6").load(LOAD_BYTE, NETWORK + 6).unless(UDP, "bare").load(LOAD_X, 40)
    lines.label("outer").load(LOAD_HALF_AT_X, NETWORK + 2).unless(plan.passage.port, "bare")
    lines.load(LOAD_HALF_AT_X, _INNER - 2).unless(IPV6 if plan.family == V6 else IPV4, "reject")
    _inside(lines, plan, tuple(identifiers))
    return lines.label("bare")


def _inside(lines: Assembly, plan: Plan, identifiers: tuple[int, ...]) -> None:
    family, protocol = plan.family, plan.question.protocol
    message = _INNER + _HEADER[family]
    if family == V6:
        lines.load(LOAD_BYTE_AT_X, _INNER + _NEXT[family]).when((FRAGMENT,), "inner addresses")
    else:
        lines.load(LOAD_HALF_AT_X, _INNER + 6).when_any(0x1FFF, "inner addresses")
    lines.load(LOAD_BYTE_AT_X, _INNER + _NEXT[family]).when((_NUMBERS[protocol][family],), "probe")
    lines.unless(_ICMP[family], "reject").jump("inner error").label("probe")
    if protocol is Protocol.ICMP:
        lines.load(LOAD_BYTE_AT_X, message).when(_ECHOES[family], "inner echo").jump("inner error")
        lines.label("inner echo").load(LOAD_HALF_AT_X, message + 4).when(identifiers, "accept").jump("reject")
    else:
        if protocol is Protocol.TCP:
            lines.load(LOAD_BYTE_AT_X, message + 13).when_any(_SYN_OR_RST, "inner ports").jump("reject")
            lines.label("inner ports")
        lines.load(LOAD_HALF_AT_X, message).when(identifiers, "accept")
        lines.load(LOAD_HALF_AT_X, message + 2).when(identifiers, "accept").jump("reject")
    ours = [int(ip_address(each)) & 0xFFFFFFFF for each in _ends(plan)]
    lines.label("inner error").load(LOAD_BYTE_AT_X, message).when(_ERRORS[family], "inner addresses").jump("reject")
    lines.label("inner addresses")
    for at in _ADDRESSES[family]:
        lines.load(LOAD_WORD_AT_X, _INNER + at).when(ours, "accept")
    lines.jump("reject")


def _ends(plan: Plan) -> list[str]:
    known = (each.address.partition("%")[0] for each in (plan.source, plan.destination) if each.address)
    return [each for each in known if ip_address(each).version == plan.family]
