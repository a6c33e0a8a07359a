"""Make a report of a recording. Pure: the same recording gives the same report, on any machine."""

from inspector.explain.case import Case
from inspector.explain.findings import look_for_all
from inspector.explain.story import narrate
from inspector.model.report import Report, Statistics


def explain(case: Case, statistics: Statistics) -> Report:
    """Return the whole answer."""
    recording = case.recording
    return Report(
        plan=recording.plan,
        engine=recording.topology.engine,
        verdict=case.verdict,
        statistics=statistics,
        paths=case.paths,
        story=narrate(case),
        findings=tuple(look_for_all(case)),
        blind_spots=(*recording.topology.blind_spots, *recording.blind_spots),
        side_effects=recording.side_effects,
        interrupted=recording.interrupted,
        departed=recording.departed,
    )
