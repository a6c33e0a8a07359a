"""Ask every server for one name, once, whatever the others say: to compare them, as no libc does. Pure."""

from inspector.model.dns import Message, Transport
from inspector.model.lookup import Ending, Nameservers, Query, Wanted
from inspector.plan.exchange import NS_PER_S, Verdict, holds, named
from inspector.plan.numbering import Numbering

_BEST_FIRST = (
    Ending.ANSWERED,
    Ending.NO_DATA,
    Ending.NO_SUCH_NAME,
    Ending.SERVER_FAILED,
    Ending.REFUSED,
    Ending.TIMED_OUT,
    Ending.UNREACHABLE,
    Ending.UNASKED,
)


class EveryExchange:
    """One candidate name, asked for all types at all servers at once. A truncated answer is asked for over TCP."""

    def __init__(
        self, name: str, types: tuple[str, ...], nameservers: Nameservers, wanted: Wanted, numbering: Numbering
    ) -> None:
        self._name = name
        self._types = types
        self._servers = tuple(dict.fromkeys(nameservers.addresses))
        self._numbering = numbering
        self._wait_ns = int((nameservers.timeout_s if wanted.timeout_s is None else wanted.timeout_s) * NS_PER_S)
        transport = Transport.TCP if nameservers.use_tcp else Transport.UDP
        self._to_send = [(kind, server, transport) for server in self._servers for kind in types]
        self._sockets: dict[tuple[str, Transport], int] = {}
        self._waiting: dict[int, tuple[Query, int]] = {}
        """By number: the query, and until when."""
        self._replies: list[tuple[Query, Message]] = []
        self._endings: list[Ending] = []

    @property
    def done(self) -> bool:
        """Whether every query is answered, refused, or overdue."""
        return not self._to_send and not self._waiting

    def due(self, now_ns: int) -> tuple[Query, ...]:
        """Return the queries that leave now."""
        for number in [number for number, (_, until_ns) in self._waiting.items() if now_ns >= until_ns]:
            del self._waiting[number]
            self._endings.append(Ending.TIMED_OUT)
        leaving = tuple(self._query(*each) for each in self._to_send)
        self._to_send = []
        self._waiting.update({each.number: (each, now_ns + self._wait_ns) for each in leaving})
        return leaving

    def wake_ns(self) -> int | None:
        """Return when the first query is overdue; 0 where something can be sent at once."""
        if self._to_send:
            return 0
        return min((until_ns for _, until_ns in self._waiting.values()), default=None)

    def answered(self, query: Query, message: Message) -> None:
        """Take in an answer."""
        if self._waiting.pop(query.number, None) is None:
            return
        if message.truncated and query.transport is Transport.UDP:
            self._to_send.append((query.type, query.server, Transport.TCP))
            return
        self._replies.append((query, message))
        self._endings.append(Ending.ANSWERED if holds(message, self._types) else named(message.rcode))

    def refused(self, query: Query, errno: int) -> None:  # noqa: ARG002 - which error it was makes no difference
        """Take in that a query was refused."""
        if self._waiting.pop(query.number, None) is not None:
            self._endings.append(Ending.UNREACHABLE)

    def verdict(self) -> Verdict:
        """Say the best that any server said, of equals the one listed first; nothing is final."""
        full = [query for query, message in self._replies if holds(message, self._types)]
        if full:
            first = min((query.server for query in full), key=self._servers.index)
            return Verdict(Ending.ANSWERED, tuple(sorted(each.number for each in full if each.server == first)))
        ending = min(self._endings, key=_BEST_FIRST.index, default=Ending.UNASKED)
        by = (query.number for query, message in self._replies if named(message.rcode) is ending)
        return Verdict(ending, tuple(sorted(by)))

    def _query(self, kind: str, server: str, transport: Transport) -> Query:
        if (server, transport) not in self._sockets:
            self._sockets[server, transport] = self._numbering.socket()
        return self._numbering.query(self._name, kind, server, transport, self._sockets[server, transport])
