"""What a lookup asks, from the first query to the last: the name by the rules of its libc, then the answer's own name.

It is driven by whoever has sockets, and knows none: it says what is due, and takes in what came back. Picklable, so that
it can be driven in another process.
"""

from collections.abc import Sequence

from inspector.model.dns import Message
from inspector.model.lookup import LookupPlan, Query, Wanted
from inspector.plan.mechanisms import POINTER
from inspector.plan.resolver import Resolver
from inspector.wire.dns import reverse_name

MOST_QUERIES = 200
"""Identifiers that are enough for anything a resolv.conf can make a libc ask."""


class Inquiry:
    """The rules of one lookup, as the recording side drives them."""

    def __init__(self, plan: LookupPlan, identifiers: Sequence[int]) -> None:
        """Start with the name; `identifiers` are 16-bit numbers drawn at random, one for each query."""
        self._plan = plan
        self._identifiers = tuple(identifiers)
        self._found: list[str] = []
        self._current: Resolver | None = self._resolver(plan.wanted, 0) if plan.asks else None
        self._asked = 0

    @property
    def done(self) -> bool:
        """Whether nothing more is to be asked or waited for."""
        return self._current is None

    def due(self, now_ns: int) -> Sequence[Query]:
        """Return the queries that leave now."""
        queries: list[Query] = []
        while self._current is not None:
            leaving = self._current.due(now_ns)
            self._asked += len(leaving)
            queries.extend(leaving)
            if not self._current.done:
                break
            self._go_on()
        return queries

    def wake_ns(self) -> int | None:
        """Return when something is to be done even if nothing comes in."""
        return self._current.wake_ns() if self._current is not None else None

    def answered(self, query: Query, message: Message, now_ns: int) -> None:
        """Take in an answer."""
        if self._current is not None:
            self._found.extend(each.data for each in message.answers if each.type in {"A", "AAAA"})
            self._current.answered(query, message, now_ns)

    def refused(self, query: Query, errno: int, now_ns: int) -> None:
        """Take in that the stack, or an ICMP error or reset, refused a query."""
        if self._current is not None:
            self._current.refused(query, errno, now_ns)

    def _go_on(self) -> None:
        """Ask for the name of the first address, where that is one of those it may be asked for."""
        address = next((each for each in self._found if each in self._plan.reverse), None)
        self._found.clear()
        if address is None or self._plan.wanted.types == (POINTER,):
            self._current = None
            return
        wanted = Wanted(reverse_name(address), (POINTER,), self._plan.wanted.sandbox, timeout_s=1.0, attempts=1)
        self._current = self._resolver(wanted, self._asked)

    def _resolver(self, wanted: Wanted, asked: int) -> Resolver:
        return Resolver(wanted, self._plan.setup, self._identifiers[asked:], first_number=asked + 1)
