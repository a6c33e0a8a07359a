"""Say of each frame of a recording what it is, in the words that a comment in Wireshark shows. Pure."""

from collections.abc import Iterator

from inspector.model.names import Leg, LegKind, NameReport
from inspector.model.path import Direction, Path, Seen
from inspector.model.recording import Recording


def annotate(recording: Recording, paths: tuple[Path, ...], packets: tuple[tuple[int, int], ...]) -> dict[int, str]:
    """Return a comment for each frame of the probe: its hop, and what changed there."""
    comments = {index: _aside(recording, index) for index, _packet in packets}
    for path in paths:
        word = "request" if path.direction is Direction.REQUEST else "answer"
        word = f"proxy's {word}" if path.proxied else word
        kind = f" ({path.segment})" if path.segment else ""
        for number, hop in enumerate(path.hops, start=1):
            if isinstance(hop, Seen):
                words = f"{word} {path.sequence}{kind}, hop {number} of {len(path.hops)}"
                comments[hop.observation] = f"{words}: {_meaning(hop)}"
                for piece, index in enumerate(hop.pieces, start=2):
                    comments[index] = f"{words}: fragment {piece} of {hop.fragments}"
        for hop in path.seen[-1:]:
            comments[hop.observation] += "".join(f"; then {each}" for each in _stopped(path))
    return comments


def _stopped(path: Path) -> Iterator[str]:
    for step in path.stops[:1]:
        if step.decided:
            yield f"dropped in {step.sandbox} by {step.name(step.decided)}: {step.decided.text}"


def _meaning(hop: Seen) -> str:
    words = f"{hop.heading} at {hop.point}{f' as {hop.carrier}' if hop.carrier else ''}"
    changes = [f"{each.field} {each.before} -> {each.after}" for each in hop.rewrites]
    return ", ".join([words, *changes])


def _aside(recording: Recording, index: int) -> str:
    observation = recording.observations[index]
    return f"a copy beside the way: {observation.heading} at {recording.point(observation.point)}"


def annotate_names(names: NameReport) -> tuple[dict[int, str], dict[int, int]]:
    """Return a comment for each frame of a lookup's queries and answers, and the packet it is a sighting of."""
    comments: dict[int, str] = {}
    packets: dict[int, int] = {}
    for exchange in names.exchanges:
        query = exchange.outcome.query
        asked = f"query {query.number} ({query.name} {query.type})"
        for leg in exchange.legs:
            for words, hops in _messages(asked, leg):
                packet = len(set(packets.values())) + 1
                for number, hop in enumerate(hops, start=1):
                    comments[hop.observation] = f"{words}, hop {number} of {len(hops)}: {_meaning(hop)}"
                    packets[hop.observation] = packet
    return comments, packets


def _messages(asked: str, leg: Leg) -> Iterator[tuple[str, tuple[Seen, ...]]]:
    who = f"to {leg.server}" if leg.kind is LegKind.ASKED else f"forwarded to {leg.server}"
    yield f"{asked} {who}", leg.question
    said = _said(leg)
    yield f"answer to {asked} from {leg.server}: {said}", leg.answer


def _said(leg: Leg) -> str:
    if leg.message is None:
        return "no DNS message"
    count = len(leg.message.answers)
    return f"{leg.message.rcode}, {count} {'answer' if count == 1 else 'answers'}"
