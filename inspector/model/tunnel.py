"""What carries the frames of one network over another: VXLAN, Ethernet frames in UDP (RFC 7348)."""

from msgspec import Struct

from inspector.model.sentence import say


class Tunnel(Struct, frozen=True):
    """What a link is that packs its frames into UDP datagrams."""

    number: int
    """The VXLAN network identifier: both ends must have the same."""
    port: int
    """Of UDP, at the far end."""


class Remote(Struct, frozen=True):
    """What a VXLAN link believes: frames for this MAC go to this node (NDA_DST, linux/neighbour.h)."""

    ifindex: int
    """Of the VXLAN link, in its sandbox."""
    mac: str
    node: str
    """Address of the other node, in the network beneath."""


class Passage(Struct, frozen=True):
    """A way that leads through a VXLAN tunnel to another node."""

    number: int
    port: int
    node: str
    own: str | None
    """The address that this node sends from; None where the route does not tell."""

    def __str__(self) -> str:
        """Write it as a ladder does."""
        return say("VXLAN {number} to {node}", number=self.number, node=self.node)
