"""Two bridge networks are kept apart.

What: the packet reaches the host and never leaves by the other network's bridge; no error comes back.
Why: the engine's firewall rules keep its bridge networks apart; a container reaches only networks it is on.
Remedy: connect one of the two to the other's network.
"""

from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.explain.mending import connect_commands, networks_of
from inspector.model.question import PathKind
from inspector.model.report import Confidence, Finding, Outcome, Severity, Verdict
from inspector.model.sentence import say
from inspector.model.topology import HOST
from inspector.model.walk import ENGINE, NETAVARK

KEEPERS = frozenset({ENGINE, NETAVARK})
"""Whose rules keep networks apart: the engine's own, or those of what makes networks for it."""


def detect(case: Case) -> Finding | None:
    """Look for a packet that stopped on the host between the bridges of two networks without a common member."""
    plan, verdict = case.recording.plan, case.verdict
    mine, theirs = networks_of(case, case.source), networks_of(case, case.destination)
    stopped = verdict.outcome in {Outcome.LOST, Outcome.DROPPED} and verdict.last_seen is not None
    if plan.kind is not PathKind.ROUTED or not stopped or not mine or not theirs or set(mine) & set(theirs):
        return None
    if verdict.last_seen is None or verdict.last_seen.sandbox != HOST or case.forwarding[1] == "0":
        return None
    rule = verdict.rule
    if rule is not None and rule.owner not in KEEPERS:
        return None
    return Finding(
        id="networks-isolated",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if rule else Confidence.LIKELY,
        title=say(
            "{source} is on {mine}, {destination} on {theirs}: the engine keeps bridge networks apart",
            source=plan.source.label,
            mine=", ".join(mine),
            destination=plan.destination.label,
            theirs=", ".join(theirs),
        ),
        evidence=tuple(_evidence(verdict)),
        remedy=connect_commands(case),
    )


def _evidence(verdict: Verdict) -> Iterator[str]:
    if (rule := verdict.rule) is not None:
        yield say(
            "{table} {chain}, rule {position}, the engine's: {text}",
            table=rule.table,
            chain=rule.chain,
            position=rule.position,
            text=rule.text,
        )
    yield say("last seen at {last_seen}", last_seen=verdict.last_seen)
    # Where it is the answer that was kept back, the request was seen everywhere.
    if verdict.never_seen:
        yield say("never seen at {never_seen}", never_seen=", ".join(str(point) for point in verdict.never_seen))
    yield say("no ICMP error came back")
