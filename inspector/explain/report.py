"""Make a report of a recording. Pure: the same recording gives the same report, on any machine."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from inspector.explain.case import Case
from inspector.explain.disagreements import disagreements
from inspector.explain.findings import look_for_all
from inspector.explain.foresight import foresee
from inspector.explain.state import state
from inspector.explain.story import narrate
from inspector.model.recording import Lookup
from inspector.model.report import Report, Statistics
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot

T = TypeVar("T")


def explain(case: Case, statistics: Statistics) -> Report:
    """Return the whole answer."""
    recording = case.recording
    asked = recording.lookup
    blind = (*recording.topology.blind_spots, *(_unseen(asked) if asked else ()), *recording.blind_spots)
    return Report(
        plan=recording.plan,
        engine=recording.topology.engine,
        verdict=case.verdict,
        statistics=statistics,
        paths=case.paths,
        story=narrate(case),
        findings=tuple(look_for_all(case)),
        blind_spots=_unique(blind),
        side_effects=_unique((*(asked.side_effects if asked else ()), *recording.side_effects)),
        interrupted=recording.interrupted or (asked is not None and asked.interrupted),
        departed=_unique((*(asked.departed if asked else ()), *recording.departed)),
        names=case.names,
        prediction=(prediction := foresee(recording)),
        disagreements=tuple(disagreements(case, prediction)),
        translations=case.translations,
        state=tuple(state(case)),
    )


def _unseen(asked: Lookup) -> Iterator[BlindSpot]:
    """Yield where a lookup was not watched, or not without loss: silence there proves nothing."""
    yield from asked.blind_spots
    for count in asked.counts:
        if count.dropped:
            why = say("the capture lost {dropped} frames here while the name was looked up", dropped=count.dropped)
            yield BlindSpot(point=str(asked.plan.points[count.point]), why=why)


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    """Keep each once: a lookup and the probes behind it may have met the same thing."""
    return tuple(dict.fromkeys(values))
