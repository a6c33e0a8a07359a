"""Follow each query of a lookup over all points: where it went, what was asked on its behalf, what came back. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from inspector.correlate.dns_frames import Told, leg_kind, owner, told
from inspector.correlate.paths import with_changes
from inspector.correlate.refusals import Flow, refusal_of, refusals
from inspector.model.dns import PORT
from inspector.model.lookup import Query, QueryOutcome, Replied, TranslationRule
from inspector.model.names import Exchange, Leg, LegKind
from inspector.model.path import Rewrite, Seen
from inspector.model.question import CapturePoint
from inspector.model.recording import Lookup
from inspector.wire import dns

LegKey = tuple[LegKind, str, str, int]
"""Kind, server, transport, identifier: a question asked again with another identifier is another question."""


def follow_queries(lookup: Lookup) -> tuple[Exchange, ...]:
    """Return one exchange for each query, in the order of asking."""
    frames: dict[int, list[Told]] = {}
    for frame in told(lookup):
        outcome = owner(frame, lookup.queries)
        if outcome is not None:
            frames.setdefault(outcome.query.number, []).append(frame)
    errors = refusals(lookup)
    return tuple(_exchange(lookup, each, frames.get(each.query.number, []), errors) for each in lookup.queries)


def quiet_points(lookup: Lookup) -> tuple[CapturePoint, ...]:
    """Return the points that were watched without loss and saw no DNS at all."""
    loud = {frame.observation.point for frame in told(lookup)}
    watched = {each.point for each in lookup.counts if not each.dropped}
    blind = {each.point for each in lookup.blind_spots}
    return tuple(
        point
        for index, point in enumerate(lookup.plan.points)
        if index in watched and index not in loud and str(point) not in blind
    )


def _exchange(lookup: Lookup, outcome: QueryOutcome, frames: list[Told], errors: dict[Flow, str]) -> Exchange:
    legs: dict[LegKey, list[Told]] = {}
    for frame in frames:
        kind = leg_kind(lookup, frame, outcome)
        legs.setdefault(_key(kind, frame, outcome.query), []).append(frame)
    made = tuple(_leg(lookup, key[0], key[1], each, errors) for key, each in legs.items())
    message = dns.read(outcome.message) if isinstance(outcome, Replied) else None
    asked = next((each for each in made if each.kind is LegKind.ASKED), None)
    return Exchange(outcome, message, made, rule=_rule(lookup, outcome.query, asked))


def _key(kind: LegKind, frame: Told, query: Query) -> LegKey:
    if kind is LegKind.ASKED:
        return kind, query.server, query.transport, query.identifier
    server = frame.source if frame.answers else frame.destination
    return kind, server, frame.transport, frame.message.identifier if frame.message else 0


def _leg(lookup: Lookup, kind: LegKind, server: str, frames: list[Told], errors: dict[Flow, str]) -> Leg:
    whole = [each for each in frames if each.message is not None] or frames
    questions = [each for each in whole if not each.answers]
    answers = [each for each in whole if each.answers]
    return Leg(
        kind=kind,
        server=server,
        transport=frames[0].transport,
        question=_hops(lookup, questions, _endpoint(server, PORT) if kind is LegKind.ASKED else None),
        answer=_hops(lookup, answers),
        message=next((each.message for each in answers if each.message), None),
        refusal=None if answers else refusal_of(questions, errors),
    )


def _hops(lookup: Lookup, frames: Iterable[Told], sent_to: str | None = None) -> tuple[Seen, ...]:
    """Return the sightings of one message in their order; `sent_to` is what the sender wrote as its destination."""
    hops = [hop for hop in with_changes(_seen(lookup, frame) for frame in frames) if isinstance(hop, Seen)]
    if hops and sent_to is not None and hops[0].destination != sent_to:
        hops[0] = replace(hops[0], rewrites=(Rewrite("destination", sent_to, hops[0].destination),))
    return tuple(hops)


def _seen(lookup: Lookup, frame: Told) -> Seen:
    observation, read = frame.observation, frame.headers
    return Seen(
        point=lookup.plan.points[observation.point],
        heading=observation.heading,
        at_ns=observation.at_ns,
        delta_ns=None,
        source_mac=read.source_mac,
        destination_mac=read.destination_mac,
        source=_endpoint(frame.source, frame.source_port),
        destination=_endpoint(frame.destination, frame.destination_port),
        ttl=read.ip.ttl if read.ip else 0,
        observation=frame.index,
    )


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _rule(lookup: Lookup, query: Query, asked: Leg | None) -> TranslationRule | None:
    """Find the rule that sent the query elsewhere than to where it was addressed."""
    first = asked.question[0] if asked and asked.question else None
    sent_to = next((each.after for each in (first.rewrites if first else ()) if each.field == "destination"), None)
    return next((rule for rule in lookup.plan.setup.rules if sent_to and _leads_to(rule, sent_to, query)), None)


def _leads_to(rule: TranslationRule, endpoint: str, query: Query) -> bool:
    return f"--to-destination {endpoint}" in rule.text and f"-p {query.transport}" in rule.text
