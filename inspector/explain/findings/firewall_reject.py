"""Somebody on the way says no.

What: an ICMP error quotes the probe, and the destination did not send it.
Why: a REJECT rule, or a router without a route.
On the wire: the error comes back at once, from an address that is not the destination's, or that its own stack's rule
speaks for.
Remedy: take the rule out, or let the two through ahead of it; where the rule is on another machine, look there.
"""

from inspector.explain.case import Case
from inspector.explain.findings.firewall_drop import confidence_in, evidence_of, title_of
from inspector.explain.making_way import ways
from inspector.model.report import Confidence, Finding, Outcome, Severity

PROHIBITED = ("prohibited", "filtered", "Port Unreachable")
_NOBODYS = "a firewall on the way"


def detect(case: Case) -> Finding | None:
    """Look for the rule that answered; or for an ICMP error that firewalls send, and a request that never arrived."""
    plan, verdict, rule = case.recording.plan, case.verdict, case.verdict.rule
    if verdict.outcome is not Outcome.REJECTED or verdict.reason is None:
        return None
    if rule is not None:
        whose, sure, evidence, remedy = title_of(rule), confidence_in(rule), evidence_of(case, rule), ways(case, rule)
    else:
        arrived = any(hop.point.sandbox == plan.destination.sandbox for path in case.paths for hop in path.seen)
        if arrived or not any(word.lower() in verdict.reason.lower() for word in PROHIBITED):
            return None
        whose, sure, evidence = _NOBODYS, Confidence.LIKELY, (f"the request never came to {plan.destination.label}",)
        remedy = ("iptables-save | grep -i reject",)
    return Finding(
        id="firewall-reject",
        severity=Severity.ERROR,
        confidence=sure,
        title=f"{whose} refuses the packet: {verdict.reason}",
        evidence=(f"ICMP error: {verdict.reason}", *evidence),
        remedy=remedy,
    )
