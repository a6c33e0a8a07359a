"""What is expected before anything is sent. Never an observation."""

from dataclasses import dataclass
from enum import StrEnum


class Expected(StrEnum):
    """How a trace should end, by what is known before it."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    NO_ROUTE = "no-route"
    UNKNOWN = "unknown"
    """The way leads beyond what can be looked at."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The expected outcome, and the facts it follows from."""

    outcome: Expected
    why: str


class Difference(StrEnum):
    """In what the wire differed from the plan."""

    NOT_SEEN = "not-seen"
    UNPLANNED = "unplanned"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference between what was expected and what was seen."""

    kind: Difference
    text: str
    point: str | None = None
    """The capture point, where it is about one."""
