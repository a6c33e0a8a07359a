"""Match questions of ARP and IPv6 neighbour discovery with their answers. Pure."""

from inspector.correlate.sweep.keys import address_text
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Neighbour
from inspector.wire import headers

MAX_QUESTIONS = 5_000
MOST_MACS = 4
AGAIN_NS = 10_000_000
"""The same question this much later was asked again; before that, it is on its way through the same interface."""

NeighbourKey = tuple[int, bytes, bytes]
"""Number of the interface, who asks, for which address."""
_ARP_LENGTH, _ND_LENGTH = 28, 24
_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"
_SOLICITED = 0x40
_TARGET_MAC = b"\x02\x01"
"""Option type and length, in units of eight bytes (RFC 4861, 4.6.1)."""


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
        self._known: Table[NeighbourKey, _Asking] = Table(MAX_QUESTIONS)

    @property
    def too_many(self) -> int:
        """Questions that were forgotten, counted at each interface."""
        return self._known.gone

    def feed_arp(self, number: int, at_ns: int, body: bytes) -> bool:
        """Take in what an ARP frame carries (RFC 826); return False where it is cut, or not of Ethernet and IPv4.

        Who announces its own address or tries one out (RFC 5227) waits for no answer.
        """
        if len(body) < _ARP_LENGTH or not body.startswith(_ETHERNET_IPV4):
            return False
        sender, target = body[14:18], body[24:28]
        if body[7] != headers.ARP_REQUEST:
            self._answer((number, target, sender), at_ns, body[8:14])
        elif sender != target and any(sender):
            self._ask((number, sender, target), at_ns)
        return True

    def feed_nd(self, number: int, at_ns: int, ends: bytes, message: bytes, source_mac: bytes) -> None:
        """Take in a solicitation or an advertisement (RFC 4861, 4.3 and 4.4); one that is cut says nothing."""
        if len(message) < _ND_LENGTH:
            return
        target = message[8:_ND_LENGTH]
        if message[0] == headers.V6_SOLICITATION:
            if any(ends[:16]):
                self._ask((number, ends[:16], target), at_ns)
        elif message[4] & _SOLICITED:
            option = message[_ND_LENGTH:]
            self._answer((number, ends[16:], target), at_ns, option[2:8] if option[:2] == _TARGET_MAC else source_mac)

    def _ask(self, key: NeighbourKey, at_ns: int) -> None:
        known = self._known.entries.get(key)
        if known is None:
            self._known.put(key, _Asking(at_ns))
        elif at_ns - known.last_ns >= AGAIN_NS:
            known.asked += 1
            known.last_ns = at_ns

    def _answer(self, key: NeighbourKey, at_ns: int, mac: bytes) -> None:
        known = self._known.entries.get(key)
        if known is None:
            return
        if known.answered_ns is None:
            known.answered_ns = at_ns
        said = mac.hex(":")
        if said and said not in known.macs and len(known.macs) < MOST_MACS:
            known.macs.append(said)

    def neighbours(self, names: list[str]) -> tuple[Neighbour, ...]:
        """Return each question once, in the order of time, from the interface that saw it first."""
        groups: dict[tuple[bytes, bytes], list[tuple[int, _Asking]]] = {}
        for (number, asker, target), known in self._known.entries.items():
            groups.setdefault((asker, target), []).append((number, known))
        for group in groups.values():
            group.sort(key=lambda each: (each[1].at_ns, each[0]))
        ordered = sorted(groups.items(), key=lambda each: each[1][0][1].at_ns)
        return tuple(_told(asker, target, group, names) for (asker, target), group in ordered)


def _told(asker: bytes, target: bytes, group: list[tuple[int, _Asking]], names: list[str]) -> Neighbour:
    number, first = group[0]
    return Neighbour(
        asker=address_text(asker),
        target=address_text(target),
        interface=names[number],
        asked=first.asked,
        # An answer need not come past the interface that saw the question first.
        macs=tuple(dict.fromkeys(mac for _, each in group for mac in each.macs)),
        elapsed_ns=first.answered_ns - first.at_ns if first.answered_ns is not None else None,
        seen_at=tuple(dict.fromkeys(names[each] for each, _ in group)),
    )
