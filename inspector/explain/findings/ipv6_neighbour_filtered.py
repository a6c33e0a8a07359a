"""IPv6 alone fails, because neighbour discovery does not get through.

What: somebody has the address, the question for its MAC is asked, and no answer comes.
Why: ip6tables or nftables rules drop ICMPv6 as a whole; IPv4 goes on, since ARP passes no such rule.
On the wire: a neighbour solicitation that is not answered, or that never comes to the destination, or whose
advertisement never comes back.
Remedy: let neighbour solicitations and advertisements through, where they were last seen (RFC 4890, 4.4.1).
"""

from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.neighbours import NeighbourFrame
from inspector.model.question import Heading
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.rules import StepKind
from inspector.model.topology import HOST, Link, LinkKind, SandboxId

V6, ICMPV6 = 6, 58
SOLICITATION, ADVERTISEMENT = 135, 136
"""RFC 4861, 4.3 and 4.4"""
NAMES = {SOLICITATION: "neighbour-solicitation", ADVERTISEMENT: "neighbour-advertisement"}
HEADER = 40
"""Bytes of an IPv6 header (RFC 8200, 3)."""


def detect(case: Case) -> Finding | None:
    """Look for a question about an address that a known, working link has."""
    plan = case.recording.plan
    if plan.family != V6 or case.verdict.reason != "neighbour unanswered":
        return None
    for address in plan.neighbours:
        holder = _holder(case, address)
        asked = [each for each in case.talk if each.asks and each.target == address]
        if holder is None or not asked or holder.sandbox == asked[0].point.sandbox:
            continue
        answers = [each for each in case.talk if not each.asks and each.target == address]
        kind, where, sandbox, chain, seen = _stop(holder, asked, answers)
        rule = _rule(case, kind)
        return Finding(
            id="ipv6-neighbour-filtered",
            severity=Severity.ERROR,
            confidence=Confidence.CERTAIN if rule else Confidence.LIKELY,
            title=f"{holder.sandbox} has {address}, and the {NAMES[kind]} about it stopped {where}",
            evidence=(
                f"rtnetlink: {holder.sandbox}/{holder.name} is up and has {address}",
                *seen,
                *((f"rule: {rule}",) if rule else ("which rule: not known",)),
            ),
            remedy=tuple(
                inside(case, sandbox, f"ip6tables -I {one} -p icmpv6 --icmpv6-type {NAMES[each]} -j ACCEPT")
                for one in chain
                for each in NAMES
            ),
        )
    return None


def _holder(case: Case, address: str) -> Link | None:
    """Find the link that has the address and could answer."""
    wanted = ip_address(address)
    for stack in case.topology.sandboxes:
        for link in stack.links:
            usable = link.up and link.running and link.kind is not LinkKind.LOOPBACK
            if usable and any(each.ip == wanted for each in link.addresses):
                return link
    return None


def _stop(
    holder: Link, asked: list[NeighbourFrame], answers: list[NeighbourFrame]
) -> tuple[int, str, SandboxId, tuple[str, ...], tuple[str, ...]]:
    """Say which message stopped where: (its type, in words, whose stack, the chains it passes there, what was seen)."""
    arrived = [each for each in asked if each.point.link == holder.key and each.heading is Heading.IN]
    answered = [each for each in answers if each.point.link == holder.key and each.heading is Heading.OUT]
    question = f"asked at {asked[0].point}"
    if answered:
        back = (question, f"answered at {answered[0].point}", f"no advertisement at {asked[0].point}")
        return ADVERTISEMENT, "on its way back", HOST, ("FORWARD",), back
    if arrived:
        there = (question, f"arrived at {arrived[0].point}, and no advertisement left")
        return SOLICITATION, f"in {holder.sandbox}", holder.sandbox, ("INPUT", "OUTPUT"), there
    last = asked[-1].point
    return SOLICITATION, f"after {last}", HOST, ("FORWARD", "INPUT"), (question, f"last seen at {last}")


def _rule(case: Case, kind: int) -> str | None:
    """Find the rule that dropped such a message, where the kernel told of it."""
    firewall = case.recording.firewall
    for walk in firewall.traversals:
        last, frame = walk.steps[-1] if walk.steps else None, walk.frame
        neighbour = len(frame) > HEADER and frame[0] >> 4 == V6 and frame[6] == ICMPV6 and frame[HEADER] == kind
        if last is None or not neighbour or last.verdict != "drop":
            continue
        for chain in firewall.chains:
            key = chain.key
            if (key.sandbox, key.family, key.table, key.chain) != (walk.sandbox, walk.family, walk.table, last.chain):
                continue
            rule = chain.rule(last.handle) if last.handle is not None and last.kind is StepKind.RULE else None
            words = f"rule {rule.position}: {rule.text}" if rule else "its policy is drop"
            return f"{walk.sandbox}: {key.family} {key.table} {key.chain}, {words}"
    return None
