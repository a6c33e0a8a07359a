"""How large a probe is, and what the links of its way carry."""

from collections.abc import Iterable

from inspector.model.question import Plan, Protocol, Step
from inspector.model.topology import Link, Topology

_IP = {4: 20, 6: 40}
"""Bytes of an IP header without options (RFC 791, RFC 8200)."""
_TRANSPORT = {Protocol.ICMP: 8, Protocol.UDP: 8, Protocol.TCP: 20}
"""Bytes of an ICMP echo's header (RFC 792, RFC 4443), of a datagram's (RFC 768), and of a segment's without options
(RFC 9293, 3.1): which options a SYN has depends on settings of its stack."""


def packet_length(plan: Plan) -> int:
    """Return the bytes of one probe as an IP packet, which is what an MTU counts; of a SYN at least so many."""
    payload = 0 if plan.question.protocol is Protocol.TCP else plan.question.size
    return headers_length(plan) + payload


def headers_length(plan: Plan) -> int:
    """Return the bytes ahead of a probe's payload, from the IP header on."""
    return _IP[plan.family] + _TRANSPORT[plan.question.protocol]


def links_of(topology: Topology, steps: Iterable[Step]) -> tuple[Link, ...]:
    """Return the links of a way, each once."""
    found = (topology.link(key) for key in dict.fromkeys(step.point.link for step in steps))
    return tuple(each for each in found if each)


def narrowest(topology: Topology, steps: Iterable[Step]) -> Link | None:
    """Return the first of the links of a way that carry least; None where no link is known."""
    return min((each for each in links_of(topology, steps) if each.mtu), key=lambda link: link.mtu, default=None)
