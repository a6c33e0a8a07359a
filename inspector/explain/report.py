"""Make a report of a recording. Pure: the same recording gives the same report, on any machine."""

from collections.abc import Iterable
from typing import TypeVar

from inspector.explain.case import Case
from inspector.explain.findings import look_for_all
from inspector.explain.story import narrate
from inspector.model.report import Report, Statistics

T = TypeVar("T")


def explain(case: Case, statistics: Statistics) -> Report:
    """Return the whole answer."""
    recording = case.recording
    asked = recording.lookup
    blind = (*recording.topology.blind_spots, *(asked.blind_spots if asked else ()), *recording.blind_spots)
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
    )


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    """Keep each once: a lookup and the probes behind it may have met the same thing."""
    return tuple(dict.fromkeys(values))
