"""The whole tool on one page: a question walks through the stages, and each hands a value to the next.

    question -> survey --Topology--> plan --Plan--> record --Recording--> correlate --Paths--> explain --Report

Two stages touch the world, through the Host; the others only think. `review` is the thinking half alone: it needs no
root and no engine, and gives the same report of the same recording anywhere.
"""

from typing import TYPE_CHECKING, BinaryIO, Protocol

from msgspec.structs import replace

from inspector.model.question import Party, Plan, Question
from inspector.model.topology import Topology
from inspector.plan.make import make_plan
from inspector.plan.parties import find_source, is_a_name
from inspector.wire.dns_name import printable_name

if TYPE_CHECKING:
    from inspector.model.capture import CaptureReport
    from inspector.model.lookup import LookupPlan, ResolverSetup
    from inspector.model.names import NameReport
    from inspector.model.recording import Lookup, Recording
    from inspector.model.report import Report


PLANNING = ("inspector.plan.make",)
THINKING = (
    "inspector.correlate.correlation",
    "inspector.explain.case",
    "inspector.explain.report",
    "inspector.correlate.name_report",
    "inspector.correlate.legacy_rules",
    "difflib",
)
THINKING_ABOUT_CAPTURES = (
    "inspector.wire.capture_file",
    "inspector.correlate.sweep.told",
    "inspector.explain.troubles",
)
"""What plans, and all that thinks: it is loaded ahead of its use, since a confined process can load nothing."""


class Host(Protocol):
    """The world, as the stages see it: a live machine, a recording, or a test world."""

    def survey(self) -> Topology:
        """Say what is there."""
        ...

    def resolver(self, topology: Topology, source: Party) -> "ResolverSetup":
        """Say what the source's resolver goes by."""
        ...

    def look_up(self, topology: Topology, plan: "LookupPlan") -> "Lookup":
        """Watch, ask the resolver's questions, and say what came back and was seen."""
        ...

    def record(self, topology: Topology, plan: Plan) -> "Recording":
        """Watch, send the probes, and say what was seen."""
        ...


def trace(question: Question, host: Host) -> tuple["Recording", "Report"]:
    """Ask the question of the world, and think about what was recorded."""
    recording = record(question, host)
    return recording, review(recording)


def record(question: Question, host: Host) -> "Recording":
    """Ask the question of the world: look the name up as the source would, then probe the address it got."""
    from inspector.model.recording import Recording

    topology = host.survey()
    question = replace(question, destination=printable_name(question.destination))
    lookup = _look_up(topology, question, host) if question.look_up and is_a_name(topology, question) else None
    found = _names(lookup) if lookup else None
    plan = make_plan(topology, question, found)
    if plan.obstacle is not None or question.names_only or (lookup and lookup.cut_short):
        return Recording(topology=topology, plan=plan, token=b"", lookup=lookup)
    return replace(host.record(topology, plan), lookup=lookup)


def review(recording: "Recording") -> "Report":
    """Think about what was recorded."""
    # Loaded here, so that a live trace can load it while the probes are on their way.
    from inspector.correlate.correlation import correlate
    from inspector.explain.case import Case
    from inspector.explain.report import explain

    correlation = correlate(recording)
    case = Case(
        recording=correlation.recording,
        paths=correlation.paths,
        verdict=correlation.verdict,
        resolutions=correlation.resolutions,
        floods=correlation.floods,
        talk=correlation.talk,
        names=correlation.names,
        complaints=correlation.complaints,
        translations=correlation.translations,
        discovery_stops=correlation.discovery_stops,
        accepted_by_legacy=correlation.accepted_by_legacy,
    )
    return explain(case, correlation.statistics)


def review_capture(stream: BinaryIO) -> "CaptureReport":
    """Think about a capture file of any program: what can be said without a topology, and what cannot.

    Reads the stream to its end, in memory that does not grow with it. Raises MalformedInputError.
    """
    from inspector.correlate.sweep.told import report_of
    from inspector.explain.troubles import explain_capture
    from inspector.wire.capture_file import open_capture

    return explain_capture(report_of(open_capture(stream)))


def _look_up(topology: Topology, question: Question, host: Host) -> "Lookup | None":
    """Look the destination's name up inside the source, where that has a network stack."""
    from inspector.plan.lookup import plan_lookup

    source = find_source(topology, question.source)
    if source.sandbox is None:
        return None
    return host.look_up(topology, plan_lookup(topology, question, source, host.resolver(topology, source)))


def _names(lookup: "Lookup") -> "NameReport":
    from inspector.correlate.name_report import name_report

    return name_report(lookup)
