"""Lay each track over the planned steps: what was seen in the plan's order, what was not, and what was elsewhere.

Order comes from the topology: two points can share one time stamp (a veth and its bridge), and egress is stamped anew.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from inspector.correlate.fragments import Sighting
from inspector.correlate.port_marks import segment_words
from inspector.correlate.published import SecondConnection
from inspector.correlate.rule_walk import traversals_by_packet, walk
from inspector.correlate.tracks import Kind, Tracks
from inspector.correlate.translations import rewritten_by_sender
from inspector.model.path import Direction, Hop, Path, Rewrite, Seen, Unseen
from inspector.model.place import place
from inspector.model.question import CapturePoint, Carriage, Heading, Plan, Step
from inspector.model.recording import Recording
from inspector.model.rules import Traversal
from inspector.model.sentence import say
from inspector.model.topology import HOST, LinkKind

REWRITABLE = ("source_mac", "destination_mac", "source", "destination", "ttl", "fragments")
"""Header fields compared from hop to hop, in the order they are told."""

PASSED = say("a later point saw it, so it passed here unseen")
ANSWERS = frozenset({"SYN-ACK", "UDP", ""})
"""What only the destination sends: it passed every hop. A refusal may be made on the way."""


def follow(recording: Recording, tracks: Tracks, seconds: Iterable[SecondConnection] = ()) -> tuple[Path, ...]:
    """Return the path of every request and reply, in the order of sending; `seconds` are a proxy's."""
    seconds = tuple(seconds)
    sequences = sorted({probe.sequence for probe in recording.probes} | set(tracks.sequences(Kind.REQUEST)))
    paths = []
    met = traversals_by_packet(recording, tracks)
    for sequence in sequences:
        sightings = tracks.sightings(Kind.REQUEST, sequence)
        way = (*recording.plan.request, *recording.plan.beyond)
        request = _path(recording, Direction.REQUEST, sequence, way, sightings)
        paths.append(_walked(recording, request, met.get((Kind.REQUEST, sequence), ())))
        for kind in _answers(recording):
            replies, rules = tracks.sightings(kind, sequence), met.get((kind, sequence), ())
            if replies or rules:
                reply = _path(recording, Direction.REPLY, sequence, recording.plan.reply, replies)
                paths.append(_walked(recording, reply, rules))
        paths.extend(_proxied(recording, sequence, seconds))
    return tuple(path for path in paths if path.hops)


def _walked(recording: Recording, path: Path, traversals: Sequence[Traversal]) -> Path:
    return replace(path, walk=walk(recording, path.hops, traversals)) if traversals else path


def _proxied(recording: Recording, sequence: int, seconds: Iterable[SecondConnection]) -> Iterator[Path]:
    """Yield the paths of what a proxy sent for a probe, and of what came back to it."""
    publication = recording.plan.publication
    for each in seconds if publication else ():
        if each.sequence != sequence or publication is None:
            continue
        yield replace(
            _path(recording, Direction.REQUEST, sequence, publication.request, list(each.request)), proxied=True
        )
        if each.reply:
            yield replace(
                _path(recording, Direction.REPLY, sequence, publication.reply, list(each.reply)), proxied=True
            )


def _answers(recording: Recording) -> tuple[Kind, ...]:
    """Say which packets are followed back: of an echo the reply alone, whose errors may come from anywhere."""
    return (Kind.REPLY,) if recording.plan.question.port is None else (Kind.REPLY, Kind.ERROR, Kind.RESET)


def flooded(recording: Recording, sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return the copies that left through bridge ports beside the way."""
    publication = recording.plan.publication
    onward = (*publication.request, *publication.reply) if publication else ()
    planned = {step.point.link for step in (*recording.plan.request, *recording.plan.reply, *onward)}
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
    known = [_hop(recording, step, match, placed) for step, match in placed]
    merged = _insert(known, [_seen(recording, each, planned=False) for each in left])
    hops = list(with_changes(merged))
    if direction is Direction.REQUEST:
        hops = list(_translated_first(recording, hops))
    segment = segment_words(sightings[0].headers) if sightings else ""
    if direction is Direction.REPLY and segment not in ANSWERS:
        hops = _from_its_maker(hops)
    return Path(direction=direction, sequence=sequence, hops=tuple(hops), segment=segment)


def _from_its_maker(hops: list[Hop]) -> list[Hop]:
    """Leave out the hops ahead of where a refusal was first seen: made on the way, it never passed them.

    A place that could not be watched stays: it may have passed there.
    """
    first = next((number for number, hop in enumerate(hops) if isinstance(hop, Seen) and hop.planned), 0)
    ahead = [hop for hop in hops[:first] if isinstance(hop, Seen) or hop.why != PASSED]
    return [*ahead, *hops[first:]]


def left_translated(plan: Plan, hops: Iterable[Hop]) -> bool:
    """Whether a request for a published port was rewritten before any interface saw it, as the host's own are."""
    first = next((hop for hop in hops if isinstance(hop, Seen)), None)
    carried = plan.publication is not None and plan.publication.carriage is Carriage.TRANSLATED
    return carried and first is not None and first.destination != _asked(plan)


def _translated_first(recording: Recording, hops: Sequence[Hop]) -> Iterator[Hop]:
    """Tell at the first hop seen what the sender's own rules rewrote ahead of it."""
    first = next((number for number, hop in enumerate(hops) if isinstance(hop, Seen)), None)
    for number, hop in enumerate(hops):
        rewrites = rewritten_by_sender(recording, hop) if isinstance(hop, Seen) and number == first else ()
        if isinstance(hop, Seen) and number == first and not rewrites and left_translated(recording.plan, hops):
            rewrites = (Rewrite("destination", _asked(recording.plan), hop.destination),)
        yield replace(hop, rewrites=(*rewrites, *hop.rewrites)) if isinstance(hop, Seen) and rewrites else hop


def _asked(plan: Plan) -> str:
    return place((plan.resolution.address or "").partition("%")[0], plan.question.port)


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
        return say("the capture lost {count} frames here", count=lost[0].dropped)
    link = recording.topology.link(step.point.link)
    on_bridge = step.point.sandbox == HOST or (link is not None and link.kind is LinkKind.BRIDGE)
    if on_bridge and seen_later and recording.plan.question.passive:
        return say("a bridge shows it in promiscuous mode only (--passive)")
    if seen_later:
        return PASSED
    return recording.plan.barrier if step in recording.plan.beyond[:1] else say("it stopped before")


def _seen(recording: Recording, sighting: Sighting, *, planned: bool, routed: bool = False) -> Seen:
    observation, read = sighting.observation, sighting.headers
    segment = read.tcp or read.udp
    source_port, destination_port = (segment.source_port, segment.destination_port) if segment else (None, None)
    return Seen(
        point=recording.point(observation.point),
        heading=observation.heading,
        at_ns=observation.at_ns,
        delta_ns=None,
        source_mac=read.source_mac,
        destination_mac=read.destination_mac,
        source=place(read.ip.source, source_port) if read.ip else "",
        destination=place(read.ip.destination, destination_port) if read.ip else "",
        ttl=read.ip.ttl if read.ip else 0,
        observation=sighting.index,
        routed=routed,
        planned=planned,
        pieces=sighting.others,
        whole=sighting.whole,
        carrier=sighting.carrier,
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
