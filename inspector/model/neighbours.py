"""The talk about MAC addresses that a trace overheard."""

from msgspec import Struct

from inspector.model.question import CapturePoint, Heading
from inspector.model.report import Rule


class NeighbourFrame(Struct, frozen=True):
    """One ARP or ND frame at one point: somebody asks who has an address, or answers."""

    point: CapturePoint
    heading: Heading
    asks: bool
    target: str
    """The address asked for or answered about."""
    sender: str | None
    sender_mac: str

    @property
    def claimed(self) -> str | None:
        """The address that the sender says is its own."""
        return self.sender if self.asks else self.target


class DiscoveryStop(Struct, frozen=True):
    """A message of IPv6 neighbour discovery, and the rule that dropped it."""

    address: str
    """What it is about."""
    asks: bool
    """A solicitation; else an advertisement."""
    hook: str
    """Where the rule's chain is entered: `input`, `forward`, `output`..."""
    rule: Rule


def claims(talk: tuple[NeighbourFrame, ...], address: str) -> dict[str, CapturePoint]:
    """Return the MACs that claimed an address, each with the point where that was first seen."""
    found: dict[str, CapturePoint] = {}
    for each in talk:
        if each.claimed == address:
            found.setdefault(each.sender_mac, each.point)
    return found
