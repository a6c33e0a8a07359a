"""How large a probe is, and what the links of its way carry."""

from collections.abc import Iterable

from inspector.model.question import Plan, Step
from inspector.model.topology import Link, Topology

HEADERS = {4: 20 + 8, 6: 40 + 8}
"""Bytes of an IP header (RFC 791, RFC 8200) and of an ICMP echo's (RFC 792, RFC 4443)."""


def packet_length(plan: Plan) -> int:
    """Return the bytes of one probe as an IP packet, which is what an MTU counts."""
    return plan.question.size + HEADERS[plan.family]


def links_of(topology: Topology, steps: Iterable[Step]) -> tuple[Link, ...]:
    """Return the links of a way, each once."""
    found = (topology.link(key) for key in dict.fromkeys(step.point.link for step in steps))
    return tuple(each for each in found if each)


def narrowest(topology: Topology, steps: Iterable[Step]) -> Link | None:
    """Return the first of the links of a way that carry least; None where no link is known."""
    return min((each for each in links_of(topology, steps) if each.mtu), key=lambda link: link.mtu, default=None)
