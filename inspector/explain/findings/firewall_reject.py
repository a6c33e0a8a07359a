"""Somebody on the way says no.

What: an ICMP error quotes the probe, or an RST refuses the connection, and the destination did not send it.
Why: a REJECT rule, or a router without a route.
On the wire: the refusal is first seen on the host, and the destination's interface never saw it leave.
Remedy: look at the rules of the one that answered.
"""

from inspector.explain.case import Case
from inspector.explain.listening import on_port, takes
from inspector.explain.refusal import Refusal, refusal
from inspector.model.place import place
from inspector.model.question import Protocol
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.topology import HOST

PROHIBITED = ("prohibited", "filtered", "Port Unreachable")


def detect(case: Case) -> Finding | None:
    """Look for a refusal that a firewall sends: of a request that never arrived, or that a listener would have had."""
    plan, verdict = case.recording.plan, case.verdict
    if verdict.outcome is not Outcome.REJECTED or verdict.reason is None:
        return None
    if (found := refusal(case)) is not None:
        return _of_a_port(case, found)
    arrived = any(hop.point.sandbox == plan.destination.sandbox for path in case.paths for hop in path.seen)
    if arrived or not any(word.lower() in verdict.reason.lower() for word in PROHIBITED):
        return None
    return _finding(
        verdict.reason, (f"ICMP error: {verdict.reason}", f"the request never came to {plan.destination.label}")
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
        evidence = (f"{found.what} first seen at {found.at}", f"a socket of {found.by} listens on {listens}")
        return _finding(f"{found.what} from {found.by}, where a socket listens", evidence)
    if found.at is None:
        evidence = (f"{plan.source.label} was told {found.what}", "no point saw the refusal: it never left the stack")
        return _finding(f"{found.what} inside {plan.source.label} itself", evidence)
    if found.what != "RST" and plan.question.protocol is Protocol.TCP:
        evidence = (f"{found.what} first seen at {found.at}", "no stack refuses a connection by ICMP of its own")
        return _finding(f"{found.what}, first seen at {found.at}", evidence)
    # Beyond the uplink nobody of ours can tell a firewall's RST from the destination's own.
    if plan.answering is None or found.at.sandbox != HOST:
        return None
    never = f"{plan.destination.label} never sent it"
    return _finding(f"{found.what}, first seen at {found.at}", (f"{found.what} first seen at {found.at}", never))


def _finding(what: str, evidence: tuple[str, ...]) -> Finding:
    return Finding(
        id="firewall-reject",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=f"a firewall on the way refuses the packet: {what}",
        evidence=evidence,
        remedy=("iptables-save | grep -i reject",),
    )
