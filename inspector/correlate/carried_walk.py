"""Join what the firewalls told of a tunnel's datagrams to the packets that they carry. Pure.

1. The kernel marks a datagram for tracing by the probe inside; what it tells of it ends before that. Where a point saw
   the datagram too, both have the same IP identification (RFC 791, 3.2).
2. Requests that no point saw leave the tunnel are joined in their order, where there are as many of the ones as of the
   others; else nothing is joined.
"""

from collections.abc import Mapping, Sequence

from inspector.correlate.tracks import Kind, Tracks
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.rules import Traversal
from inspector.model.topology import LinkKey
from inspector.model.tunnel import Passage
from inspector.wire import headers

PacketKey = tuple[Kind, int]


def carried_traversals(recording: Recording, tracks: Tracks) -> Mapping[PacketKey, Sequence[Traversal]]:
    """Return what the datagrams met that carried each packet of the trace, in the order told."""
    passage = recording.plan.passage
    told = _by_identification(recording, passage) if passage else {}
    if not told or passage is None:
        return {}
    known = _identified(tracks)
    found: dict[PacketKey, list[Traversal]] = {}
    left: list[list[Traversal]] = []
    for (leaves, identification), traversals in told.items():
        if (key := known.get(identification)) is not None:
            found.setdefault(key, []).extend(traversals)
        elif leaves:
            left.append(traversals)
    unseen = _entered(recording, tracks, set(known.values()))
    if len(left) == len(unseen):
        for key, traversals in zip(unseen, left, strict=True):
            found.setdefault(key, []).extend(traversals)
    return found


def _by_identification(recording: Recording, passage: Passage) -> dict[tuple[bool, int], list[Traversal]]:
    """Sort by datagram: whether it leaves this node, and its identification."""
    found: dict[tuple[bool, int], list[Traversal]] = {}
    for each in recording.firewall.traversals:
        read = headers.read_packet(each.frame)
        if read is None or read.udp is None or read.udp.destination_port != passage.port:
            continue
        if passage.node in {read.ip.source, read.ip.destination} and read.ip.identification is not None:
            found.setdefault((read.ip.destination == passage.node, read.ip.identification), []).append(each)
    return found


def _identified(tracks: Tracks) -> dict[int, PacketKey]:
    """Return which packet was seen in a datagram of which identification."""
    found: dict[int, PacketKey] = {}
    for key, sightings in tracks.packets.items():
        for each in sightings:
            outer = headers.read(each.observation.frame) if each.carrier else None
            if outer and outer.ip and outer.ip.identification is not None:
                found[outer.ip.identification] = key
    return found


def _entered(recording: Recording, tracks: Tracks, left: set[PacketKey]) -> list[PacketKey]:
    """Return the requests that were seen to enter the tunnel and never to leave this node, each as often as it did."""
    mouth = _mouth(recording)
    entered = [
        (each.observation.at_ns, key)
        for key, sightings in tracks.packets.items()
        for each in sightings
        if key[0] is Kind.REQUEST and key not in left
        if recording.point(each.observation.point).link == mouth and each.observation.heading is Heading.OUT
    ]
    return [key for _, key in sorted(entered)]


def _mouth(recording: Recording) -> LinkKey | None:
    steps = recording.plan.request
    links = (recording.topology.link(each.point.link) for each in steps)
    return next((each.key for each in links if each and each.tunnel), None)
