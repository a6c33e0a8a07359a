"""What a capture file consists of, whichever its form: frames, interfaces, names, counters; and the open end of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from msgspec import Struct

CHUNK = 1 << 20
"""Bytes asked for at once."""

Taken = tuple[int, int, bytes, int, int, int, int]
"""A frame: number of its interface, nanoseconds, the buffer it is in, where it starts there, bytes kept, bytes on the
wire, direction as bits 0 and 1 of `epb_flags` say it (0: not said). A tuple, for there may be millions of them."""


class Described(Struct, frozen=True):
    """An interface as the file describes it."""

    name: str
    link_type: int
    """LINKTYPE_ number (tcpdump.org/linktypes.html)."""
    snap_length: int
    """Bytes kept of a frame at most; 0 for no limit."""
    tick_ns: int
    """Of its time stamps; 0 where a tick is shorter than a nanosecond."""
    filtered: bool = False
    """Whether a filter chose its frames."""
    bridge: bool = False
    """Whether the file says that it is one (if_hardware, as dnetsniff writes it)."""


class Counters(Struct, frozen=True):
    """What the capturing program counted at an interface; None for what it did not."""

    received: int | None = None
    dropped: int | None = None


class FramesFile(ABC):
    """A capture file that is read once, from its start; what it says beside the frames is complete when they are."""

    form: ClassVar[str]

    def __init__(self) -> None:
        """Know nothing yet."""
        self.application: str | None = None
        self.system: str | None = None
        self.interfaces: list[Described] = []
        self.counters: dict[int, Counters] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.warnings: list[str] = []
        self.timeless = 0
        """Frames without a time stamp; they have that of the frame before."""

    @abstractmethod
    def frames(self) -> Iterator[Taken]:
        """Yield each frame, in the order of the file. Raises MalformedInputError."""


class Window:
    """The part of a stream that is in memory: what is behind is dropped, what is ahead is read when asked for."""

    def __init__(self, stream: BinaryIO, ahead: bytes) -> None:
        """`ahead` was read of the stream before."""
        self._stream = stream
        self._data = ahead
        self._behind = 0

    def advance(self, at: int, need: int) -> tuple[bytes, int]:
        """Drop what is before `at`; return the buffer from there on, and 0, the place of `at` in it."""
        self._behind += min(at, len(self._data))
        parts = [self._data[at:]]
        have = len(parts[0])
        while have < need:
            chunk = self._stream.read(max(CHUNK, need - have))
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        self._data = b"".join(parts)
        return self._data, 0

    def place(self, at: int) -> int:
        """Return where a place in the buffer is in the file."""
        return self._behind + at
