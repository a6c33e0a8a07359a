"""What is new to a long capture: points that came and went, names, and whether somebody goes on looking."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from inspector.capture.point_tap import PointTap
from inspector.wire import pcapng

PointKey = tuple[int, int]
"""The inode of a network namespace, and an interface index in it: what stays the same under any name."""


class Arrived(Struct, frozen=True):
    """There is one point more, and it is listened to already."""

    key: PointKey
    interface: pcapng.Interface
    tap: PointTap
    pidfd: int | None = None
    """Of the container whose stack it is in: the point ends with it. The receiver's to close."""


class Gone(Struct, frozen=True):
    """A point is there no more."""

    key: PointKey


class Named(Struct, frozen=True):
    """Who has which address by now."""

    names: Mapping[str, tuple[str, ...]]


class Abandoned(Struct, frozen=True):
    """Nobody will tell of new points from now on, or (`False`) somebody will again."""

    alone: bool


class News(Protocol):
    """Who finds points."""

    def fileno(self) -> int:
        """Return a descriptor that turns readable when there are news."""
        ...

    def take(self) -> list[Arrived | Gone | Named | Abandoned]:
        """Return the news, without waiting."""
        ...

    def forget(self, key: PointKey) -> None:
        """Take in that a point was given up; where it is still there, it arrives again."""
        ...
