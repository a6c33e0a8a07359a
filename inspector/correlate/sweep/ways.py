"""Know the same packet again at other interfaces, and count the ways that packets took. Pure.

1. A packet is known by what neither a router nor NAT changes: its length and identification, and what stands behind its
   ports, less the checksum. So its TTL, MACs, addresses and ports may differ, and are compared.
2. It is waited for until so many others came; a second without it ends its way, and so does the place it was at before.
3. Addresses that differ are taken for a rewrite only if the packet has a number of its own (identification), or else if
   the first interface never saw the new addresses of their own: two senders can say the same.
"""

from collections.abc import Callable, Collection
from itertools import pairwise

from inspector.correlate.sweep.durations import Durations
from inspector.correlate.sweep.keys import addresses, destination, protocol_name, source
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Endpoint, Hand, Sighting, Way

MAX_PENDING = 10_000
MAX_SIGHTINGS = 24
MAX_WAYS = 1_000
MAX_REWRITTEN = 50_000
LONGEST_GAP_NS = 1_000_000_000

_V4_BOTH = 8

HEADINGS = (None, "in", "out", None)
"""By the direction bits of `epb_flags`."""

Seen = tuple[int, int, int, int, bytes, bytes, int]
"""Nanoseconds, number of the interface, direction, TTL, both MACs if any, both ends (see keys.py), IP protocol."""
Place = tuple[int, int, int, Hand | None, bytes | None]
"""Number of the interface, direction, TTL, how it came here, both ends where they were rewritten."""
Shape = tuple[int, bytes, tuple[Place, ...]]
"""IP protocol, both addresses as they were first, and the places."""


class _Count:
    __slots__ = ("first_ends", "packets", "since")

    def __init__(self, first_ends: bytes, places: int) -> None:
        self.first_ends = first_ends
        self.packets = 0
        self.since = [Durations() for _ in range(places - 1)]


class Ways:
    """Feed it sightings; it settles a packet when no more of it is expected."""

    def __init__(self, has_flow: Callable[[int, int, bytes], bool], bridges: Collection[int] = ()) -> None:
        """`has_flow` says whether an interface saw a flow of a protocol with these ends; `bridges` are interfaces."""
        self._has_flow = has_flow
        self._bridges = bridges
        self._young: dict[bytes, list[Seen]] = {}
        self._old: dict[bytes, list[Seen]] = {}
        self._shapes: dict[Shape, _Count] = {}
        self._alike: dict[tuple[object, ...], _Count] = {}
        """The same by what is quicker to compare: interfaces, directions, TTLs and MACs, with nothing rewritten."""
        self.rewritten: Table[tuple[int, bytes], bytes] = Table(MAX_REWRITTEN)
        """By IP protocol and both ends: what they were before."""
        self.too_many = 0
        """Packets whose way was one too many."""

    def see(self, fingerprint: bytes, seen: Seen) -> None:
        """Take in one frame."""
        known = self._young.get(fingerprint)
        if known is None:
            known = self._old.pop(fingerprint, None)
            if known is None:
                if len(self._young) >= MAX_PENDING:
                    self._rotate()
                self._young[fingerprint] = [seen]
                return
            self._young[fingerprint] = known
        elif len(known) >= MAX_SIGHTINGS:
            self._settle(fingerprint, known)
            known.clear()
        known.append(seen)

    def is_copy(self, fingerprint: bytes) -> bool:
        """Return whether the last frame fed is a packet that passed the same interface before.

        One that is the same in everything may have been sent again, where nothing numbers packets (identification 0).
        """
        known = self._young.get(fingerprint, ())
        if not known:
            return False
        _, number, *marks = known[-1]
        same = [each for each in known[:-1] if each[1] == number]
        numbered = _is_numbered(fingerprint, known[-1])
        return any(numbered or list(each[2:]) != marks for each in same)

    def _rotate(self) -> None:
        for fingerprint, known in self._old.items():
            self._settle(fingerprint, known)
        self._old, self._young = self._young, {}

    def end(self) -> None:
        """Settle everything."""
        self._rotate()
        self._rotate()

    def _settle(self, fingerprint: bytes, known: list[Seen]) -> None:
        known.sort()
        if self._bridges:
            self._ports_first(known)
        if _is_plain(known):
            self._count_plain(known)
            return
        chains: list[list[Seen]] = []
        for seen in known:
            chain = self._chain(fingerprint, chains, seen)
            if chain is None:
                chains.append([seen])
            else:
                chain.append(seen)
        for chain in chains:
            self._add(self._counted(chain), chain)

    def _ports_first(self, known: list[Seen]) -> None:
        """Put a bridge behind the port that has the same stamp: by that a frame came in."""
        for place in range(len(known) - 1):
            bridge, port = known[place], known[place + 1]
            if bridge[0] == port[0] and bridge[1] in self._bridges:
                known[place], known[place + 1] = port, bridge

    def _chain(self, fingerprint: bytes, chains: list[list[Seen]], seen: Seen) -> list[Seen] | None:
        """Return the chain that a sighting goes on: the last one with the same ends, else one that was rewritten."""
        for chain in reversed(chains):
            if chain[-1][5] == seen[5] and _goes_on(chain, seen):
                return chain
        for chain in reversed(chains):
            if chain[-1][5] != seen[5] and _goes_on(chain, seen) and self._may_rewrite(fingerprint, chain[0], seen):
                return chain
        return None

    def _may_rewrite(self, fingerprint: bytes, first: Seen, seen: Seen) -> bool:
        if _is_numbered(fingerprint, seen):
            return True
        return seen[1] != first[1] and not self._has_flow(first[1], seen[6], seen[5])

    def _count_plain(self, chain: list[Seen]) -> None:
        likeness = (chain[0][6], addresses(chain[0][5]), *[each[1:5] for each in chain])
        count = self._alike.get(likeness)
        if count is None:
            count = self._counted(chain)
            if count is not None and len(self._alike) < MAX_WAYS:
                self._alike[likeness] = count
        self._add(count, chain)

    @staticmethod
    def _add(count: _Count | None, chain: list[Seen]) -> None:
        if count is None:
            return
        count.packets += 1
        for since, before, seen in zip(count.since, chain, chain[1:], strict=False):
            since.add(seen[0] - before[0])

    def _counted(self, chain: list[Seen]) -> _Count | None:
        """Return what counts packets that went this way; None where there are too many ways."""
        first = chain[0]
        protocol = first[6]
        places: list[Place] = [(first[1], first[2], first[3], None, None)]
        for before, seen in pairwise(chain):
            ends = None
            if seen[5] != before[5]:
                ends = _rewritten(before[5], seen[5])
                if seen[5] != first[5] and (protocol, seen[5]) not in self.rewritten.entries:
                    self.rewritten.put((protocol, seen[5]), first[5])
            places.append((seen[1], seen[2], seen[3], _hand(before, seen), ends))
        shape = (protocol, addresses(first[5]), tuple(places))
        count = self._shapes.get(shape)
        if count is None:
            if len(self._shapes) >= MAX_WAYS:
                self.too_many += 1
                return None
            count = self._shapes[shape] = _Count(first[5], len(chain))
        return count

    def ways(self, names: list[str]) -> tuple[Way, ...]:
        """Return the ways that led past several places, or ended early; the busiest first."""
        longest: dict[tuple[int, bytes], set[tuple[int, ...]]] = {}
        for protocol, ends, places in self._shapes:
            numbers = tuple(each[0] for each in places)
            prefixes = (numbers[:length] for length in range(1, len(numbers)))
            longest.setdefault((protocol, ends), set()).update(prefixes)
        found = []
        for (protocol, ends, places), count in self._shapes.items():
            early = tuple(each[0] for each in places) in longest[protocol, ends]
            if len(places) > 1 or (early and len(names) > 1):
                found.append(_way(protocol, count, places, names, early=early))
        return tuple(sorted(found, key=lambda each: (-each.packets, each.source, each.destination)))


def _is_plain(known: list[Seen]) -> bool:
    """Return whether sightings are those of one packet beyond doubt, as nearly all are: each at another interface."""
    first = known[0] if known else None
    if first is None or known[-1][0] - first[0] > LONGEST_GAP_NS or len({each[1] for each in known}) != len(known):
        return False
    return all(each[5] == first[5] and each[6] == first[6] for each in known)


def _goes_on(chain: list[Seen], seen: Seen) -> bool:
    """Return whether a sighting is soon enough, and not at a place where the same packet was before."""
    if seen[0] - chain[-1][0] > LONGEST_GAP_NS or seen[6] != chain[0][6]:
        return False
    return all(each[1] != seen[1] or each[1:] != seen[1:] for each in chain)


def _is_numbered(fingerprint: bytes, seen: Seen) -> bool:
    """Return whether its sender gave the packet an identification of its own (RFC 6864): IPv4 alone, and not 0."""
    return len(addresses(seen[5])) == _V4_BOTH and fingerprint[2:4] != b"\0\0"


def _hand(before: Seen, seen: Seen) -> Hand:
    if seen[3] < before[3]:
        return Hand.ROUTED
    if not seen[4] or not before[4]:
        return Hand.UNTOLD
    return Hand.SWITCHED if seen[4] == before[4] and seen[3] == before[3] else Hand.READDRESSED


def _rewritten(before: bytes, after: bytes) -> bytes:
    """Return the new ends; a port that is as before is 0, so that ways of many connections are one."""
    both = len(addresses(after))
    ports = (after[at : at + 2] if before[at : at + 2] != after[at : at + 2] else b"\0\0" for at in (both, both + 2))
    return after[:both] + b"".join(ports) if len(after) > both else after


def _way(protocol: int, count: _Count, places: tuple[Place, ...], names: list[str], *, early: bool) -> Way:
    sightings = []
    before = count.first_ends
    for index, (number, heading, ttl, hand, ends) in enumerate(places):
        sightings.append(
            Sighting(
                interface=names[number],
                heading=HEADINGS[heading],
                ttl=ttl,
                since=count.since[index - 1].times() if index else None,
                hand=hand,
                source=_changed(source(before), source(ends)) if ends else None,
                destination=_changed(destination(before), destination(ends)) if ends else None,
            )
        )
        before = ends or before
    return Way(
        protocol=protocol_name(protocol),
        source=source(count.first_ends).address,
        destination=destination(count.first_ends).address,
        packets=count.packets,
        sightings=tuple(sightings),
        ended_early=early,
    )


def _changed(before: Endpoint, after: Endpoint) -> Endpoint | None:
    if after.port:
        return after
    return Endpoint(after.address) if after.address != before.address else None
