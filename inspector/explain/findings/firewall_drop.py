"""A firewall rule that is not the engine's drops the packet.

What: the packet stops at one point, without an error; a rule, or the policy of a chain, dropped it.
Why: ufw, firewalld, a hand-written rule or one in DOCKER-USER; or nothing accepted it before the end of the chain.
On the wire: nothing comes back. The kernel says which rule of nf_tables a packet met. Of a legacy rule only a counter
rises, and the cause is then said to be likely.
Remedy: take the rule out, or let the two through ahead of it.
"""

from inspector.explain.case import Case
from inspector.explain.findings import firewall_backends_mixed
from inspector.explain.making_way import ways
from inspector.explain.tunnels import rule_beneath
from inspector.model.report import Confidence, Finding, Outcome, Rule, Severity
from inspector.model.rules import Backend
from inspector.model.walk import ENGINE, POLICY, UNKNOWN, WHOSE


def detect(case: Case) -> Finding | None:
    """Look at the rule that the verdict names."""
    rule = case.verdict.rule
    if rule is None or case.verdict.outcome is not Outcome.DROPPED or rule.owner == ENGINE:
        return None
    if rule_beneath(case) is not None:
        return None
    if rule.backend is Backend.LEGACY and firewall_backends_mixed.detect(case) is not None:
        return None
    return Finding(
        id="firewall-drop",
        severity=Severity.ERROR,
        confidence=confidence_in(rule),
        title=f"{title_of(rule)} drops the packet",
        evidence=evidence_of(case, rule),
        remedy=ways(case, rule),
    )


def confidence_in(rule: Rule) -> Confidence:
    """Return how sure it is that it was this rule."""
    return Confidence.LIKELY if rule.backend is Backend.LEGACY else Confidence.CERTAIN


def title_of(rule: Rule) -> str:
    """Name the rule: whose it is, where it stands and what it says."""
    legacy = "legacy " if rule.backend is Backend.LEGACY else ""
    place = f"{legacy}{rule.table} {rule.chain} on {rule.sandbox}"
    if rule.position == POLICY:
        return f"the policy of {place}"
    whose = "a" if rule.owner == UNKNOWN else WHOSE.get(rule.owner, f"{rule.owner}'s")
    return f"{whose} firewall rule, {rule.position} in {place} ({rule.text}),"


def evidence_of(case: Case, rule: Rule) -> tuple[str, ...]:
    """Say how it is known that the packet met this rule."""
    verdict = case.verdict
    place = f"{rule.family} {rule.table} {rule.chain}"
    if rule.backend is Backend.LEGACY:
        told = f"its counter rose while the probes were under way: {place}, {rule.text}"
    else:
        told = f"the kernel's trace of this packet ends there: {place}, {rule.text}"
    return (told, *([f"last seen at {verdict.last_seen}"] if verdict.last_seen else []))
