"""One frame of a capture file, where it lies in the buffer, and what was found in it so far. Pure."""

from inspector.correlate.sweep.points import Point
from inspector.wire.captured import Taken

_ETHERNET_LENGTH = 14


class Frame:
    """Places are offsets in `data`; what stands behind `end` is another frame's."""

    __slots__ = (
        "at_ns", "data", "end", "ends", "heading", "packet", "point", "protocol", "segment", "start", "total", "ttl",
        "version", "wire",
    )  # fmt: skip

    ends: bytes
    """Both addresses, and ports where there are (see keys.py)."""
    protocol: int
    segment: int
    """Where the header behind IP starts."""
    total: int
    """Bytes of the packet by its own word; 0 where that is too long to say (RFC 2675)."""
    ttl: int
    version: int

    def __init__(self, point: Point, taken: Taken) -> None:
        """Take it in as an Ethernet frame."""
        self.point = point
        _, self.at_ns, self.data, self.start, kept, self.wire, self.heading = taken
        self.end = self.start + kept
        self.packet = self.start + _ETHERNET_LENGTH

    @property
    def macs(self) -> bytes:
        """Destination and source, where the link type has them."""
        return self.data[self.start : self.start + 12] if self.point.layer.has_macs else b""

    @property
    def kept(self) -> int:
        """Where the packet ends in the buffer, without the padding behind it."""
        return min(self.end, self.packet + self.total) if self.total else self.end

    @property
    def whole(self) -> int:
        """Where the packet would end had all of it been kept."""
        return self.packet + (self.total or self.wire - (self.packet - self.start))
