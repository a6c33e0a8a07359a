"""Lay each track over the planned steps: what was seen in the plan's order, what was not, and what was elsewhere.

Order comes from the topology: two points can share one time stamp (a veth and its bridge), and egress is stamped anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inspector.correlate.rule_walk import traversals_by_packet, walk
from inspector.correlate.tracks import Kind, Sighting, Tracks
from inspector.model.path import Direction, Hop, Path, Rewrite, Seen, Unseen
from inspector.model.question import CapturePoint, Heading, Step
from inspector.model.recording import Recording
from inspector.model.rules import Traversal
from inspector.model.topology import HOST

REWRITABLE = ("source_mac", "destination_mac", "source", "destination", "ttl")
"""Header fields compared from hop to hop, in the order they are told."""


def follow(recording: Recording, tracks: Tracks) -> tuple[Path, ...]:
    """Return the path of every request and reply, in the order of sending."""
    sequences = sorted({probe.sequence for probe in recording.probes} | set(tracks.sequences(Kind.REQUEST)))
    paths = []
    met = traversals_by_packet(recording)
    for sequence in sequences:
        sightings = tracks.sightings(Kind.REQUEST, sequence)
        way = (*recording.plan.request, *recording.plan.beyond)
        request = _path(recording, Direction.REQUEST, sequence, way, sightings)
        paths.append(_walked(recording, request, met.get((Kind.REQUEST, sequence), ())))
        replies, rules = tracks.sightings(Kind.REPLY, sequence), met.get((Kind.REPLY, sequence), ())
        if replies or rules:
            reply = _path(recording, Direction.REPLY, sequence, recording.plan.reply, replies)
            paths.append(_walked(recording, reply, rules))
    return tuple(path for path in paths if path.hops)


def _walked(recording: Recording, path: Path, traversals: Sequence[Traversal]) -> Path:
    return replace(path, walk=walk(recording, path.hops, traversals)) if traversals else path


def flooded(recording: Recording, sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return the copies that left through bridge ports beside the way."""
    planned = {step.point.link for step in (*recording.plan.request, *recording.plan.reply)}
    ends = _ends(recording)
    return tuple(
        each
        for each in sightings
        if (point := recording.point(each.observation.point)).link not in planned
        and each.observation.heading is Heading.OUT
        and point.sandbox not in ends
    )


def _path(
    recording: Recording, direction: Direction, sequence: int, steps: Sequence[Step], sightings: list[Sighting]
) -> Path:
    floods = {each.index for each in flooded(recording, sightings)}
    left = [each for each in sightings if each.index not in floods]
    placed: list[tuple[Step, Sighting | None]] = []
    for step in steps:
        match = next((each for each in left if _fits(recording, step, each)), None)
        if match:
            left = [each for each in left if not _fits(recording, step, each)]
        placed.append((step, match))
    hops = [_hop(recording, step, match, placed) for step, match in placed]
    merged = _insert(hops, [_seen(recording, each, planned=False) for each in left])
    return Path(direction=direction, sequence=sequence, hops=tuple(with_changes(merged)))


def _fits(recording: Recording, step: Step, sighting: Sighting) -> bool:
    same_point = recording.point(sighting.observation.point).link == step.point.link
    return same_point and sighting.observation.heading is step.heading


def _hop(
    recording: Recording, step: Step, match: Sighting | None, placed: Sequence[tuple[Step, Sighting | None]]
) -> Hop:
    if match is not None:
        return _seen(recording, match, planned=True, routed=step.routed)
    index = next(number for number, (each, _) in enumerate(placed) if each is step)
    later = any(sighting is not None for _, sighting in placed[index + 1 :])
    return Unseen(point=step.point, heading=step.heading, why=_why(recording, step, seen_later=later))


def _why(recording: Recording, step: Step, *, seen_later: bool) -> str:
    blind = next((each.why for each in recording.blind_spots if each.point == str(step.point)), None)
    if blind:
        return blind
    lost = [each for each in recording.counts if recording.point(each.point).link == step.point.link and each.dropped]
    if lost:
        return f"the capture lost {lost[0].dropped} frames here"
    if step.point.sandbox == HOST and seen_later and recording.plan.question.passive:
        return "a bridge shows it in promiscuous mode only (--passive)"
    if seen_later:
        return "a later point saw it, so it passed here unseen"
    return recording.plan.barrier if step in recording.plan.beyond[:1] else "it stopped before"


def _seen(recording: Recording, sighting: Sighting, *, planned: bool, routed: bool = False) -> Seen:
    observation, read = sighting.observation, sighting.headers
    return Seen(
        point=recording.point(observation.point),
        heading=observation.heading,
        at_ns=observation.at_ns,
        delta_ns=None,
        source_mac=read.source_mac,
        destination_mac=read.destination_mac,
        source=read.ip.source if read.ip else "",
        destination=read.ip.destination if read.ip else "",
        ttl=read.ip.ttl if read.ip else 0,
        observation=sighting.index,
        routed=routed,
        planned=planned,
    )


def _insert(hops: list[Hop], extra: list[Seen]) -> list[Hop]:
    """Put what was seen off the plan behind the last planned hop seen before it."""
    merged = list(hops)
    for each in extra:
        earlier = [number for number, hop in enumerate(merged) if isinstance(hop, Seen) and hop.at_ns <= each.at_ns]
        merged.insert(earlier[-1] + 1 if earlier else 0, each)
    return merged


def with_changes(hops: Iterable[Hop]) -> Iterable[Hop]:
    """Yield the hops, each with what differs from the one seen before it."""
    before: Seen | None = None
    for hop in hops:
        if isinstance(hop, Unseen):
            yield hop
            continue
        yield _compared(before, hop)
        before = hop


def _compared(before: Seen | None, hop: Seen) -> Seen:
    if before is None:
        return hop
    rewrites = tuple(
        Rewrite(field=field, before=str(getattr(before, field)), after=str(getattr(hop, field)))
        for field in REWRITABLE
        if getattr(before, field) != getattr(hop, field)
    )
    return replace(hop, delta_ns=hop.at_ns - before.at_ns, rewrites=rewrites)


def _ends(recording: Recording) -> set[str]:
    return {each for each in (recording.plan.source.sandbox, recording.plan.destination.sandbox) if each}


def places(hops: Iterable[Hop]) -> tuple[CapturePoint, ...]:
    """Return the points of the hops, each once."""
    return tuple(dict.fromkeys(hop.point for hop in hops))
