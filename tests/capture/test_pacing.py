"""Probes leave in time, one after another, and their end is known."""

from inspector.capture.pacing import Pacing

MS = 1_000_000


def test_the_first_is_due_at_once_and_the_next_when_the_answer_is_in() -> None:
    pacing = Pacing(count=3, timeout_ns=1000 * MS)
    assert pacing.due_ns() == 0
    assert pacing.left(5 * MS) == 1
    assert pacing.due_ns() == 1005 * MS
    pacing.settled(1)
    assert pacing.due_ns() == 15 * MS
    assert pacing.over_ns() is None


def test_an_interval_does_not_wait_for_answers() -> None:
    pacing = Pacing(count=2, timeout_ns=1000 * MS, interval_ns=200 * MS)
    pacing.left(10 * MS)
    assert pacing.due_ns() == pacing.next_ns() == 210 * MS


def test_an_interval_below_the_least_gap_is_stretched() -> None:
    pacing = Pacing(count=2, timeout_ns=1000 * MS, interval_ns=0)
    pacing.left(10 * MS)
    assert pacing.due_ns() == 20 * MS


def test_it_is_over_when_the_last_is_settled_or_has_had_its_time() -> None:
    pacing = Pacing(count=2, timeout_ns=100 * MS, interval_ns=20 * MS)
    pacing.left(0)
    pacing.left(20 * MS)
    assert pacing.due_ns() is None
    assert pacing.over_ns() == pacing.next_ns() == 120 * MS
    pacing.settled(2)
    assert pacing.over_ns() == 100 * MS
    pacing.settled(1)
    assert pacing.over_ns() == 20 * MS


def test_nothing_to_send_is_over_at_once() -> None:
    pacing = Pacing(count=0, timeout_ns=100 * MS)
    assert pacing.due_ns() is None
    assert pacing.over_ns() == 0


def test_settling_what_never_left_changes_nothing() -> None:
    pacing = Pacing(count=1, timeout_ns=100 * MS)
    pacing.settled(9)
    assert pacing.due_ns() == 0
