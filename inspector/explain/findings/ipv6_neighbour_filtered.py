"""IPv6 alone fails, because neighbour discovery does not get through.

What: somebody has the address, the question for its MAC is asked, and no answer comes.
Why: ip6tables or nftables rules drop ICMPv6 as a whole; IPv4 goes on, since ARP passes no such rule.
On the wire: a neighbour solicitation that is not answered, or that never comes to the destination, or whose
advertisement never comes back.
Remedy: let neighbour solicitations and advertisements through, where they were last seen (RFC 4890, 4.4.1).
"""

import shlex
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.making_way import DISCOVERY, ways_for
from inspector.explain.mending import inside
from inspector.model.neighbours import DiscoveryStop, NeighbourFrame
from inspector.model.question import Heading
from inspector.model.report import Confidence, Finding, Rule, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, Link, LinkKind, SandboxId
from inspector.model.walk import POLICY

V6 = 6
ASKS, TELLS = (each[0] for each in DISCOVERY)


def detect(case: Case) -> Finding | None:
    """Look for the rule that dropped such a message, then for a question about an address that a working link has."""
    plan = case.recording.plan
    if plan.family != V6 or case.verdict.reason != "neighbour unanswered":
        return None
    stop = next((each for each in case.discovery_stops if each.rule == case.verdict.rule), None)
    for address in (stop.address,) if stop else plan.neighbours:
        holder = _holder(case, address)
        asked = [each for each in case.talk if each.asks and each.target == address]
        if holder is None:
            continue
        known = say(
            "rtnetlink: {sandbox}/{link} is up and has {address}",
            sandbox=holder.sandbox,
            link=holder.name,
            address=address,
        )
        answers = [each for each in case.talk if not each.asks and each.target == address]
        if stop is not None:
            return _certain(case, stop, holder, (known, *_seen(asked), *_seen(answers)))
        if asked and holder.sandbox != asked[0].point.sandbox:
            return _likely(case, address, holder, known, _stop(holder, asked, answers))
    return None


def _certain(case: Case, stop: DiscoveryStop, holder: Link, evidence: tuple[str, ...]) -> Finding:
    where = say("on the host") if stop.rule.sandbox == HOST else say("in {sandbox}", sandbox=stop.rule.sandbox)
    return _finding(
        Confidence.CERTAIN,
        title=say(
            "{holder} has {address}, and a rule {where} drops the {message} about it",
            holder=holder.sandbox,
            address=stop.address,
            where=where,
            message=ASKS if stop.asks else TELLS,
        ),
        evidence=(*evidence, say("the kernel's trace of it ends there: {rule}", rule=_named(stop.rule))),
        remedy=ways_for(case, stop.rule, DISCOVERY),
    )


def _likely(
    case: Case,
    address: str,
    holder: Link,
    known: str,
    stop: tuple[str, str, SandboxId, tuple[str, ...], tuple[str, ...]],
) -> Finding:
    message, where, sandbox, chains, seen = stop
    return _finding(
        Confidence.LIKELY,
        title=say(
            "{holder} has {address}, and the {message} about it stopped {where}",
            holder=holder.sandbox,
            address=address,
            message=message,
            where=where,
        ),
        evidence=(known, *seen, say("which rule: not known")),
        remedy=tuple(
            inside(case, sandbox, f"ip6tables -I {shlex.quote(chain)} -p icmpv6 --icmpv6-type {each} -j ACCEPT")
            for chain in chains
            for each in (ASKS, TELLS)
        ),
    )


def _finding(confidence: Confidence, *, title: str, evidence: tuple[str, ...], remedy: tuple[str, ...]) -> Finding:
    return Finding(
        id="ipv6-neighbour-filtered",
        severity=Severity.ERROR,
        confidence=confidence,
        title=title,
        evidence=evidence,
        remedy=remedy,
    )


def _named(rule: Rule) -> str:
    place = f"{rule.sandbox}: {rule.family} {rule.table} {rule.chain}"
    if rule.position == POLICY:
        return f"{place}, {rule.text}"
    return say("{place}, rule {position}: {text}", place=place, position=rule.position, text=rule.text)


def _seen(frames: list[NeighbourFrame]) -> tuple[str, ...]:
    """Say where a message was seen first and last."""
    asked = bool(frames) and frames[0].asks
    places = dict.fromkeys(str(each.point) for each in (*frames[:1], *frames[-1:]))
    return tuple(
        say("asked, seen at {point}", point=each) if asked else say("answered, seen at {point}", point=each)
        for each in places
    )


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
) -> tuple[str, str, SandboxId, tuple[str, ...], tuple[str, ...]]:
    """Say which message stopped where: (its name, in words, whose stack, the chains it passes there, what was seen)."""
    arrived = [each for each in asked if each.point.link == holder.key and each.heading is Heading.IN]
    answered = [each for each in answers if each.point.link == holder.key and each.heading is Heading.OUT]
    question = say("asked at {point}", point=asked[0].point)
    if answered:
        if any(each.point == asked[0].point for each in answers):
            came = (
                question,
                say("answered at {point}", point=answered[0].point),
                say("the advertisement came to {point}", point=asked[0].point),
            )
            return TELLS, say("in {sandbox}", sandbox=asked[0].point.sandbox), asked[0].point.sandbox, ("INPUT",), came
        back = (
            question,
            say("answered at {point}", point=answered[0].point),
            say("no advertisement at {point}", point=asked[0].point),
        )
        return TELLS, say("on its way back"), HOST, ("FORWARD",), back
    if arrived:
        there = (question, say("arrived at {point}, and no advertisement left", point=arrived[0].point))
        return ASKS, say("in {sandbox}", sandbox=holder.sandbox), holder.sandbox, ("INPUT", "OUTPUT"), there
    last = asked[-1].point
    seen = (question, say("last seen at {last_seen}", last_seen=last))
    return ASKS, say("after {point}", point=last), HOST, ("FORWARD", "INPUT"), seen
