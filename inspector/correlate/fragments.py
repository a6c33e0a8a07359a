"""Put the fragments of a packet together: what one point saw of one packet is one sighting. Pure.

1. Only the first fragment has the ICMP header and our token; the others are known by what IP gives all of them: the
   identification, addresses and protocol (RFC 791, 3.2; RFC 8200, 4.5).
2. NAT rewrites an address and leaves the identification; so a point that never saw the first fragment still tells whose
   the others are, by one address that stayed.
3. A stack on the way may put a packet together and cut it up anew (netfilter does, to look at ports): the number of
   fragments may differ from point to point.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from inspector.model.question import Heading
from inspector.model.recording import Observation
from inspector.wire import headers

DatagramKey = tuple[int, int | None, int | None]
"""IP version, protocol, identification: what stays the same however often addresses are rewritten."""
GroupKey = tuple[int, Heading, str, str, DatagramKey]
"""Point, heading, source, destination, datagram."""


class Sighting(Struct, frozen=True):
    """One frame of a track, or all fragments of one packet that one point saw."""

    index: int
    """Of the observation, in the recording."""
    observation: Observation
    headers: headers.Headers
    others: tuple[int, ...] = ()
    """Observations of the other fragments at this point, in the order of their offsets."""
    whole: bool = True
    """False: some fragments are missing here."""
    carrier: str = ""
    """What the frame was packed into, where it was; the headers are its own."""


class Fragments(Struct):
    """Every fragment so far, sorted by point and packet."""

    groups: dict[GroupKey, list[Sighting]] = field(default_factory=dict)

    def feed(self, sighting: Sighting) -> None:
        """Take in one frame; one that is no fragment is passed over."""
        if is_fragment(sighting):
            self.groups.setdefault(_group(sighting), []).append(sighting)

    def completed(self, firsts: Iterable[Sighting]) -> Iterator[Sighting]:
        """Yield the sightings of one packet, each first fragment with the others beside it, and points without one."""
        firsts = tuple(firsts)
        told: set[GroupKey] = set()
        for each in firsts:
            if not is_fragment(each):
                yield each
            elif _group(each) not in told:
                told.add(_group(each))
                yield _together(self.groups[_group(each)])
        ours = {_datagram(each): _addresses(each) for each in firsts if is_fragment(each)}
        for key, group in self.groups.items():
            mine = ours.get(key[-1])
            if mine and key not in told and group[0].headers.ip and mine & _addresses(group[0]):
                yield _together(group)


def is_fragment(sighting: Sighting) -> bool:
    """Whether the frame carries a part of a packet."""
    ip = sighting.headers.ip
    return ip is not None and (ip.more_fragments or ip.fragment_offset > 0)


def _together(group: list[Sighting]) -> Sighting:
    """Return the first of the fragments, with the others; the same one twice counts once."""
    by_offset: dict[int, Sighting] = {}
    for each in group:
        by_offset.setdefault(_offset(each), each)
    first, *rest = (by_offset[offset] for offset in sorted(by_offset))
    return replace(first, others=tuple(each.index for each in rest), whole=_is_whole((first, *rest)))


def _is_whole(parts: tuple[Sighting, ...]) -> bool:
    reached = 0
    for each in parts:
        ip = each.headers.ip
        if ip is None or ip.fragment_offset != reached:
            return False
        reached += ip.total_length - ip.header_length
    last = parts[-1].headers.ip
    return last is not None and not last.more_fragments


def _group(sighting: Sighting) -> GroupKey:
    ip = sighting.headers.ip
    source, destination = (ip.source, ip.destination) if ip else ("", "")
    return sighting.observation.point, sighting.observation.heading, source, destination, _datagram(sighting)


def _datagram(sighting: Sighting) -> DatagramKey:
    ip = sighting.headers.ip
    return (ip.version, ip.protocol, ip.identification) if ip else (0, None, None)


def _addresses(sighting: Sighting) -> set[str]:
    ip = sighting.headers.ip
    return {ip.source, ip.destination} if ip else set()


def _offset(sighting: Sighting) -> int:
    return sighting.headers.ip.fragment_offset if sighting.headers.ip else 0
