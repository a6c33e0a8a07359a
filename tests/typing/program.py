"""A program of somebody else's on the public interface: mypy checks it, and tests/test_api.py runs it."""

from pathlib import Path
from typing import Any, assert_type

import inspector
from inspector.model.report import Outcome


def replayed(folder: str | Path) -> str:
    """Think again about a recording."""
    recording = assert_type(inspector.load(folder), inspector.Recording)
    report = assert_type(inspector.review(recording), inspector.Report)
    assert_type(report.to_dict(), dict[str, Any])
    assert_type(report.verdict.outcome, Outcome)
    assert_type([finding.id for finding in report.findings], list[str])
    return assert_type(report.to_text(width=80), str)


def live(source: str, destination: str, engine: str | None = None) -> inspector.Report | None:
    """Ask the question of the world, of containers that are there."""
    try:
        topology = assert_type(inspector.survey(host=engine), inspector.Topology)
        if topology.container(source) is None:
            return None
        return assert_type(
            inspector.trace(source, destination, count=1, timeout_s=0.5, family=4, host=engine), inspector.Report
        )
    except inspector.InspectorError as error:
        assert_type(error.hint, str | None)
        return None


def typed_wrongly() -> None:
    """Show that a checker notices."""
    inspector.trace("web")  # type: ignore[call-arg]
    inspector.trace("web", "db", count="3")  # type: ignore[arg-type]
    inspector.trace("web", "db", 3)  # type: ignore[call-arg]
    inspector.resolve_all()  # type: ignore[attr-defined]


version: str = inspector.__version__
