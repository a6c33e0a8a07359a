"""Count ICMP errors by what they say about which flow. Pure."""

from inspector.correlate.sweep.keys import protocol_name
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Complaint, Endpoint
from inspector.wire import headers

MAX_ERRORS = 5_000
MOST_PLACES = 16

ErrorKey = tuple[str, str, str, str, Endpoint, Endpoint]
"""Who says it to whom, the words, then protocol and ends of the packet it is about."""


class _Said:
    __slots__ = ("at_ns", "counts")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.counts: dict[int, int] = {}


class ErrorsSaid:
    """All ICMP errors of a capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._said: Table[ErrorKey, _Said] = Table(MAX_ERRORS)

    @property
    def too_many(self) -> int:
        """Kinds of errors that were forgotten."""
        return self._said.gone

    def feed(self, number: int, at_ns: int, ip: headers.Ip, icmp: headers.Icmp) -> None:
        """Take in an error that came past an interface."""
        quoted = icmp.quoted
        if quoted is None:
            return
        segment = quoted.tcp or quoted.udp
        ports = (segment.source_port, segment.destination_port) if segment else (None, None)
        key = (
            ip.source,
            ip.destination,
            icmp.words,
            protocol_name(quoted.ip.protocol),
            Endpoint(quoted.ip.source, ports[0]),
            Endpoint(quoted.ip.destination, ports[1]),
        )
        said = self._said.entries.get(key) or self._said.put(key, _Said(at_ns))
        if number in said.counts or len(said.counts) < MOST_PLACES:
            said.counts[number] = said.counts.get(number, 0) + 1

    def refusals(self) -> dict[tuple[Endpoint, Endpoint], str]:
        """Return the first error about each flow, in words, by its ends."""
        found: dict[tuple[Endpoint, Endpoint], str] = {}
        for by, _, words, _, source, destination in self._said.entries:
            found.setdefault((source, destination), f"{by} says {words}")
        return found

    def complaints(self, names: list[str]) -> tuple[Complaint, ...]:
        """Return them in the order of time, counted at the interface that saw most."""
        return tuple(
            Complaint(
                by=by,
                to=to,
                words=words,
                protocol=protocol,
                source=source,
                destination=destination,
                count=max(said.counts.values()),
                at_ns=said.at_ns,
                seen_at=tuple(names[number] for number in said.counts),
            )
            for (by, to, words, protocol, source, destination), said in sorted(
                self._said.entries.items(), key=lambda each: each[1].at_ns
            )
        )
