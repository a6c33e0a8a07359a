"""Somebody on the way says no.

What: an ICMP error quotes the probe, and the destination did not send it.
Why: a REJECT rule, or a router without a route.
Remedy: look at the rules of the one that answered.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Outcome, Severity

PROHIBITED = ("prohibited", "filtered", "Port Unreachable")


def detect(case: Case) -> Finding | None:
    """Look for an ICMP error that a firewall sends, and a request that never arrived."""
    plan, verdict = case.recording.plan, case.verdict
    if verdict.outcome is not Outcome.REJECTED or verdict.reason is None:
        return None
    arrived = any(hop.point.sandbox == plan.destination.sandbox for path in case.paths for hop in path.seen)
    if arrived or not any(word.lower() in verdict.reason.lower() for word in PROHIBITED):
        return None
    return Finding(
        id="firewall-reject",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=f"a firewall on the way refuses the packet: {verdict.reason}",
        evidence=(f"ICMP error: {verdict.reason}", f"the request never came to {plan.destination.label}"),
        remedy=("iptables-save | grep -i reject",),
    )
