"""Notice that the clock was set while packets were stamped by it: the kernel stamps them with CLOCK_REALTIME.

Waits and time-outs go by CLOCK_MONOTONIC, and the order of hops by the topology; only durations suffer.
"""

from collections.abc import Callable

from inspector.model.sentence import say
from inspector.model.topology import BlindSpot

STEP_NS, SLEW = 10_000_000, 1_000
"""More than this, and than this part of the time that went by, is no slewing: adjtimex(2) has 500 ppm at most."""


class WallClock:
    """The distance between both clocks, as it was in the beginning."""

    def __init__(self, realtime_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        """Begin to compare."""
        self._realtime_ns, self._monotonic_ns = realtime_ns, monotonic_ns
        self._before = self._read()

    def blind_spots(self) -> tuple[BlindSpot, ...]:
        """Say that it was set meanwhile, where it was."""
        began_ns, ahead_ns, doubt_ns = self._before
        now_ns, now_ahead_ns, now_doubt_ns = self._read()
        moved_ns = now_ahead_ns - ahead_ns
        if abs(moved_ns) <= STEP_NS + (now_ns - began_ns) // SLEW + doubt_ns + now_doubt_ns:
            return ()
        seconds = f"{abs(moved_ns) / 1e9:.2f}"
        why = (
            say("it was set {seconds} s forward meanwhile: times across that moment are wrong", seconds=seconds)
            if moved_ns > 0
            else say("it was set {seconds} s back meanwhile: times across that moment are wrong", seconds=seconds)
        )
        return (BlindSpot(say("the clock"), why),)

    def _read(self) -> tuple[int, int, int]:
        """Return the time, how far the wall clock is ahead of it, and how long it took to ask both."""
        now_ns = self._monotonic_ns()
        ahead_ns = self._realtime_ns() - now_ns
        return now_ns, ahead_ns, self._monotonic_ns() - now_ns
