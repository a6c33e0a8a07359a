"""The words that findings share about the rule that stopped a packet. Pure."""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Rule
from inspector.model.rules import Backend
from inspector.model.walk import POLICY, UNKNOWN, WHOSE


def confidence_in(rule: Rule) -> Confidence:
    """Return how sure it is that it was this rule."""
    return Confidence.LIKELY if rule.backend is Backend.LEGACY else Confidence.CERTAIN


def title_of(rule: Rule) -> str:
    """Name the rule: whose it is and where it stands."""
    legacy = "legacy " if rule.backend is Backend.LEGACY else ""
    place = f"{legacy}{rule.table} {rule.chain} on {rule.sandbox}"
    if rule.position == POLICY:
        return f"the policy of {place}"
    whose = "a" if rule.owner == UNKNOWN else WHOSE.get(rule.owner, f"{rule.owner}'s")
    return f"{whose} firewall rule, {rule.position} in {place},"


def evidence_of(case: Case, rule: Rule) -> tuple[str, ...]:
    """Say how it is known that the packet met this rule."""
    verdict = case.verdict
    place = f"{rule.family} {rule.table} {rule.chain}"
    if rule.backend is Backend.LEGACY:
        told = f"its counter rose while the probes were under way: {place}, {rule.text}"
    else:
        told = f"the kernel's trace of this packet ends there: {place}, {rule.text}"
    return (told, *([f"last seen at {verdict.last_seen}"] if verdict.last_seen else []))
