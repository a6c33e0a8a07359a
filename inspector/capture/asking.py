"""Look a name up: listen at all points of the plan, ask what the resolver's rules say, bring back what was seen.

1. What is asked next is decided elsewhere (an `Inquiry`, which knows libc's rules and no socket); here it is sent.
2. An answer counts if it comes from the server asked, with the query's identifier, name and type (RFC 5452, 9.1).
3. The first query leaves when every tap is bound.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Protocol

from inspector.capture.listening import Listening
from inspector.capture.opening import Opened, open_taps, visit
from inspector.capture.resolver_socket import ResolverSocket, resolver_socket, words
from inspector.capture.sent_words import learnt_words
from inspector.capture.session import Clocks, promiscuity
from inspector.model.dns import Asked, Message
from inspector.model.lookup import LookupPlan, Query, QueryOutcome, Replied, Silent, Unsent
from inspector.model.recording import Lookup
from inspector.model.sentence import say
from inspector.model.topology import SandboxId
from inspector.wire import craft, dns

MOST_QUERIES = 200
"""More than any resolver.conf can ask for one name; a rule of ours that never ends must not be one of theirs."""


class Inquiry(Protocol):
    """The rules of a lookup: what to ask next, given what came back. Times are of a clock that only goes forward."""

    @property
    def done(self) -> bool:
        """Whether nothing more is to be asked or waited for."""
        ...

    def due(self, now_ns: int) -> Sequence[Query]:
        """Return the queries that leave now."""
        ...

    def wake_ns(self) -> int | None:
        """Return when something is to be done even if nothing comes in."""
        ...

    def answered(self, query: Query, message: Message, now_ns: int) -> None:
        """Take in an answer."""
        ...

    def refused(self, query: Query, errno: int, now_ns: int) -> None:
        """Take in that the stack, or an ICMP error or reset, refused a query."""
        ...


def look_up(
    plan: LookupPlan,
    inquiry: Inquiry,
    namespaces: Mapping[SandboxId, int],
    *,
    pidfds: Mapping[str, int],
    tap_program: bytes,
    finish: Callable[[Lookup], Lookup],
    interruption: int | None = None,
    clocks: Clocks | None = None,
    until: ExitStack | None = None,
) -> Lookup:
    """Return what was asked, answered and seen; `finish` is called while the sockets are closing.

    Raises PrivilegeError where the kernel wants a capability. `namespaces` and `pidfds` stay the caller's.
    Where `until` is given, closing goes on behind what follows, and ends with it.
    """
    times = clocks or Clocks()
    with open_taps(plan.points, namespaces, tap_program, until=until) as opened:
        with Listening(plan.points, opened, pidfds, interruption, times.monotonic_ns) as listening:
            asking = _Asking(plan, inquiry, namespaces[plan.wanted.sandbox], listening, times)
            try:
                asking.carry_on()
                listening.drain()
                lookup = asking.lookup(opened)
            finally:
                asking.close()
        opened.begin_closing()
        return finish(lookup)


class _Asking:
    """The queries of one lookup, and what became of them."""

    def __init__(
        self, plan: LookupPlan, inquiry: Inquiry, namespace: int, listening: Listening, clocks: Clocks
    ) -> None:
        self._plan = plan
        self._inquiry = inquiry
        self._namespace = namespace
        self._listening = listening
        self._clocks = clocks
        self._sockets: dict[tuple[int, str], ResolverSocket] = {}
        """By the number that the rules give, and server: musl asks all servers by one socket, ours are connected."""
        self._pending: dict[int, tuple[Query, Asked, ResolverSocket, int]] = {}
        """By number: the query, what its answer has to ask, where it was sent, and when (since the epoch)."""
        self._outcomes: dict[int, QueryOutcome] = {}

    def carry_on(self) -> None:
        """Ask and listen until the inquiry is done, or somebody goes away."""
        listening = self._listening
        listening.wait(0)
        while not listening.ended:
            self._ask_all(self._inquiry.due(listening.now_ns()))
            wake_ns = self._inquiry.wake_ns()
            if self._inquiry.done or wake_ns is None or self._asked > MOST_QUERIES:
                return
            listening.wait(wake_ns - listening.now_ns())

    def lookup(self, opened: Opened) -> Lookup:
        """Give an account of it all, while everything is still open."""
        listening, now_ns = self._listening, self._clocks.realtime_ns()
        for number, (query, _asked, sock, at_ns) in self._pending.items():
            self._outcomes[number] = Silent(query, at_ns, waited_ns=now_ns - at_ns, source_port=sock.source_port)
        return Lookup(
            plan=self._plan,
            queries=tuple(self._outcomes[number] for number in sorted(self._outcomes)),
            observations=listening.observations(),
            counts=listening.counts(),
            blind_spots=(*opened.blind_spots, *listening.blind_spots),
            side_effects=(*self._sent(), *promiscuity(self._plan.points, opened)),
            interrupted=listening.interrupted,
            departed=tuple(listening.departed),
        )

    def close(self) -> None:
        """Close the sockets."""
        for each in self._sockets.values():
            each.close()

    @property
    def _asked(self) -> int:
        return len(self._pending) + len(self._outcomes)

    def _ask_all(self, queries: Sequence[Query]) -> None:
        """Send queries that leave together; one that is refused at once must not keep the next from leaving."""
        broken: dict[ResolverSocket, int] = {}
        for query in queries:
            sock = self._socket(query)
            broken[sock] = sock.take_error() or broken.get(sock, 0)
            self._ask(query, sock)
        for sock, number in broken.items():
            if number:
                self._refuse_all(sock, number, self._clocks.realtime_ns())

    def _ask(self, query: Query, sock: ResolverSocket) -> None:
        message = craft.dns_query(name=query.name, type=query.type, identifier=query.identifier)
        read = dns.read(message)
        at_ns = self._clocks.realtime_ns()
        if read is None or read.asked is None:
            raise AssertionError(query)
        self._pending[query.number] = (query, read.asked, sock, at_ns)
        if number := sock.send(message):
            self._refuse(query.number, number, self._clocks.realtime_ns())
        self._await(sock)

    def _socket(self, query: Query) -> ResolverSocket:
        """Return the socket that the query leaves by; several leave by one where libc does so."""
        key = (query.socket, query.server)
        if key not in self._sockets:
            sock = visit(self._namespace, partial(resolver_socket, query.server, query.transport))
            made = ResolverSocket(sock, query.server, query.transport, self._clocks.realtime_ns)
            self._sockets[key] = made
            self._listening.join(made, partial(self._hear, made))
        return self._sockets[key]

    def _await(self, sock: ResolverSocket) -> None:
        events = EVENT_READ | (EVENT_WRITE if sock.has_more_to_send else 0)
        self._listening.rejoin(sock, partial(self._hear, sock), events)

    def _hear(self, sock: ResolverSocket) -> None:
        if sock.has_more_to_send:
            if number := sock.flush():
                self._refuse_all(sock, number, self._clocks.realtime_ns())
            self._await(sock)
        for came in sock.receive():
            if came.errno:
                self._refuse_all(sock, came.errno, came.at_ns)
            else:
                self._answer(sock, came.message, came.at_ns)

    def _answer(self, sock: ResolverSocket, data: bytes, at_ns: int) -> None:
        message = dns.read(data)
        if message is None or not message.response or message.asked is None:
            return
        for number, (query, asked, asked_at, sent_ns) in list(self._pending.items()):
            if asked_at is sock and query.identifier == message.identifier and _same(asked, message.asked):
                del self._pending[number]
                self._outcomes[number] = Replied(query, sent_ns, at_ns, data, sock.source_port)
                self._inquiry.answered(query, message, self._listening.now_ns())
                return

    def _refuse_all(self, sock: ResolverSocket, errno: int, at_ns: int) -> None:
        for number, (_query, _asked, asked_at, _sent) in list(self._pending.items()):
            if asked_at is sock:
                self._refuse(number, errno, at_ns)

    def _refuse(self, number: int, errno: int, at_ns: int) -> None:
        query, _asked, sock, sent_ns = self._pending.pop(number)
        self._outcomes[number] = Unsent(query, sent_ns, errno, words(errno), at_ns, sock.source_port)
        self._inquiry.refused(query, errno, self._listening.now_ns())

    def _sent(self) -> tuple[str, ...]:
        servers: dict[str, int] = {}
        for each in self._outcomes.values():
            servers[each.query.server] = servers.get(each.query.server, 0) + 1
        label = self._plan.source.label
        sent = tuple(
            say("sent {count} DNS query from {source} to {server}", count=count, source=label, server=server)
            if count == 1
            else say("sent {count} DNS queries from {source} to {server}", count=count, source=label, server=server)
            for server, count in servers.items()
        )
        return (*sent, learnt_words()) if sent else ()


def _same(mine: Asked, theirs: Asked) -> bool:
    return (mine.name.lower(), mine.type) == (theirs.name.lower(), theirs.type)
