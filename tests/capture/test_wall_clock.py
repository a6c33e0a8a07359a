"""A clock that is set meanwhile is told; one that is slewed, and a long run, are not."""

import pytest

from inspector.capture.wall_clock import WallClock

S = 1_000_000_000


@pytest.mark.parametrize(
    ("after_ns", "moved_ns", "told"),
    [
        (3 * S, 0, None),
        (3 * S, 9_000_000, None),
        (60 * S, -60 * S // 2_000, None),
        (3 * S, -3_600 * S, "it was set 3600.00 s back meanwhile: times across that moment are wrong"),
        (3 * S, 250_000_000, "it was set 0.25 s forward meanwhile: times across that moment are wrong"),
    ],
)
def test_what_is_told(after_ns: int, moved_ns: int, told: str | None) -> None:
    monotonic = iter([5 * S, 5 * S, 5 * S + after_ns, 5 * S + after_ns])
    realtime = iter([1_000 * S, 1_000 * S + after_ns + moved_ns])
    clock = WallClock(lambda: next(realtime), lambda: next(monotonic))
    assert [(each.point, each.why) for each in clock.blind_spots()] == ([("the clock", told)] if told else [])


def test_what_took_long_to_ask_is_no_step() -> None:
    monotonic, realtime = iter([0, 0, 3 * S, 4 * S]), iter([1_000 * S, 1_003 * S + 900_000_000])
    assert WallClock(lambda: next(realtime), lambda: next(monotonic)).blind_spots() == ()
