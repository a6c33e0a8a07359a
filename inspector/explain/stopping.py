"""The words that findings share about the rule that stopped a packet. Pure."""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Rule
from inspector.model.rules import Backend
from inspector.model.sentence import say
from inspector.model.walk import POLICY, UNKNOWN, WHOSE


def confidence_in(rule: Rule) -> Confidence:
    """Return how sure it is that it was this rule."""
    return Confidence.LIKELY if rule.backend is Backend.LEGACY else Confidence.CERTAIN


def title_of(rule: Rule) -> str:
    """Name the rule: whose it is and where it stands."""
    legacy = "legacy " if rule.backend is Backend.LEGACY else ""
    place = {"place": f"{legacy}{rule.table} {rule.chain}", "sandbox": rule.sandbox}
    if rule.position == POLICY:
        return say("the policy of {place} on {sandbox}", **place)
    if rule.owner == UNKNOWN:
        return say("a firewall rule, {position} in {place} on {sandbox},", position=rule.position, **place)
    whose = WHOSE.get(rule.owner) or say("{owner}'s", owner=rule.owner)
    return say(
        "{whose} firewall rule, {position} in {place} on {sandbox},", whose=whose, position=rule.position, **place
    )


def evidence_of(case: Case, rule: Rule) -> tuple[str, ...]:
    """Say how it is known that the packet met this rule."""
    verdict = case.verdict
    place = f"{rule.family} {rule.table} {rule.chain}"
    if rule.backend is Backend.LEGACY:
        told = say("its counter rose while the probes were under way: {place}, {rule}", place=place, rule=rule.text)
    else:
        told = say("the kernel's trace of this packet ends there: {place}, {rule}", place=place, rule=rule.text)
    return (told, *([say("last seen at {last_seen}", last_seen=verdict.last_seen)] if verdict.last_seen else []))
