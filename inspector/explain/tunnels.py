"""What is known of the VXLAN tunnel that a trace leaves this node by. Pure."""

import errno
from ipaddress import ip_address

from msgspec import Struct

from inspector.explain.case import Case
from inspector.explain.sizes import crossing
from inspector.model.recording import Failed
from inspector.model.report import Rule
from inspector.model.sentence import say
from inspector.model.size import packet_length
from inspector.model.topology import Link
from inspector.model.tunnel import Passage

OVERHEAD = {4: 20 + 8 + 8 + 14, 6: 40 + 8 + 8 + 14}
"""Bytes that a tunnel adds to a packet: an IP header, UDP, VXLAN, and the inner Ethernet header (RFC 7348, 5)."""


class Crossed(Struct, frozen=True):
    """A tunnel, the link into it, and the link that its datagrams leave by."""

    passage: Passage
    mouth: Link
    uplink: Link

    @property
    def overhead(self) -> int:
        """Bytes that the tunnel adds to a packet."""
        return OVERHEAD[ip_address(self.passage.node).version]

    @property
    def room(self) -> int:
        """The largest packet that fits the uplink as a datagram of the tunnel."""
        return self.uplink.mtu - self.overhead


def crossed(case: Case) -> Crossed | None:
    """Return the tunnel of the request's way; None where there is none, or its uplink is not known."""
    plan = case.recording.plan
    links = [link for step in (*plan.request, *plan.beyond) if (link := case.topology.link(step.point.link))]
    mouth = next((number for number, each in enumerate(links) if each.tunnel), None)
    if plan.passage is None or mouth is None or mouth + 1 >= len(links):
        return None
    return Crossed(plan.passage, links[mouth], links[mouth + 1])


def rule_beneath(case: Case) -> Rule | None:
    """Return the rule that stopped the packet, where it met it as a datagram of the tunnel."""
    tunnel, rule = crossed(case), case.verdict.rule
    return rule if tunnel and rule and rule.sandbox == tunnel.uplink.sandbox else None


def silent_next_hop(case: Case) -> str | None:
    """Return the address beneath the tunnel that was asked for by ARP or ND in vain, where that stopped the packet."""
    tunnel = crossed(case)
    if tunnel is None or case.verdict.reason != "neighbour unanswered":
        return None
    at = f"{tunnel.uplink.sandbox}/{tunnel.uplink.name}"
    return next((address for address, mac, point in case.resolutions if mac is None and point == at), None)


def too_large(case: Case) -> str | None:
    """Say how it is known that a packet was too large for the tunnel's uplink; None where it was not, or is not known.

    The kernel answers from the tunnel's link in the destination's name (skb_tunnel_check_pmtu, Linux 5.9).
    """
    tunnel = crossed(case)
    if tunnel is None or packet_length(case.recording.plan) <= tunnel.room:
        return None
    for told in case.complaints:
        if told.mtu is not None and told.first_seen.sandbox == tunnel.mouth.sandbox:
            return say(
                "{words}, first seen at {first_seen}: the tunnel's own link says so, as {by}",
                words=told.words,
                first_seen=told.first_seen,
                by=told.by,
            )
    for each in case.recording.probes:
        if isinstance(each, Failed) and each.errno == errno.EMSGSIZE and each.mtu == tunnel.room:
            return say(
                "{why}: {source} was told earlier that the way carries {mtu}",
                why=each.why,
                source=case.recording.plan.source.label,
                mtu=each.mtu,
            )
    found = crossing(case)
    if case.verdict.rule is None and found and found.narrow.key == tunnel.uplink.key:
        return say(
            "a packet of {largest} bytes was last seen at {last_seen}, never at {narrow}",
            largest=found.largest,
            last_seen=found.last_seen,
            narrow=found.narrow.name,
        )
    return None
