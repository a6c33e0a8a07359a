"""A table that stays within its size: what was put in first goes out first, and is counted. Pure."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Table(Generic[K, V]):
    """Entries by key, `limit` of them at most."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self.limit = limit
        self.entries: dict[K, V] = {}
        self.gone = 0
        """How many had to make room."""

    def put(self, key: K, value: V) -> V:
        """Take in a new entry."""
        if len(self.entries) >= self.limit:
            del self.entries[next(iter(self.entries))]
            self.gone += 1
        self.entries[key] = value
        return value
