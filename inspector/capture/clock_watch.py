"""Notice that somebody sets the machine's clock while we stamp by it.

Frames and answers have the stamps of CLOCK_REALTIME, which can be set; CLOCK_MONOTONIC cannot, and is slewed alike
(clock_gettime(2)). What their difference changes by is a step.
"""

from collections.abc import Callable

from inspector.model.sentence import say
from inspector.model.topology import BlindSpot

PLACE = "clock"
LEAST_NS = 10_000_000
"""Less is what lies between two readings on a busy machine."""


class ClockWatch:
    """Compares from when it is made on."""

    def __init__(self, realtime_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        """Read both clocks."""
        self._realtime_ns, self._monotonic_ns = realtime_ns, monotonic_ns
        self._before_ns = realtime_ns() - monotonic_ns()

    def blind_spots(self) -> tuple[BlindSpot, ...]:
        """Say by how much it was set since, if it was."""
        step_ns = self._realtime_ns() - self._monotonic_ns() - self._before_ns
        if abs(step_ns) < LEAST_NS:
            return ()
        why = say(
            "the machine's clock was set by {seconds} s meanwhile: times of before and after do not compare",
            seconds=f"{step_ns / 1e9:+.3f}",
        )
        return (BlindSpot(PLACE, why),)
