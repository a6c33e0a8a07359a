"""Put the frames of several points in order, while there are few of them.

Each ring hands over a block when it is full or its time is up, so blocks of one moment come one after another. A frame
is held back as long as an earlier one may still come, which is a block's time. No I/O.
"""

import struct
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Generic, TypeVar

from msgspec import Struct

from inspector.capture.capture_file import length_of

HOLD_NS = 75_000_000
"""Half as long again as a ring's block waits for more frames (`point_tap.RETIRE_MS`)."""
_TIME = struct.Struct("<II")
_TIME_AT = 12

P = TypeVar("P")


class Held(Struct, Generic[P], eq=False):
    """One packet block that waits for its turn."""

    at_ns: int
    came_ns: int
    """By a clock that only goes forward."""
    point: P
    rank: int
    """Decides between two of one time."""
    block: bytes


class Ordering(Generic[P]):
    """The packet blocks that wait."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: list[Held[P]] = []

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._held)

    def add(self, point: P, rank: int, parts: Iterable[memoryview], now_ns: int) -> None:
        """Take over packet blocks of a point; what the parts look into may change afterwards."""
        for part in parts:
            for block in _split(bytes(part)):
                high, low = _TIME.unpack_from(block, _TIME_AT)
                self._held.append(Held(high << 32 | low, now_ns, point, rank, block))

    def due(self, now_ns: int) -> list[Held[P]]:
        """Return those that have waited long enough, and all that are not later, in their order."""
        latest = max((each.at_ns for each in self._held if now_ns - each.came_ns >= HOLD_NS), default=None)
        if latest is None:
            return []
        return self._taken([each for each in self._held if each.at_ns <= latest])

    def all(self) -> list[Held[P]]:
        """Return all, in their order."""
        return self._taken(self._held)

    def _taken(self, found: list[Held[P]]) -> list[Held[P]]:
        gone = set(map(id, found))
        self._held = [each for each in self._held if id(each) not in gone]
        return sorted(found, key=attrgetter("at_ns", "rank"))


def _split(blocks: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(blocks):
        end = at + length_of(memoryview(blocks)[at:])
        yield blocks[at:end]
        at = end
