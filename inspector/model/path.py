"""What was seen of one packet: its hops, and what changed from one to the next."""

from dataclasses import dataclass
from enum import StrEnum

from inspector.model.question import CapturePoint, Heading
from inspector.model.walk import ACCEPT, DROP, WalkStep


class Direction(StrEnum):
    """Of a path."""

    REQUEST = "request"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A header field that differs from the previous hop."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A hop that was observed."""

    point: CapturePoint
    heading: Heading
    at_ns: int
    delta_ns: int | None
    """Since the previous hop seen; None for the first."""
    source_mac: str
    destination_mac: str
    source: str
    destination: str
    ttl: int
    rewrites: tuple[Rewrite, ...] = ()
    observation: int = 0
    """Index into the recording's observations."""
    routed: bool = False
    planned: bool = True
    """False: seen where routes and bridges did not let us expect it."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A hop that was expected and not observed, and why that may be."""

    point: CapturePoint
    heading: Heading
    why: str


Hop = Seen | Unseen


@dataclass(frozen=True, slots=True)
class Path:
    """One packet's way over all hops, in the order of the topology."""

    direction: Direction
    sequence: int
    hops: tuple[Hop, ...]
    walk: tuple[WalkStep, ...] = ()
    """What it met of firewalls, in the order of its way."""

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Only the hops that were observed."""
        return tuple(hop for hop in self.hops if isinstance(hop, Seen))

    @property
    def stops(self) -> tuple[WalkStep, ...]:
        """Where a rule dropped it, nothing saw it further on, and no other copy of it was let through."""
        return tuple(each for each in self.walk if each.verdict == DROP and each.decided and self._ends(each))

    def _ends(self, step: WalkStep) -> bool:
        further = any(isinstance(hop, Seen) for hop in self.hops[step.after + 1 :])
        # A bridge may have flooded copies of it: of those, one may have been dropped and another not.
        let_through = any(each.verdict == ACCEPT and each.base == step.base for each in self.walk)
        return not further and not let_through
