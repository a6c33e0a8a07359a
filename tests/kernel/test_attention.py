"""When the kernel is asked why it drops: never where the first probe is answered, before the second where it is not."""

from types import SimpleNamespace
from typing import Any

import pytest

from inspector.capture.attention import SURPRISE_NS, Attention, from_the_start
from inspector.capture.drop_watch import ATTENTION_NS
from inspector.model.question import Question

SECOND_NS = 1_000_000_000


class Watch:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_words: self.done.append(name) or ()


class Run:
    """A clock that is moved by hand, and an attention that goes by it."""

    def __init__(self, **asked: Any) -> None:
        self.now_ns = 5 * SECOND_NS
        self.watch = Watch()
        listening = SimpleNamespace(now_ns=lambda: self.now_ns, join=None, leave=None)
        opened = SimpleNamespace(pool=None, close_soon=lambda _close: None)
        question = Question(source="a", destination="b", **asked)
        self.attention = Attention(question, self.watch, listening, opened, lambda: self.now_ns)  # type: ignore[arg-type]

    def after(self, nanoseconds: int, over_ns: int | None = None) -> list[str]:
        """Let time pass, do what is due, and return what was asked of the watch."""
        self.now_ns += nanoseconds
        if self.attention.due_ns(over_ns) <= self.now_ns:
            self.attention.carry_on(over_ns)
        done, self.watch.done = self.watch.done, []
        return done


@pytest.mark.parametrize(
    ("asked", "begun"),
    [
        ({"count": 1}, ["descriptors"]),
        ({"count": 3}, []),
        ({"count": 3, "interval_s": 0.01}, ["descriptors"]),
        ({"count": 3, "interval_s": 1.0}, []),
    ],
)
def test_it_is_there_from_the_start_where_nothing_would_follow_in_time(asked: dict[str, Any], begun: list[str]) -> None:
    run = Run(**asked)
    assert run.after(0) == begun
    assert from_the_start(Question(source="a", destination="b", **asked)) is bool(begun)


def test_nothing_is_asked_where_the_first_probe_is_answered() -> None:
    run = Run(count=3)
    run.attention.expect(unanswered=False)
    assert run.after(SURPRISE_NS - 1) == []
    run.attention.end()
    run.attention.expect(unanswered=False)
    assert run.after(10 * SECOND_NS) == []


def test_it_is_asked_when_an_answer_is_missed_and_for_a_while_after_each_probe() -> None:
    run = Run(count=3)
    run.attention.expect(unanswered=False)
    assert run.after(SURPRISE_NS) == ["begin", "descriptors"]
    assert run.attention.since_ns == run.now_ns
    run.attention.expect(unanswered=True)
    assert run.after(ATTENTION_NS - 1) == ["expect", "attend"]
    assert run.after(1) == ["rest"]
    run.attention.end()
    assert run.after(0) == ["descriptors", "finish"]


def test_a_short_time_out_is_half_used() -> None:
    run = Run(count=3, timeout_s=0.05)
    run.attention.expect(unanswered=False)
    assert run.after(25_000_000 - 1) == []
    assert run.after(1) == ["begin", "descriptors"]


def test_it_ends_before_the_run_does() -> None:
    run = Run(count=1)
    assert run.after(0) == ["descriptors"]
    run.attention.expect(unanswered=False)
    over_ns = run.now_ns + SECOND_NS
    assert run.after(ATTENTION_NS, over_ns) == ["attend", "rest"]
    assert run.after(SECOND_NS - ATTENTION_NS - 80_000_000, over_ns) == ["descriptors", "finish"]
    assert run.attention.since_ns == 0
