"""Follow how TCP connections begin and break, at each interface; told from where a SYN was seen first. Pure."""

from collections.abc import Callable

from msgspec.structs import replace

from inspector.correlate.sweep.keys import TCP, destination, source, turned
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Connection, Endpoint, Ends, Opening

MAX_CONNECTIONS = 10_000
AGAIN_NS = 10_000_000
"""The same SYN this much later was sent again; before that, it is on its way through the same interface."""
SYN, RST, ACK = 0x02, 0x04, 0x10

Refusals = dict[tuple[Endpoint, Endpoint], str]
Origins = dict[tuple[int, bytes], bytes]


class _Handshake:
    __slots__ = ("accepted_ns", "at_ns", "last_ns", "opened", "reset", "syns")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = self.last_ns = at_ns
        self.syns = 0
        self.accepted_ns: int | None = None
        self.opened = False
        self.reset = b""
        """Both ends of the RST, as it has them."""


class Handshakes:
    """All connections of a capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: Table[tuple[int, bytes], _Handshake] = Table(MAX_CONNECTIONS)

    @property
    def too_many(self) -> int:
        """Connections that were forgotten, counted at each interface."""
        return self._known.gone

    def feed(self, number: int, at_ns: int, ends: bytes, flags: int) -> None:
        """Take in a segment with SYN or RST that came past an interface."""
        entries = self._known.entries
        if flags & SYN and not flags & ACK:
            known = entries.get((number, ends))
            if known is None:
                known = self._known.put((number, ends), _Handshake(at_ns))
            if not known.syns or at_ns - known.last_ns >= AGAIN_NS:
                known.syns += 1
                known.last_ns = at_ns
        elif flags & SYN:
            asked = entries.get((number, turned(ends)))
            if asked is not None and asked.accepted_ns is None:
                asked.accepted_ns = at_ns
        elif flags & RST:
            self._reset(number, at_ns, ends)

    def _reset(self, number: int, at_ns: int, ends: bytes) -> None:
        entries = self._known.entries
        known = entries.get((number, ends)) or entries.get((number, turned(ends)))
        if known is None:
            known = self._known.put((number, ends), _Handshake(at_ns))
        known.reset = known.reset or ends

    def connections(
        self, names: list[str], refusals: Refusals, origins: Origins, repeated: Callable[[int, bytes], int]
    ) -> tuple[Connection, ...]:
        """Return each connection once, in the order of time.

        `origins` are by protocol and both ends, where they are rewritten; `repeated` counts retransmissions at an
        interface.
        """
        first: dict[bytes, tuple[int, _Handshake]] = {}
        for (number, ends), known in self._known.entries.items():
            key = turned(ends) if turned(ends) in first else ends
            before = first.get(key)
            if before is None or (not before[1].syns, before[1].at_ns, before[0]) > (
                not known.syns,
                known.at_ns,
                number,
            ):
                first.pop(key, None)
                first[ends] = (number, known)
        told = [
            replace(
                _told(ends, number, known, names, refusals),
                repeated=repeated(number, ends),
                origin=_origin(origins.get((TCP, ends))),
            )
            for ends, (number, known) in first.items()
        ]
        return tuple(sorted(told, key=lambda each: each.at_ns))


def _origin(ends: bytes | None) -> Ends | None:
    return Ends(source(ends), destination(ends)) if ends else None


def _told(ends: bytes, number: int, known: _Handshake, names: list[str], refusals: Refusals) -> Connection:
    client, server = source(ends), destination(ends)
    said = refusals.get((client, server)) if known.syns and known.accepted_ns is None else None
    if not known.syns:
        opening = Opening.UNSEEN
    elif known.accepted_ns is not None:
        opening = Opening.OPENED
    else:
        opening = Opening.REFUSED if said or known.reset == turned(ends) else Opening.UNANSWERED
    return Connection(
        client=client,
        server=server,
        interface=names[number],
        at_ns=known.at_ns,
        opening=opening,
        syns=known.syns,
        handshake_ns=known.accepted_ns - known.at_ns if known.accepted_ns is not None else None,
        reset_by=source(known.reset) if known.reset else None,
        refusal=said,
    )
