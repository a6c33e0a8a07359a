"""Match questions of ARP and IPv6 neighbour discovery with their answers. Pure."""

from inspector.correlate.sweep.table import Table
from inspector.correlate.tracks import UNSPECIFIED
from inspector.model.capture import Neighbour
from inspector.wire import headers

MAX_QUESTIONS = 5_000
MOST_MACS = 4
AGAIN_NS = 10_000_000
"""The same question this much later was asked again; before that, it is on its way through the same interface."""


class _Asking:
    __slots__ = ("answered_ns", "asked", "at_ns", "last_ns", "macs")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = self.last_ns = at_ns
        self.asked = 1
        self.answered_ns: int | None = None
        self.macs: list[str] = []


class Neighbours:
    """All questions for MACs of a capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: Table[tuple[int, str, str], _Asking] = Table(MAX_QUESTIONS)

    @property
    def too_many(self) -> int:
        """Questions that were forgotten, counted at each interface."""
        return self._known.gone

    def feed_arp(self, number: int, at_ns: int, arp: headers.Arp) -> None:
        """Take in an ARP frame; who announces its own address or tries one out (RFC 5227) waits for no answer."""
        if arp.operation == headers.ARP_REQUEST:
            if arp.sender != arp.target and arp.sender not in UNSPECIFIED:
                self._ask(number, at_ns, arp.sender, arp.target)
        else:
            self._answer(number, at_ns, arp.target, arp.sender, arp.sender_mac)

    def feed_nd(self, number: int, at_ns: int, ip: headers.Ip, nd: headers.Neighbour, source_mac: str) -> None:
        """Take in a solicitation or an advertisement (RFC 4861)."""
        if not nd.advertisement:
            if ip.source not in UNSPECIFIED:
                self._ask(number, at_ns, ip.source, nd.target)
        elif nd.solicited:
            self._answer(number, at_ns, ip.destination, nd.target, nd.mac or source_mac)

    def _ask(self, number: int, at_ns: int, asker: str, target: str) -> None:
        known = self._known.entries.get((number, asker, target))
        if known is None:
            self._known.put((number, asker, target), _Asking(at_ns))
        elif at_ns - known.last_ns >= AGAIN_NS:
            known.asked += 1
            known.last_ns = at_ns

    def _answer(self, number: int, at_ns: int, asker: str, target: str, mac: str) -> None:
        known = self._known.entries.get((number, asker, target))
        if known is None:
            return
        if known.answered_ns is None:
            known.answered_ns = at_ns
        if mac and mac not in known.macs and len(known.macs) < MOST_MACS:
            known.macs.append(mac)

    def neighbours(self, names: list[str]) -> tuple[Neighbour, ...]:
        """Return each question once, in the order of time, from the interface that saw it first."""
        groups: dict[tuple[str, str], list[tuple[int, _Asking]]] = {}
        for (number, asker, target), known in self._known.entries.items():
            groups.setdefault((asker, target), []).append((number, known))
        told = []
        for (asker, target), group in groups.items():
            group.sort(key=lambda each: (each[1].at_ns, each[0]))
            number, first = group[0]
            answered = first.answered_ns
            told.append(
                Neighbour(
                    asker=asker,
                    target=target,
                    interface=names[number],
                    asked=first.asked,
                    macs=tuple(dict.fromkeys(mac for _, each in group for mac in each.macs)),
                    elapsed_ns=answered - first.at_ns if answered is not None else None,
                    seen_at=tuple(dict.fromkeys(names[each] for each, _ in group)),
                )
            )
        moments = {(asker, target): group[0][1].at_ns for (asker, target), group in groups.items()}
        return tuple(sorted(told, key=lambda each: moments[each.asker, each.target]))
