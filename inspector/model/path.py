"""What was seen of one packet: its hops, and what changed from one to the next."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.question import CapturePoint, Heading
from inspector.model.walk import ACCEPT, DROP, WalkStep


class Direction(StrEnum):
    """Of a path."""

    REQUEST = "request"
    REPLY = "reply"


class Rewrite(Struct, frozen=True):
    """A header field that differs from the previous hop."""

    field: str
    before: str
    after: str


class Seen(Struct, frozen=True):
    """A hop that was observed."""

    point: CapturePoint
    heading: Heading
    at_ns: int
    delta_ns: int | None
    """Since the previous hop seen; None for the first."""
    source_mac: str
    destination_mac: str
    source: str
    """Address, and the port behind it for TCP and UDP: `172.17.0.2:80`, `[fd00::2]:80`."""
    destination: str
    ttl: int
    rewrites: tuple[Rewrite, ...] = ()
    observation: int = 0
    """Index into the recording's observations."""
    routed: bool = False
    planned: bool = True
    """False: seen where routes and bridges did not let us expect it."""
    pieces: tuple[int, ...] = ()
    """Observations of the packet's other fragments, where it passed here in several."""
    whole: bool = True
    """False: not all of its fragments were seen here."""
    carrier: str = ""
    """What it was packed into here: `VXLAN 4097 to 10.0.0.2`. The other fields are those of the packet inside."""

    @property
    def fragments(self) -> int:
        """How many frames carried the packet."""
        return 1 + len(self.pieces)


class Unseen(Struct, frozen=True):
    """A hop that was expected and not observed, and why that may be."""

    point: CapturePoint
    heading: Heading
    why: str


Hop = Seen | Unseen


class Path(Struct, frozen=True):
    """One packet's way over all hops, in the order of the topology."""

    direction: Direction
    sequence: int
    hops: tuple[Hop, ...]
    walk: tuple[WalkStep, ...] = ()
    """What it met of firewalls, in the order of its way."""
    segment: str = ""
    """What of a connection the packet is: `SYN`, `SYN-ACK`, `RST`; `UDP`; an ICMP error in words; empty for echoes."""
    proxied: bool = False
    """It is of the connection that the engine's userland proxy opened for the probe, not of the probe's own."""

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
