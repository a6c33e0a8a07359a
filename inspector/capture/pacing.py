"""Decide when the next probe leaves and when the last has had its time. Pure: time is an argument.

1. A probe leaves as soon as the one before is settled (answered, failed, or out of time), but no earlier than
   `least_gap_ns` after it; where an interval is asked for, it leaves by that alone.
2. It ends when every probe has left and is settled.
"""

from msgspec import Struct, field

LEAST_GAP_NS = 10_000_000
"""At most 100 probes a second."""


class Pacing(Struct):
    """Where a run of probes stands; sequences start at 1."""

    count: int
    timeout_ns: int
    interval_ns: int | None = None
    least_gap_ns: int = LEAST_GAP_NS
    sent: int = 0
    _left_ns: int = 0
    _deadlines: dict[int, int] = field(default_factory=dict)

    def left(self, now_ns: int) -> int:
        """Note that a probe leaves, and return its sequence."""
        self.sent += 1
        self._left_ns = now_ns
        self._deadlines[self.sent] = now_ns + self.timeout_ns
        return self.sent

    def settled(self, sequence: int) -> None:
        """Note that a probe was answered, or has failed."""
        self._deadlines.pop(sequence, None)

    def due_ns(self) -> int | None:
        """When the next probe leaves, as far as is known now; None where none is left."""
        if self.sent >= self.count:
            return None
        if self.sent == 0:
            return self._left_ns
        if self.interval_ns is not None:
            return self._left_ns + max(self.interval_ns, self.least_gap_ns)
        return max(self._left_ns + self.least_gap_ns, self._deadlines.get(self.sent, 0))

    def over_ns(self) -> int | None:
        """When all probes have had their time, as far as is known now; None while some have not left."""
        return max(self._deadlines.values(), default=self._left_ns) if self.sent >= self.count else None

    def next_ns(self) -> int:
        """When something is to be done even if nothing comes in."""
        due, over = self.due_ns(), self.over_ns()
        return due if due is not None else over if over is not None else self._left_ns
