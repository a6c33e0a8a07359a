"""Ask for one name as glibc does (__res_context_send, send_dg and send_vc in resolv/res_send.c). Pure.

1. One server after the other, all of them once in each round, `attempts` rounds.
2. A and AAAA leave together from one socket, and both are waited for. Where one is answered and the other is not in
   time, both are asked again at the same server, one after the other; then once more, each from a socket of its own;
   then the half that is there has to do. What was learned so about the server is kept for the names that follow.
3. SERVFAIL, NOTIMP, REFUSED, and an empty answer of a server that is neither an authority nor a resolver: the next
   server, unless the other half of the pair is answered.
4. A truncated answer: both questions again over TCP, at this server, and over TCP at those that follow; each once.
5. An error of the socket (ICMP port unreachable, no route) closes all sockets: the next server.
6. glibc waits for TCP as long as the kernel does. Here it waits as long as for UDP.
"""

from errno import ECONNREFUSED, ECONNRESET

from msgspec import Struct

from inspector.model.dns import Message, Transport
from inspector.model.lookup import Ending, Nameservers, Query, Wanted
from inspector.plan.exchange import NS_PER_S, Verdict, holds, named
from inspector.plan.numbering import Numbering

_SERVER_ERRORS = frozenset({"SERVFAIL", "NOTIMP", "REFUSED"})


class Habits(Struct):
    """What glibc's resolver remembers from one name to the next."""

    single: bool
    """The second half of a pair is asked when the first is answered (RES_F_SNGLKUP)."""
    reopen: bool
    """And from another socket (RES_F_SNGLKUPREOP)."""
    turn: int = 0
    """How far `rotate` has come; glibc starts anywhere."""


class Servers(Struct, frozen=True):
    """Whom to ask, and how patiently."""

    addresses: tuple[str, ...]
    waits_ns: tuple[int, ...]
    attempts: int
    rotate: bool
    use_tcp: bool


def glibc_servers(nameservers: Nameservers, wanted: Wanted) -> Servers:
    """Return the servers; without a wish of the user's, those behind the first have `timeout << n / servers` (send_dg).

    The shift and the division are of whole seconds, and one second is the least.
    """
    count = len(nameservers.addresses)
    waits = [wanted.timeout_s or 0.0] * count
    if wanted.timeout_s is None:
        seconds = int(nameservers.timeout_s)
        waits = [max(seconds if place == 0 else (seconds << place) // count, 1) for place in range(count)]
    return Servers(
        addresses=nameservers.addresses,
        waits_ns=tuple(int(each * NS_PER_S) for each in waits),
        attempts=nameservers.attempts if wanted.attempts is None else wanted.attempts,
        rotate=nameservers.rotate,
        use_tcp=nameservers.use_tcp,
    )


class GlibcExchange:
    """One candidate name, asked for one type or for A and AAAA."""

    def __init__(
        self, name: str, types: tuple[str, ...], servers: Servers, numbering: Numbering, habits: Habits
    ) -> None:
        self._name = name
        self._types = types
        self._servers = servers
        self._numbering = numbering
        self._habits = habits
        self._first = habits.turn if servers.rotate else 0
        habits.turn += 1
        self._step = 0
        """How many servers were left behind."""
        self._tcp = servers.use_tcp
        self._reset = False
        self._sockets: dict[int, int] = {}
        """By place in the list of servers."""
        self._late: list[tuple[Query, Message]] = []
        """Answers of servers that are not asked just now; they lie in their sockets."""
        self._heard = False
        self._errno = 0
        self._rcode = "NOERROR"
        """Of the answer that came first at the last server that said anything."""
        self._failure: Ending | None = None
        self._settled = False
        self._until_ns: int | None = None
        self._sent: set[int] = set()
        self._asked: set[str] = set()
        self._in: set[str] = set()
        """The types of which something came in."""
        self._replies: list[tuple[Query, Message]] = []
        """What came in and was no server's error, in that order."""
        self._to_send: tuple[str, ...] = ()
        self._begin()
        self._fail_at_the_end()

    @property
    def done(self) -> bool:
        """Whether it is settled."""
        return self._failure is not None or self._settled

    def due(self, now_ns: int) -> tuple[Query, ...]:
        """Return the queries that leave now."""
        leaving: list[Query] = []
        while not self.done:
            if self._until_ns is None:
                self._until_ns = now_ns + self._servers.waits_ns[self._place]
            elif now_ns >= self._until_ns:
                self._expire()
                continue
            if not self._to_send:
                break
            leaving += self._send()
            self._read_late()
        return tuple(leaving)

    def wake_ns(self) -> int | None:
        """Return when the server asked has had its time; 0 where something can be sent at once."""
        if self.done:
            return None
        return 0 if self._to_send or self._until_ns is None else self._until_ns

    def answered(self, query: Query, message: Message) -> None:
        """Take in an answer; what comes from a server not asked just now is read when it is asked again."""
        if self.done:
            return
        if query.socket == self._sockets.get(self._place):
            self._take(query, message)
        elif query.socket in self._sockets.values():
            self._late.append((query, message))

    def refused(self, query: Query, errno: int) -> None:
        """Go on to the next server; a TCP connection that was reset is tried once more (send_vc)."""
        if self.done or query.number not in self._sent:
            return
        self._close()
        if self._tcp and errno == ECONNRESET and not self._reset:
            self._reset = True
            self._begin()
            return
        self._errno = errno
        self._next_server()

    def verdict(self) -> Verdict:
        """Say how it ended (__res_context_query); any record at all keeps glibc from trying other names.

        An alias without an address, and an answer that is FORMERR, end in EAI_NONAME (measured with glibc 2.36).
        """
        if self._failure is not None:
            gone = self._errno == ECONNREFUSED if self._tcp else not self._heard
            ending = self._failure if self._rcode in {"NOERROR", "NXDOMAIN"} else named(self._rcode)
            return Verdict(ending, final=gone)
        messages = [message for _, message in self._replies]
        full = [query.number for query, message in self._replies if holds(message, self._types)]
        if full:
            return Verdict(Ending.ANSWERED, tuple(full), final=True)
        by = tuple(query.number for query, _ in self._replies)
        if any(each.rcode == "NOERROR" and each.answers for each in messages):
            return Verdict(Ending.NO_DATA, by, final=True, error="EAI_NONAME")
        self._rcode = next((each.rcode for each in messages if each.rcode != "NOERROR"), "NOERROR")
        ending = named(self._rcode)
        return Verdict(ending, by, error="EAI_NONAME" if ending is Ending.REFUSED else None)

    @property
    def _place(self) -> int:
        return (self._first + self._step) % len(self._servers.addresses)

    def _begin(self) -> None:
        """Start asking the server whose turn it is."""
        self._settled = False
        self._until_ns = None
        self._sent = set()
        self._asked = set()
        self._in = set()
        self._replies = []
        self._to_send = self._types[:1] if self._habits.single and not self._tcp else self._types

    def _send(self) -> list[Query]:
        place = self._place
        if place not in self._sockets:
            self._sockets[place] = self._numbering.socket()
        transport = Transport.TCP if self._tcp else Transport.UDP
        server, sock = self._servers.addresses[place], self._sockets[place]
        leaving = [self._numbering.query(self._name, each, server, transport, sock) for each in self._to_send]
        self._sent |= {each.number for each in leaving}
        self._asked |= set(self._to_send)
        self._to_send = ()
        return leaving

    def _read_late(self) -> None:
        here = self._sockets.get(self._place)
        ready = [each for each in self._late if each[0].socket == here]
        self._late = [each for each in self._late if each[0].socket != here]
        for query, message in ready:
            self.answered(query, message)

    def _take(self, query: Query, message: Message) -> None:
        if query.type in self._in:
            return
        self._heard = True
        if not self._in:
            self._rcode = message.rcode
        if self._tcp:
            self._keep(query, message)
        elif message.rcode in _SERVER_ERRORS or _is_lame(message):
            self._take_error(query)
        elif message.truncated:
            self._close()
            self._tcp = True
            self._begin()
        else:
            self._keep(query, message)
            if not self._settled and self._habits.single:
                if self._habits.reopen:
                    self._close()
                self._to_send = tuple(each for each in self._types if each not in self._asked)

    def _keep(self, query: Query, message: Message) -> None:
        self._in.add(query.type)
        self._replies.append((query, message))
        self._settled = self._in == set(self._types)

    def _take_error(self, query: Query) -> None:
        if self._in:
            self._settled = bool(self._replies)
            if not self._settled:
                self._next_server()
        elif len(self._types) > 1 and not self._habits.single:
            self._in.add(query.type)
        else:
            self._close()
            self._next_server()

    def _expire(self) -> None:
        if self._tcp:
            self._close()
            self._next_server()
        elif not self._replies:
            self._heard = True
            self._next_server()
        elif not self._habits.single:
            self._habits.single = True
            self._begin()
        elif not self._habits.reopen:
            self._habits.reopen = True
            self._close()
            self._begin()
        else:
            self._settled = True

    def _next_server(self) -> None:
        self._step += 1
        self._begin()
        self._fail_at_the_end()

    def _fail_at_the_end(self) -> None:
        rounds, place = divmod(self._step, len(self._servers.addresses))
        if rounds >= self._servers.attempts or (self._tcp and self._step and place == 0):
            gone = self._errno if self._tcp else not self._heard
            self._failure = Ending.UNREACHABLE if gone else Ending.TIMED_OUT

    def _close(self) -> None:
        self._sockets.clear()
        self._late.clear()


def _is_lame(message: Message) -> bool:
    empty = message.rcode == "NOERROR" and not message.answers
    return empty and not message.authoritative and not message.recursion_available
