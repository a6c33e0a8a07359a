"""Two packet filters are loaded with rules, and one drops what the other accepts.

What: the rules that one looks at let the packet through, and still it stops.
Why: iptables-legacy and nf_tables (iptables-nft, nft, newer engines) both hold rules in one network stack; each packet
has to pass both, and each tool shows only its own.
On the wire: the packet stops without an error; the kernel's trace of nf_tables ends with accept, or it ends with drop
while a legacy rule that accepts counts the packet.
Remedy: let the two through in the one that drops as well; better, move the legacy rules to nf_tables and keep those
tables empty.
"""

from inspector.explain.case import Case
from inspector.explain.making_way import ways
from inspector.model.report import Confidence, Finding, Outcome, Rule, Severity
from inspector.model.rules import Backend
from inspector.model.sentence import say
from inspector.model.walk import ACCEPT, POLICY, WalkStep

_SAME_PLACE = {"FORWARD": "forward", "INPUT": "input", "OUTPUT": "output"}


def detect(case: Case) -> Finding | None:
    """Look for a rule of the one that dropped what the other accepted in the same stack."""
    rule = case.verdict.rule
    if rule is None or case.verdict.outcome is not Outcome.DROPPED:
        return None
    return _dropped_by_legacy(case, rule) if rule.backend is Backend.LEGACY else _dropped_by_nft(case, rule)


def _dropped_by_nft(case: Case, rule: Rule) -> Finding | None:
    other = case.accepted_by_legacy
    if other is None or other.sandbox != rule.sandbox:
        return None
    which = (
        rule.text if rule.position == POLICY else say("rule {position}: {text}", position=rule.position, text=rule.text)
    )
    return _finding(
        case,
        rule,
        say("two firewalls on {sandbox}: a legacy rule accepts the packet, nf_tables drops it", sandbox=rule.sandbox),
        (
            say(
                "the kernel's trace of this packet ends there: {family} {table} {chain}, {rule}",
                family=rule.family,
                table=rule.table,
                chain=rule.chain,
                rule=which,
            ),
            say(
                "legacy, {table} {chain}: {text}; its counter rose while the probes were under way",
                table=other.table,
                chain=other.chain,
                text=other.text,
            ),
        ),
    )


def _dropped_by_legacy(case: Case, rule: Rule) -> Finding | None:
    accepted = _accepted(case, rule)
    if accepted is None or accepted.decided is None:
        return None
    return _finding(
        case,
        rule,
        say("two firewalls on {sandbox}: nf_tables accepts the packet, a legacy rule drops it", sandbox=rule.sandbox),
        (
            say("nf_tables, {rule}: accept", rule=accepted.name(accepted.decided)),
            say(
                "legacy, {table} {chain}: {text}; its counter rose while the probes were under way",
                table=rule.table,
                chain=rule.chain,
                text=rule.text,
            ),
        ),
    )


def _finding(case: Case, rule: Rule, title: str, evidence: tuple[str, ...]) -> Finding:
    return Finding(
        id="firewall-backends-mixed",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=title,
        evidence=evidence,
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
