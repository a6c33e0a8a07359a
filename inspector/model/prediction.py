"""What is expected before anything is sent. Never an observation."""

from enum import StrEnum

from msgspec import Struct


class Expected(StrEnum):
    """How a trace should end, by what is known before it."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    NO_ROUTE = "no-route"
    UNKNOWN = "unknown"
    """The way leads beyond what can be looked at."""


class Prediction(Struct, frozen=True):
    """The expected outcome, and the facts it follows from."""

    outcome: Expected
    why: str


class Difference(StrEnum):
    """In what the wire differed from the plan."""

    NOT_SEEN = "not-seen"
    UNPLANNED = "unplanned"
    OUTCOME = "outcome"


class Disagreement(Struct, frozen=True):
    """One difference between what was expected and what was seen."""

    kind: Difference
    text: str
    point: str | None = None
    """The capture point, where it is about one."""
