"""A name server outside does not answer.

What: a query left for an upstream server, from the container or on its behalf, and no answer came back.
Why: the server is down, filtered, or an address that means something else inside a container (127.0.0.53).
On the wire: the question up to the last point that saw it, and nothing back, or ICMP port unreachable.
Remedy: give the container a server that answers (--dns), or mend the way to it.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import (
    asks_locally,
    is_stuck,
    told,
    unanswered_legs,
    waits_for,
    wanted,
    was_translated,
)
from inspector.explain.mending import server_advice, user_networks
from inspector.model.lookup import EMBEDDED_DNS, Replied, Silent
from inspector.model.names import Exchange, LegKind, NameReport
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for a question that went to a server elsewhere and came to nothing."""
    names = case.names
    if names is None:
        return None
    failed = [each for each in wanted(names) if _failed(case, each)]
    answered = {each.outcome.query.server for each in wanted(names) if isinstance(each.outcome, Replied)}
    if not failed or (names.addresses and all(each.outcome.query.server in answered for each in failed)):
        return None
    return Finding(
        id="upstream-dns-unreachable",
        severity=Severity.WARNING if names.addresses else Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=_title(case, failed[-1]),
        evidence=(*dict.fromkeys(told(each) for each in failed), *_refusals(failed), *_neighbours(names)),
        remedy=(server_advice(case),),
    )


def _failed(case: Case, exchange: Exchange) -> bool:
    """Whether it came to nothing at a server elsewhere: asked for it, or on its behalf."""
    if any(leg.kind is LegKind.FORWARDED for leg in unanswered_legs(exchange)):
        answered = any(leg.answer for leg in exchange.forwarded)
        return not answered
    if is_stuck(case, exchange):
        return True
    if isinstance(exchange.outcome, Replied):
        return False
    return not asks_locally(case, exchange) or _means_itself(case, exchange)


def _means_itself(case: Case, exchange: Exchange) -> bool:
    """Whether the server is a loopback address behind which there is no embedded DNS: a container's is nobody's."""
    embedded = user_networks(case, case.source) and exchange.outcome.query.server == EMBEDDED_DNS
    return not embedded and not was_translated(exchange)


def _title(case: Case, exchange: Exchange) -> str:
    forwarded = next((leg for leg in unanswered_legs(exchange) if leg.kind is LegKind.FORWARDED), None)
    if forwarded is not None:
        whose = forwarded.question[0].point.sandbox
        known = {"server": forwarded.server, "sandbox": whose}
        if forwarded.refusal:
            return say("{server} refuses what the embedded DNS asks it from the namespace of {sandbox}", **known)
        return say("{server} does not answer what the embedded DNS asks it from the namespace of {sandbox}", **known)
    stuck = waits_for(case) if is_stuck(case, exchange) else None
    if stuck is not None:
        address, point = stuck
        return say(
            "{address} has no MAC address on {point}: what the embedded DNS asks waits for one and never leaves",
            address=address,
            point=point,
        )
    server, source = exchange.outcome.query.server, case.recording.plan.source.label
    if asks_locally(case, exchange):
        return say(
            "{server} means {source} itself inside its own namespace, and no server is there",
            server=server,
            source=source,
        )
    if isinstance(exchange.outcome, Silent):
        return say("{server} does not answer {source}", server=server, source=source)
    return say("{server} refuses what {source} asks", server=server, source=source)


def _refusals(failed: list[Exchange]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leg.refusal for each in failed for leg in each.legs if leg.refusal))


def _neighbours(names: NameReport) -> tuple[str, ...]:
    return tuple(
        say("{address} was asked for on {point}, and nobody answered", address=address, point=point)
        for address, point in names.unanswered
    )
