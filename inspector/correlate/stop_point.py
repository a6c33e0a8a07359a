"""Say in a verdict where the furthest packet was last seen, and which places of its way never saw any. Pure."""

from inspector.correlate.paths import places
from inspector.model.path import Direction, Path
from inspector.model.question import CapturePoint
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Verdict


def stopped(
    outcome: Outcome, summary: str, recording: Recording, paths: tuple[Path, ...], reason: str | None = None
) -> Verdict:
    """Return the verdict, with the places filled in."""
    seen = {hop.point.link for path in paths for hop in path.seen}
    expected = places(hop for path in paths for hop in path.hops)
    if not paths:
        expected = tuple(dict.fromkeys(step.point for step in (*recording.plan.request, *recording.plan.beyond)))
    never = tuple(point for point in expected if point.link not in seen)
    return Verdict(outcome, summary, last_seen=last_of(paths), never_seen=never, reason=reason)


def last_of(paths: tuple[Path, ...]) -> CapturePoint | None:
    """Return where the furthest packet was last seen."""
    path = furthest(paths)
    return path.seen[-1].point if path else None


def furthest(paths: tuple[Path, ...]) -> Path | None:
    """Return the path that was seen furthest along its hops: an answer is further than its request."""
    seen = [path for path in paths if path.seen]
    return max(seen, key=lambda path: (path.direction is Direction.REPLY, path.hops.index(path.seen[-1])), default=None)
