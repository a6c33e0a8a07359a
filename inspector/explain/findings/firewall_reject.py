"""Somebody between the two ends refuses the packet.

What: an ICMP error quotes the probe, or an RST refuses the connection, and the destination did not send it.
Why: a REJECT rule, or a router without a route.
On the wire: the refusal comes back at once, first seen on the host; or its own stack's rule speaks for the destination.
Remedy: take the rule out, or let the two through ahead of it; where the rule is on another machine, look there.
"""

from inspector.explain.case import Case
from inspector.explain.listening import on_port, takes
from inspector.explain.making_way import ways
from inspector.explain.refusal import Refusal, refusal
from inspector.explain.stopping import confidence_in, evidence_of, title_of
from inspector.model.place import place
from inspector.model.question import Protocol
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST

PROHIBITED = ("prohibited", "filtered", "Port Unreachable")


def detect(case: Case) -> Finding | None:
    """Look for the rule that answered; or a refusal of what never arrived, or of what a listener would have had."""
    plan, verdict, rule = case.recording.plan, case.verdict, case.verdict.rule
    if verdict.outcome is not Outcome.REJECTED or verdict.reason is None:
        return None
    if rule is not None:
        return _finding(
            say("{rule} refuses the packet: {reason}", rule=title_of(rule), reason=verdict.reason),
            (say("the answer: {reason}", reason=verdict.reason), *evidence_of(case, rule)),
            confidence_in(rule),
            ways(case, rule),
        )
    if (found := refusal(case)) is not None:
        return _of_a_port(case, found)
    arrived = any(hop.point.sandbox == plan.destination.sandbox for path in case.paths for hop in path.seen)
    if arrived or not any(word.lower() in verdict.reason.lower() for word in PROHIBITED):
        return None
    return _nobodys(
        verdict.reason,
        (
            say("ICMP error: {reason}", reason=verdict.reason),
            say("the request never came to {destination}", destination=plan.destination.label),
        ),
    )


def _of_a_port(case: Case, found: Refusal) -> Finding | None:
    plan = case.recording.plan
    if found.by is not None:
        # A stack refuses what a socket of its own would take: only its rules can do that.
        address = plan.destination.address or ""
        taking = [each for each in on_port(case, found.by, plan.answering_port) if takes(each, address)]
        # One on :: may have refused IPv4 itself.
        taking = [each for each in taking if (":" in each.address) == (":" in address)]
        if not taking:
            return None
        listens = place(taking[0].address, taking[0].port)
        evidence = (
            say("{what} first seen at {at}", what=found.what, at=found.at),
            say("a socket of {by} listens on {listens}", by=found.by, listens=listens),
        )
        return _nobodys(say("{what} from {by}, where a socket listens", what=found.what, by=found.by), evidence)
    if found.at is None:
        evidence = (
            say("{source} was told {what}", source=plan.source.label, what=found.what),
            say("no point saw the refusal: it never left the stack"),
        )
        return _nobodys(say("{what} inside {source} itself", what=found.what, source=plan.source.label), evidence)
    if found.what != "RST" and plan.question.protocol is Protocol.TCP:
        evidence = (
            say("{what} first seen at {at}", what=found.what, at=found.at),
            say("no stack refuses a connection by ICMP of its own"),
        )
        return _nobodys(say("{what}, first seen at {at}", what=found.what, at=found.at), evidence)
    # Beyond the uplink nobody of ours can tell a firewall's RST from the destination's own.
    if plan.answering is None or found.at.sandbox != HOST:
        return None
    never = say("{destination} never sent it", destination=plan.destination.label)
    return _nobodys(
        say("{what}, first seen at {at}", what=found.what, at=found.at),
        (say("{what} first seen at {at}", what=found.what, at=found.at), never),
    )


def _nobodys(what: str, evidence: tuple[str, ...]) -> Finding:
    """Say that some rule did it, and that it is not known which."""
    title = say("a firewall on the way refuses the packet: {what}", what=what)
    return _finding(title, evidence, Confidence.LIKELY, ("iptables-save | grep -i reject",))


def _finding(title: str, evidence: tuple[str, ...], confidence: Confidence, remedy: tuple[str, ...]) -> Finding:
    return Finding(
        id="firewall-reject",
        severity=Severity.ERROR,
        confidence=confidence,
        title=title,
        evidence=evidence,
        remedy=remedy,
    )
