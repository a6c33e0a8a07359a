"""Compare what was expected with what was seen. Pure.

1. A place that could not be watched, or not without loss, says nothing about what was there.
2. Only the furthest packet of each direction is compared: what one packet did is not a matter of the others.
3. Where the outcome could not be told, nothing is compared with it.
"""

from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.model.path import Direction, Path, Seen, Unseen
from inspector.model.prediction import Difference, Disagreement, Expected, Prediction
from inspector.model.report import Outcome
from inspector.model.sentence import say
from inspector.model.topology import HOST, LinkKind

UNTOLD = frozenset({Outcome.UNKNOWN, Outcome.UNRESOLVED})


def disagreements(case: Case, prediction: Prediction | None) -> Iterator[Disagreement]:
    """Yield the differences: the outcome first, then the points in the order of the way."""
    outcome = case.verdict.outcome
    if prediction is None or outcome in UNTOLD or case.recording.interrupted or case.recording.departed:
        return
    expected = prediction.outcome
    delivered = outcome is Outcome.DELIVERED
    if expected is not Expected.UNKNOWN and delivered is not (expected is Expected.DELIVERED):
        yield Disagreement(
            Difference.OUTCOME, say("expected {expected}, and it was {outcome}", expected=expected, outcome=outcome)
        )
    for direction in Direction:
        path = _furthest(case, direction)
        yield from _points(case, path, expected) if path else ()


def _furthest(case: Case, direction: Direction) -> Path | None:
    paths = [path for path in case.paths if path.direction is direction]
    return max(paths, key=lambda path: path.hops.index(path.seen[-1]) if path.seen else -1, default=None)


def _points(case: Case, path: Path, outcome: Expected) -> Iterator[Disagreement]:
    plan = case.recording.plan
    steps = plan.request if path.direction is Direction.REQUEST else plan.reply
    expected = {(step.point.link, step.heading) for step in steps}
    stops = outcome in {Expected.DROPPED, Expected.NO_ROUTE}
    for hop in path.hops:
        packet = say("the request") if path.direction is Direction.REQUEST else say("the answer")
        known = {"packet": packet, "heading": hop.heading, "point": hop.point}
        if isinstance(hop, Seen):
            if not hop.planned:
                words = say("{packet} {heading} at {point} was seen, and not expected", **known)
                yield Disagreement(Difference.UNPLANNED, words, str(hop.point))
        elif (hop.point.link, hop.heading) in expected and not stops and not _hidden(case, hop):
            words = say("{packet} {heading} at {point} was expected, and not seen", **known)
            yield Disagreement(Difference.NOT_SEEN, words, str(hop.point))


def _hidden(case: Case, hop: Unseen) -> bool:
    """Whether silence at this point proves nothing."""
    recording = case.recording
    lost = any(each.dropped and recording.point(each.point).link == hop.point.link for each in recording.counts)
    blind = any(spot.point == str(hop.point) for spot in recording.blind_spots)
    link = case.topology.link(hop.point.link)
    on_bridge = hop.point.sandbox == HOST or (link is not None and link.kind is LinkKind.BRIDGE)
    return lost or blind or (recording.plan.question.passive and on_bridge)
