"""An ICMP error about a probe: who sent it, what it says, and how far it came."""

from msgspec import Struct

from inspector.model.question import CapturePoint
from inspector.model.report import Rule


class Complaint(Struct, frozen=True):
    """One ICMP error that quotes one of our probes."""

    sequence: int
    """Of the probe."""
    by: str
    """The address that it was sent from."""
    words: str
    """As ping says it."""
    first_seen: CapturePoint
    """Where it was seen first."""
    last_seen: CapturePoint
    heard: bool
    """Whether it came to an interface of the sandbox that sent the probe."""
    mtu: int | None = None
    """What the next link carries, in bytes of IP packet, where the error is about a packet too large for it."""
    rule: Rule | None = None
    """What dropped it on its way home, where that is certain."""
