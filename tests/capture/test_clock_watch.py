"""A clock that is set meanwhile is told; one that runs is not."""

import pytest

from inspector.capture.clock_watch import ClockWatch

HOUR_NS = 3_600_000_000_000


class Clocks:
    def __init__(self) -> None:
        self.realtime, self.monotonic = 1_700_000_000_000_000_000, 5_000_000_000

    def pass_ns(self, duration_ns: int) -> None:
        self.realtime += duration_ns
        self.monotonic += duration_ns


@pytest.mark.parametrize(("step_ns", "said"), [(-HOUR_NS, "by -3600.000 s"), (2_500_000_000, "by +2.500 s")])
def test_a_clock_that_is_set_is_told_with_how_far(step_ns: int, said: str) -> None:
    clocks = Clocks()
    watch = ClockWatch(lambda: clocks.realtime, lambda: clocks.monotonic)
    clocks.pass_ns(40_000_000)
    clocks.realtime += step_ns
    clocks.pass_ns(40_000_000)
    (spot,) = watch.blind_spots()
    assert (spot.point, said in spot.why) == ("clock", True)


def test_a_clock_that_runs_is_not_told() -> None:
    clocks = Clocks()
    watch = ClockWatch(lambda: clocks.realtime, lambda: clocks.monotonic)
    clocks.pass_ns(HOUR_NS)
    clocks.realtime += 3_000_000
    assert watch.blind_spots() == ()
