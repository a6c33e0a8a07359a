"""Match ICMP echo requests with their answers, at each interface; a ping is told from where it was seen first. Pure."""

from collections.abc import Iterator

from msgspec.structs import replace

from inspector.correlate.sweep.durations import Durations
from inspector.correlate.sweep.keys import destination, source, turned
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Echoes, Ends

MAX_PINGS = 10_000
MAX_PENDING = 1_000
"""Requests of one ping that wait for their answers."""
MOST_SEQUENCES = 10
REQUESTS, REPLIES = frozenset({(1, 8), (58, 128)}), frozenset({(1, 0), (58, 129)})
"""IP protocol and type (RFC 792, RFC 4443)."""

PingKey = tuple[int, bytes, int]
"""Number of the interface, both addresses as the request has them, identifier."""


class _Ping:
    __slots__ = ("at_ns", "pending", "rtt", "sent", "unanswered")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.sent = 0
        self.pending: dict[int, int] = {}
        self.unanswered: list[int] = []
        self.rtt = Durations()

    def ask(self, sequence: int, at_ns: int) -> None:
        """Take in a request; the same one again on its way through the same interface is no other."""
        if sequence in self.pending:
            return
        self.sent += 1
        if len(self.pending) >= MAX_PENDING:
            oldest = next(iter(self.pending))
            del self.pending[oldest]
            if len(self.unanswered) < MOST_SEQUENCES:
                self.unanswered.append(oldest)
        self.pending[sequence] = at_ns

    def answer(self, sequence: int, at_ns: int) -> None:
        asked_ns = self.pending.pop(sequence, None)
        if asked_ns is not None:
            self.rtt.add(at_ns - asked_ns)


class Pings:
    """All echoes of a capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._pings: Table[PingKey, _Ping] = Table(MAX_PINGS)

    @property
    def too_many(self) -> int:
        """Pings that were forgotten, counted at each interface."""
        return self._pings.gone

    def feed(self, number: int, at_ns: int, protocol: int, ends: bytes, message: bytes) -> None:
        """Take in an ICMP message of at least eight bytes that came past an interface."""
        kind = (protocol, message[0])
        identifier, sequence = int.from_bytes(message[4:6], "big"), int.from_bytes(message[6:8], "big")
        if kind in REQUESTS:
            key = (number, ends, identifier)
            ping = self._pings.entries.get(key) or self._pings.put(key, _Ping(at_ns))
            ping.ask(sequence, at_ns)
        elif kind in REPLIES:
            asked = self._pings.entries.get((number, turned(ends), identifier))
            if asked is not None:
                asked.answer(sequence, at_ns)

    def echoes(self, names: list[str], origins: dict[tuple[int, bytes], bytes]) -> tuple[Echoes, ...]:
        """Return each ping once, in the order of time; `origins` by protocol and both ends, where rewritten."""
        first: dict[tuple[bytes, int], tuple[PingKey, _Ping]] = {}
        for key, ping in self._pings.entries.items():
            known = first.get(key[1:])
            if known is None or (ping.at_ns, key[0]) < (known[1].at_ns, known[0][0]):
                first[key[1:]] = (key, ping)
        told = _told(sorted(first.values(), key=lambda each: each[1].at_ns), names)
        return tuple(
            replace(each, origin=_origin(ends, identifier, first, origins)) for each, (ends, identifier) in told
        )


def _origin(
    ends: bytes,
    identifier: int,
    known: dict[tuple[bytes, int], tuple[PingKey, _Ping]],
    origins: dict[tuple[int, bytes], bytes],
) -> Ends | None:
    before = origins.get((1, ends)) or origins.get((58, ends))
    if before is None or (before, identifier) not in known:
        return None
    return Ends(source(before), destination(before))


def _told(found: list[tuple[PingKey, _Ping]], names: list[str]) -> Iterator[tuple[Echoes, tuple[bytes, int]]]:
    for (number, ends, identifier), ping in found:
        echoes = Echoes(
            source=source(ends).address,
            destination=destination(ends).address,
            identifier=identifier,
            interface=names[number],
            sent=ping.sent,
            answered=ping.rtt.count,
            rtt=ping.rtt.times(),
            unanswered=tuple([*ping.unanswered, *ping.pending][:MOST_SEQUENCES]),
        )
        yield echoes, (ends, identifier)
