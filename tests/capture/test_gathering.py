"""Blocks are waited for as long as there is room for many times as much, and no longer."""

import pytest

from inspector.capture.gathering import LONGEST_NS, SHORTEST_NS, next_pause


def settled(filled_each_ms: float) -> int:
    """Return the pause that a steady load leads to."""
    pause_ns = 0
    for _ in range(50):
        pause_ns = next_pause(pause_ns, max(pause_ns / 1e6, 1) * filled_each_ms)
    return pause_ns


def test_a_load_that_leaves_room_is_waited_for_longest() -> None:
    assert settled(0.0005) == LONGEST_NS


@pytest.mark.parametrize("filled_each_ms", [0.002, 0.01, 0.1, 1.0])
def test_no_load_fills_a_ring_during_a_pause(filled_each_ms: float) -> None:
    pause_ns = settled(filled_each_ms)
    assert pause_ns == 0 or pause_ns / 1e6 * filled_each_ms <= 0.5


def test_what_comes_all_at_once_is_read_at_once() -> None:
    assert next_pause(LONGEST_NS, 1.0) == LONGEST_NS // 4
    assert next_pause(SHORTEST_NS, 1.0) == 0
    assert next_pause(0, 0.01) == SHORTEST_NS
