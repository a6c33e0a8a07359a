"""When the kernel is asked why it drops, and for how long.

To tell costs the kernel something for every packet of the machine, and 60 ms when it ends. So a run whose first probe
is answered at once never asks. Where the answer is missing, the kernel is asked before the next probe leaves; and from
the start where no other would leave in time.
"""

from collections.abc import Callable

from inspector.capture.drop_watch import ATTENTION_NS, DropWatch
from inspector.capture.listening import Listening
from inspector.capture.opening import Opened
from inspector.model.question import Question

SURPRISE_NS = 100_000_000
"""How long an answer may be away before it is missed."""
CLOSING_NS = 80_000_000
"""How long before the end of a run, at most, nothing more is heard of drops: closing their events takes that long."""
NEVER_NS = 1 << 63
"""A time that no clock comes to."""


def from_the_start(question: Question) -> bool:
    """Whether no probe would leave after the first one has been missed."""
    interval_s = question.interval_s
    return question.count == 1 or (interval_s is not None and interval_s * 1e9 < 2 * SURPRISE_NS)


class Attention:
    """Opens, rests and closes a drop watch in the course of a run."""

    def __init__(
        self, question: Question, watch: DropWatch, listening: Listening, opened: Opened, realtime_ns: Callable[[], int]
    ) -> None:
        """Take a watch that has begun where `from_the_start` says so."""
        self.since_ns = 0
        """Of which probes drops could be heard: those that left then (since the epoch) or later."""
        self._timeout_ns = int(question.timeout_s * 1e9)
        self._watch, self._listening, self._opened, self._realtime_ns = watch, listening, opened, realtime_ns
        self._open = from_the_start(question)
        self._over = False
        self._missed_ns = self._rest_ns = NEVER_NS
        if self._open:
            self._join()

    def expect(self, *, unanswered: bool) -> None:
        """Be ready for a probe that is about to leave; `unanswered`: one that left before has no answer."""
        now_ns = self._listening.now_ns()
        if self._open:
            if unanswered:
                self._watch.expect(self._opened.pool)
            self._watch.attend()
            self._rest_ns = now_ns + ATTENTION_NS
        elif not self._over and self._missed_ns == NEVER_NS:
            self._missed_ns = now_ns + min(SURPRISE_NS, self._timeout_ns // 2)

    def due_ns(self, over_ns: int | None) -> int:
        """When `carry_on` is to be called; `over_ns` is when all probes have had their time, if that is known."""
        return min(self._missed_ns, self._rest_ns, self._last_ns(over_ns))

    def carry_on(self, over_ns: int | None) -> None:
        """Do what is due."""
        now_ns = self._listening.now_ns()
        if self._last_ns(over_ns) <= now_ns:
            self.end()
        elif self._rest_ns <= now_ns:
            self._rest_ns = NEVER_NS
            self._watch.rest()
        elif self._missed_ns <= now_ns:
            self._missed_ns = NEVER_NS
            self._watch.begin()
            self._open, self.since_ns = True, self._realtime_ns()
            self._join()

    def end(self) -> None:
        """Ask no more; closing takes a while, and is done beside what is left to do."""
        if self._open:
            for descriptor in self._watch.descriptors():
                self._listening.leave(descriptor)
            self._opened.close_soon(self._watch.finish())
        self._open, self._over = False, True
        self._missed_ns = self._rest_ns = NEVER_NS

    def _join(self) -> None:
        for descriptor in self._watch.descriptors():
            self._listening.join(descriptor, self._watch.take)

    def _last_ns(self, over_ns: int | None) -> int:
        return over_ns - min(CLOSING_NS, self._timeout_ns // 2) if self._open and over_ns is not None else NEVER_NS
