"""The whole tool on one page: a question walks through the stages, and each hands a value to the next.

    question -> survey --Topology--> plan --Plan--> record --Recording--> correlate --Paths--> explain --Report

Two stages touch the world, through the Host; the others only think. `review` is the thinking half alone: it needs no
root and no engine, and gives the same report of the same recording anywhere.
"""

from typing import TYPE_CHECKING, Protocol

from inspector.model.question import Plan, Question
from inspector.model.topology import Topology
from inspector.plan.make import make_plan

if TYPE_CHECKING:
    from inspector.model.recording import Recording
    from inspector.model.report import Report


class Host(Protocol):
    """The world, as the stages see it: a live machine, a recording, or a test world."""

    def survey(self) -> Topology:
        """Say what is there."""
        ...

    def record(self, topology: Topology, plan: Plan) -> "Recording":
        """Watch, send the probes, and say what was seen."""
        ...


def trace(question: Question, host: Host) -> tuple["Recording", "Report"]:
    """Ask the question of the world."""
    from inspector.model.recording import Recording

    topology = host.survey()
    plan = make_plan(topology, question)
    if plan.obstacle is not None:
        recording = Recording(topology=topology, plan=plan, token=b"")
    else:
        recording = host.record(topology, plan)
    return recording, review(recording)


def review(recording: "Recording") -> "Report":
    """Think about what was recorded."""
    # Loaded here, so that a live trace can load it while the probes are on their way (see load_thinking).
    from inspector.correlate.correlation import correlate
    from inspector.explain.case import Case
    from inspector.explain.report import explain

    correlation = correlate(recording)
    case = Case(
        recording=recording,
        paths=correlation.paths,
        verdict=correlation.verdict,
        resolutions=correlation.resolutions,
        floods=correlation.floods,
    )
    return explain(case, correlation.statistics)


def load_thinking() -> None:
    """Load what `review` needs, ahead of its use."""
    import inspector.correlate.correlation
    import inspector.explain.report  # noqa: F401
