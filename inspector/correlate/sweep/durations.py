"""Sum durations up as they come. Pure."""

from inspector.model.capture import Times


class Durations:
    """The least, the greatest and the mean of any number of durations."""

    __slots__ = ("count", "max", "min", "total")

    def __init__(self) -> None:
        """Start with none."""
        self.count = self.total = self.min = self.max = 0

    def add(self, nanoseconds: int) -> None:
        """Take in one."""
        if not self.count or nanoseconds < self.min:
            self.min = nanoseconds
        if not self.count or nanoseconds > self.max:
            self.max = nanoseconds
        self.count += 1
        self.total += nanoseconds

    def times(self) -> Times | None:
        """Return them; None where there was none."""
        return Times(self.min, self.total // self.count, self.max) if self.count else None
