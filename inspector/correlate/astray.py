"""Find a packet that came to an interface and was meant for another one: the stack behind it drops it unread. Pure."""

from inspector.model.path import Path, Seen
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.topology import LinkKind

OTHERHOST = "OTHERHOST"
"""What the kernel calls this reason (enum skb_drop_reason, include/net/dropreason-core.h)."""
_PACKET_OTHERHOST = 3
"""linux/if_packet.h; eth_type_trans() compares the frame's destination with the interface's own MAC."""


def astray(recording: Recording, path: Path | None) -> Seen | None:
    """Return where the packet was last seen, if that is an interface of a stack that takes no frame for another.

    A bridge and its ports take all frames.
    """
    hop = path.seen[-1] if path and path.seen else None
    link = recording.topology.link(hop.point.link) if hop else None
    if hop is None or link is None or hop.heading is not Heading.IN:
        return None
    switches = link.kind is LinkKind.BRIDGE or link.bridge is not None
    foreign = recording.observations[hop.observation].packet_type == _PACKET_OTHERHOST
    return hop if foreign and not switches else None
