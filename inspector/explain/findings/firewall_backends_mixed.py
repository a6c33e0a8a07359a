"""Two packet filters are loaded with rules, and one drops what the other accepts.

What: the rules that one looks at let the packet through, and still it stops.
Why: iptables-legacy and nf_tables (iptables-nft, nft, newer engines) both hold rules in one network stack; each packet
has to pass both, and each tool shows only its own.
On the wire: the packet stops without an error; the kernel's trace of nf_tables ends with accept.
Remedy: let the two through in the legacy tables as well; better, move their rules and keep them empty.
"""

from inspector.explain.case import Case
from inspector.explain.making_way import ways
from inspector.model.report import Confidence, Finding, Outcome, Rule, Severity
from inspector.model.rules import Backend
from inspector.model.walk import ACCEPT, WalkStep

_SAME_PLACE = {"FORWARD": "forward", "INPUT": "input", "OUTPUT": "output"}


def detect(case: Case) -> Finding | None:
    """Look for a legacy rule that is likely to have dropped what nf_tables accepted in the same stack."""
    rule = case.verdict.rule
    if rule is None or rule.backend is not Backend.LEGACY or case.verdict.outcome is not Outcome.DROPPED:
        return None
    accepted = _accepted(case, rule)
    if accepted is None or accepted.decided is None:
        return None
    return Finding(
        id="firewall-backends-mixed",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=f"two firewalls on {rule.sandbox}: nf_tables accepts the packet, a legacy rule drops it",
        evidence=(
            f"nf_tables, {accepted.name(accepted.decided)}: accept",
            f"legacy, {rule.table} {rule.chain}: {rule.text}; its counter rose while the probes were under way",
        ),
        remedy=ways(case, rule),
    )


def _accepted(case: Case, rule: Rule) -> WalkStep | None:
    """Return where nf_tables let a packet through, in the hook of the rule's table if that is known."""
    steps = [
        step
        for path in case.paths
        for step in path.walk
        if step.sandbox == rule.sandbox and step.verdict == ACCEPT and step.rules
    ]
    hook = _SAME_PLACE.get(rule.chain)
    return next((each for each in steps if hook is None or each.hook == hook), None)
