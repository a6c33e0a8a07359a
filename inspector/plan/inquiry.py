"""What a lookup asks, from the first query to the last: the name by the rules of its libc, then the answer's own name.

It is driven by whoever has sockets, and knows none: it says what is due, and takes in what came back. It can be
pickled, to be driven in another process.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from inspector.model.dns import Message
from inspector.model.lookup import LookupPlan, Query, Wanted
from inspector.plan.mechanisms import POINTER
from inspector.plan.resolver import Resolver

MOST_QUERIES = 200
"""Identifiers that are enough for anything a resolv.conf can make a libc ask."""


class Inquiry:
    """The rules of one lookup, as the recording side drives them."""

    def __init__(self, plan: LookupPlan, identifiers: Sequence[int]) -> None:
        """Start with the name; `identifiers` are 16-bit numbers drawn at random, one for each query."""
        self._plan = plan
        self._identifiers = tuple(identifiers)
        self._found: list[str] = []
        self._sent: dict[int, Query] = {}
        """What the resolver calls each query, by the number it has here."""
        self._ahead = 0
        """Queries that were sent before the resolver's first."""
        self._current: Resolver | None = self._resolver(plan.wanted) if plan.asks else None

    @property
    def done(self) -> bool:
        """Whether nothing more is to be asked or waited for."""
        return self._current is None

    def due(self, now_ns: int) -> Sequence[Query]:
        """Return the queries that leave now."""
        queries: list[Query] = []
        while self._current is not None:
            queries.extend(self._numbered(each) for each in self._current.due(now_ns))
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
            self._current.answered(self._sent[query.number], message, now_ns)

    def refused(self, query: Query, errno: int, now_ns: int) -> None:
        """Take in that the stack, or an ICMP error or reset, refused a query."""
        if self._current is not None:
            self._current.refused(self._sent[query.number], errno, now_ns)

    def _go_on(self) -> None:
        """Ask for the name of the first address, where that is one of those it may be asked for."""
        address = next((each for each in self._found if each in self._plan.reverse), None)
        self._found.clear()
        if address is None or self._plan.wanted.types == (POINTER,):
            self._current = None
            return
        wanted = Wanted(address, (POINTER,), self._plan.wanted.sandbox, timeout_s=1.0, attempts=1)
        self._ahead = len(self._sent)
        self._current = self._resolver(wanted)

    def _resolver(self, wanted: Wanted) -> Resolver:
        return Resolver(wanted, self._plan.setup, self._identifiers[self._ahead :])

    def _numbered(self, query: Query) -> Query:
        """Count queries and sockets over both resolvers."""
        numbered = replace(query, number=query.number + self._ahead, socket=query.socket + self._ahead)
        self._sent[numbered.number] = query
        return numbered
