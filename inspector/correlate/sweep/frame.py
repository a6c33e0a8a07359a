"""One frame of a capture file, where it lies in the buffer, and what was found in it so far. Pure."""

from inspector.correlate.sweep.points import Point
from inspector.wire.captured import Taken

_ETHERNET_LENGTH, _MACS_LENGTH = 14, 12


class Frame:
    """Places are offsets in `data`; what stands behind `end` is another frame's."""

    __slots__ = (
        "at_ns", "data", "end", "ends", "heading", "kept", "macs", "packet", "point", "protocol", "segment",
        "start", "total", "ttl", "version", "wire",
    )  # fmt: skip

    ends: bytes
    """Both addresses, and ports where there are (see keys.py)."""
    protocol: int
    segment: int
    """Where the header behind IP starts."""
    total: int
    ttl: int
    version: int
    kept: int
    """Where the packet ends in the buffer, without the padding behind it."""
    macs: bytes
    """Destination and source, where the link type has them."""

    def __init__(self, point: Point, taken: Taken) -> None:
        """Take it in as an Ethernet frame."""
        self.point = point
        _, self.at_ns, self.data, self.start, kept, self.wire, self.heading = taken
        self.end = self.start + kept
        self.packet = self.start + _ETHERNET_LENGTH
        self.macs = self.data[self.start : self.start + _MACS_LENGTH] if point.layer.has_macs else b""

    @property
    def whole(self) -> int:
        """Where the packet would end had all of it been kept."""
        return self.packet + (self.total or self.wire - (self.packet - self.start))

    def measure(self, version: int, total: int, segment: int, ttl: int) -> None:
        """Take in what the IP header says: `total` is 0 where the packet is too long to say (RFC 2675)."""
        self.version, self.total, self.segment, self.ttl = version, total, segment, ttl
        kept = self.packet + total
        self.kept = kept if total > 0 and kept < self.end else self.end
