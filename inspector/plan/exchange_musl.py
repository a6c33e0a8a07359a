"""Ask for one name as musl does (__res_msend_rc in src/network/res_msend.c). Pure.

1. Every type is asked of every server at once, from one socket; what is not answered is asked again every
   `timeout / attempts`, and all ends after `timeout`. The first NOERROR or NXDOMAIN of a type is its answer.
   The last interval may be cut: 3 attempts in 1 s are at 0, 333 and 666 ms, and musl wakes too late for one at 999.
2. SERVFAIL: that server is asked again at once, twice for each type between two rounds. Other errors are not heard.
3. The socket is not connected: an ICMP error never reaches it, and musl waits.
4. A truncated answer: this type over TCP at this server (musl 1.2.4 and later; older ones keep what fitted). Whatever
   goes wrong there ends it all.
5. A name is given up only for NXDOMAIN; no data, or no answer to one of the two types, ends the lookup
   (name_from_dns and name_from_dns_search in src/network/lookup_name.c).
"""

from msgspec import Struct

from inspector.model.dns import Message, Transport
from inspector.model.lookup import Ending, Nameservers, Query, Wanted
from inspector.plan.exchange import NS_PER_S, Verdict, holds, named
from inspector.plan.numbering import Numbering

_NS_PER_MS = 1_000_000


class Rounds(Struct, frozen=True):
    """Whom to ask, how often, and for how long in all."""

    addresses: tuple[str, ...]
    interval_ns: int
    whole_ns: int
    attempts: int


def rounds_of(nameservers: Nameservers, wanted: Wanted) -> Rounds:
    """Return the rounds; a wish of the user's is for the time between two of them. musl counts milliseconds."""
    attempts = max(nameservers.attempts if wanted.attempts is None else wanted.attempts, 1)
    if wanted.timeout_s is None:
        whole_ns = int(nameservers.timeout_s * NS_PER_S)
        interval_ns = whole_ns // _NS_PER_MS // attempts * _NS_PER_MS
    else:
        interval_ns = int(wanted.timeout_s * NS_PER_S)
        whole_ns = interval_ns * attempts
    return Rounds(nameservers.addresses, max(interval_ns, _NS_PER_MS), whole_ns, attempts)


class MuslExchange:
    """One candidate name, asked for one type or for A and AAAA."""

    def __init__(self, name: str, types: tuple[str, ...], rounds: Rounds, numbering: Numbering) -> None:
        self._name = name
        self._types = types
        self._rounds = rounds
        self._numbering = numbering
        self._socket = numbering.socket()
        self._until_ns: int | None = None
        self._next_ns = 0
        self._rounds_left = rounds.attempts
        self._again: list[tuple[str, str, Transport]] = []
        """What is to be asked beside the rounds: type, server, transport."""
        self._retries = 0
        self._on_tcp: set[str] = set()
        self._replies: dict[str, tuple[Query, Message]] = {}
        self._error: str | None = None
        self._over = False

    @property
    def done(self) -> bool:
        """Whether it is settled."""
        return self._over or len(self._replies) == len(self._types)

    def due(self, now_ns: int) -> tuple[Query, ...]:
        """Return the queries that leave now."""
        if self._until_ns is None:
            self._until_ns, self._next_ns = now_ns + self._rounds.whole_ns, now_ns
        self._over = self._over or now_ns >= self._until_ns
        if self.done:
            return ()
        leaving = self._again
        self._again = []
        if self._rounds_left and now_ns >= self._next_ns:
            self._rounds_left -= 1
            self._next_ns = now_ns + self._rounds.interval_ns if self._rounds_left else self._until_ns
            self._retries = 2 * len(self._types)
            for each in self._types:
                if each not in self._replies and each not in self._on_tcp:
                    leaving += [(each, server, Transport.UDP) for server in self._rounds.addresses]
        return tuple(self._query(*each) for each in leaving)

    def wake_ns(self) -> int | None:
        """Return when the next round or the end comes; 0 where something can be sent at once."""
        if self.done:
            return None
        return 0 if self._again or self._until_ns is None else min(self._next_ns, self._until_ns)

    def answered(self, query: Query, message: Message) -> None:
        """Take in an answer."""
        tcp = query.transport is Transport.TCP
        if self.done or query.type in self._replies or (query.type in self._on_tcp and not tcp):
            return
        if message.rcode not in {"NOERROR", "NXDOMAIN"}:
            self._error = message.rcode
            self._over = self._over or tcp
            if message.rcode == "SERVFAIL" and not tcp and self._retries:
                self._retries -= 1
                self._again.append((query.type, query.server, Transport.UDP))
        elif message.truncated and not tcp:
            self._on_tcp.add(query.type)
            self._again.append((query.type, query.server, Transport.TCP))
        else:
            self._replies[query.type] = (query, message)

    def refused(self, query: Query, errno: int) -> None:  # noqa: ARG002 - which error it was makes no difference
        """Give up where TCP was refused; musl's UDP socket hears of nothing."""
        self._over = self._over or query.transport is Transport.TCP

    def verdict(self) -> Verdict:
        """Say how it ended."""
        by: list[int] = []
        for each in self._types:
            if each not in self._replies:
                return Verdict(Ending.TIMED_OUT if self._error is None else named(self._error), final=True)
            query, message = self._replies[each]
            by.append(query.number)
            if message.rcode == "NXDOMAIN":
                return Verdict(Ending.NO_SUCH_NAME, (query.number,))
        full = [query.number for query, message in self._replies.values() if holds(message, self._types)]
        if full:
            return Verdict(Ending.ANSWERED, tuple(sorted(full)), final=True)
        return Verdict(Ending.NO_DATA, tuple(by), final=True)

    def _query(self, kind: str, server: str, transport: Transport) -> Query:
        sock = self._numbering.socket() if transport is Transport.TCP else self._socket
        return self._numbering.query(self._name, kind, server, transport, sock)
