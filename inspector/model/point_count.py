"""What a long capture has counted so far, and how it ended."""

from msgspec import Struct


class PointCount(Struct, frozen=True):
    """What came in at one capture point."""

    point: str
    frames: int
    """Written to the file."""
    wire_bytes: int
    received: int
    """Frames that passed the filter, by the kernel's count; the dropped ones among them."""
    dropped: int
    """Of those, how many found no room in the ring."""
    ended: bool = False
    """Whether the point is there no more."""


class CaptureCount(Struct, frozen=True):
    """All points of a capture, in the order in which they came."""

    points: tuple[PointCount, ...]
    elapsed_s: float
    written: int
    """Bytes of all files."""
    files: int

    @property
    def frames(self) -> int:
        """Frames written."""
        return sum(each.frames for each in self.points)

    @property
    def wire_bytes(self) -> int:
        """Their length on the wire."""
        return sum(each.wire_bytes for each in self.points)

    @property
    def dropped(self) -> int:
        """Frames that were lost."""
        return sum(each.dropped for each in self.points)
