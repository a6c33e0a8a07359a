"""Say of each frame of a recording what it is, in the words that a comment in Wireshark shows. Pure."""

from inspector.model.path import Direction, Path, Seen
from inspector.model.recording import Recording


def annotate(recording: Recording, paths: tuple[Path, ...], packets: tuple[tuple[int, int], ...]) -> dict[int, str]:
    """Return a comment for each frame of the probe: its hop, and what changed there."""
    comments = {index: _aside(recording, index) for index, _packet in packets}
    for path in paths:
        word = "request" if path.direction is Direction.REQUEST else "answer"
        for number, hop in enumerate(path.hops, start=1):
            if isinstance(hop, Seen):
                comments[hop.observation] = f"{word} {path.sequence}, hop {number} of {len(path.hops)}: {_meaning(hop)}"
    return comments


def _meaning(hop: Seen) -> str:
    words = f"{hop.heading} at {hop.point}"
    changes = [f"{each.field} {each.before} -> {each.after}" for each in hop.rewrites]
    return ", ".join([words, *changes])


def _aside(recording: Recording, index: int) -> str:
    observation = recording.observations[index]
    return f"a copy beside the way: {observation.heading} at {recording.point(observation.point)}"
