"""Put the frames of several points in order, while there are few of them.

Each ring hands over a block when it is full or its time is up, so blocks of one moment come one after another. A frame
is held back as long as an earlier one may still come, which is a block's time. No I/O.
"""

import struct
from collections.abc import Iterable
from operator import attrgetter
from typing import Generic, TypeVar

from msgspec import Struct

HOLD_NS = 75_000_000
"""Half as long again as a ring's block waits for more frames (`point_tap.RETIRE_MS`)."""
_HEAD = struct.Struct("<4xI4xII")
"""Of an Enhanced Packet Block: its length, and its time in two halves."""

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

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._held)

    def add(self, point: P, rank: int, parts: Iterable[memoryview], now_ns: int) -> None:
        """Take over packet blocks of a point; what the parts look into may change afterwards."""
        for part in parts:
            blocks, at = bytes(part), 0
            while at < len(blocks):
                length, high, low = _HEAD.unpack_from(blocks, at)
                self._held.append(Held(high << 32 | low, now_ns, point, rank, blocks[at : at + length]))
                at += length

    def due(self, now_ns: int) -> list[Held[P]]:
        """Return those that have waited long enough, and all that are not later, in their order."""
        latest = max((each.at_ns for each in self._held if now_ns - each.came_ns >= HOLD_NS), default=None)
        if latest is None:
            return []
        found, self._held = (
            [each for each in self._held if each.at_ns <= latest],
            [each for each in self._held if each.at_ns > latest],
        )
        return _sorted(found)

    def all(self) -> list[Held[P]]:
        """Return all, in their order."""
        found, self._held = self._held, []
        return _sorted(found)


def _sorted(found: list[Held[P]]) -> list[Held[P]]:
    return sorted(found, key=attrgetter("at_ns", "rank"))
