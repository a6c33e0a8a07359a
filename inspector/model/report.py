"""What is said in the end: paths, findings and a verdict, each with its evidence."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.conntrack import ConntrackEntry
from inspector.model.names import NameReport
from inspector.model.path import Path
from inspector.model.prediction import Disagreement, Prediction
from inspector.model.question import CapturePoint, Plan
from inspector.model.rules import Backend
from inspector.model.topology import HOST, BlindSpot, EngineIdentity, SandboxId


class Outcome(StrEnum):
    """How it ended."""

    DELIVERED = "delivered"
    REJECTED = "rejected"
    DROPPED = "dropped"
    LOST = "lost"
    UNANSWERED = "unanswered"
    UNRESOLVED = "unresolved"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(StrEnum):
    """How far the evidence goes."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Fact(Struct, frozen=True):
    """A sentence about the wire, with what it stands on."""

    text: str
    evidence: tuple[str, ...]


class Rule(Struct, frozen=True):
    """The firewall rule that decided."""

    family: str
    table: str
    chain: str
    position: int
    text: str
    owner: str
    sandbox: SandboxId = HOST
    backend: Backend = Backend.NFT
    """LEGACY: it was found by comparing counters, and is only likely."""
    handle: int = 0
    """The kernel's number for it (nf_tables); 0 of a policy and where there is none."""


class Translation(Struct, frozen=True):
    """A flow of the trace whose addresses or ports one network stack rewrote, and the rules that began it."""

    entry: ConntrackEntry
    rules: tuple[Rule, ...] = ()
    """Of nat chains, in the order met; empty where the kernel told of none."""


class Verdict(Struct, frozen=True):
    """How it ended, in one word and one sentence."""

    outcome: Outcome
    summary: str
    last_seen: CapturePoint | None = None
    never_seen: tuple[CapturePoint, ...] = ()
    rule: Rule | None = None
    reason: str | None = None


class Finding(Struct, frozen=True):
    """A problem (or a thing worth knowing) of the network, never of ours. No evidence, no finding."""

    id: str
    severity: Severity
    confidence: Confidence
    title: str
    evidence: tuple[str, ...]
    remedy: tuple[str, ...] = ()


class Spread(Struct, frozen=True):
    """Minimum, median and maximum of several durations, in nanoseconds."""

    min: int
    median: int
    max: int


class Statistics(Struct, frozen=True):
    """The probes, counted."""

    sent: int
    received: int
    rtt_ns: Spread | None


class Report(Struct, frozen=True):
    """The whole answer to a question."""

    plan: Plan
    engine: EngineIdentity
    verdict: Verdict
    statistics: Statistics
    paths: tuple[Path, ...]
    story: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    blind_spots: tuple[BlindSpot, ...]
    side_effects: tuple[str, ...]
    interrupted: bool = False
    departed: tuple[str, ...] = ()
    names: NameReport | None = None
    """How the source looked the destination's name up, where it did."""
    prediction: Prediction | None = None
    """What was expected; None where nothing was to be sent."""
    disagreements: tuple[Disagreement, ...] = ()
    """Where the wire differed from what the plan expected."""
    translations: tuple[Translation, ...] = ()
    """What connection tracking rewrote, of the probes and of what a proxy sent for them."""
    state: tuple[Fact, ...] = ()
    """What routes, policy rules, settings and links say about the way; each with the stack it is of."""
