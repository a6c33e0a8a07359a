"""Tell what carried probes from a published port to the container, and make the plan say so. Pure.

1. A request seen with the container's address was translated: one packet, one path, to the container.
2. Else the engine's proxy took it where a second connection followed: from the host, to the container's address and
   port, between this probe and the next. Nothing marks it (a datagram aside, whose payload the proxy copies); other
   clients of the same port at the same moment could be taken for it.
3. Where neither was seen and nobody answered, the way through the container is what was expected, and silence is judged
   by it. Where somebody answered, it was the host itself.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from inspector.correlate.fragments import Sighting
from inspector.correlate.tracks import Kind, Tracks
from inspector.model.question import Carriage, Party, PathKind, Plan, Protocol, Publication
from inspector.model.recording import Answered, NotSent, Recording
from inspector.wire import headers
from inspector.wire.craft import SEQUENCE_LENGTH, TOKEN_LENGTH

_WORD = 1 << 32
MOST_APART_NS = 1_000_000_000
"""Latest after the probe that a proxy is believed to open its connection."""


class SecondConnection(Struct, frozen=True):
    """What the proxy sent for one probe, and what came back to it."""

    sequence: int
    request: tuple[Sighting, ...]
    reply: tuple[Sighting, ...] = ()


def settled(recording: Recording, tracks: Tracks) -> tuple[Recording, tuple[SecondConnection, ...]]:
    """Return the recording with a plan that says what carried its probes, and the proxy's connections."""
    publication = recording.plan.publication
    if publication is None:
        return recording, ()
    requests = [each for (kind, _), group in tracks.packets.items() if kind is Kind.REQUEST for each in group]
    if any(each.headers.ip and each.headers.ip.destination == publication.address for each in requests):
        return _carried(recording, publication, Carriage.TRANSLATED), ()
    seconds = tuple(_second_connections(recording, publication, tracks))
    if seconds:
        return _carried(recording, publication, Carriage.PROXY), seconds
    answered = any(isinstance(each, Answered) for each in recording.probes)
    return (recording if answered else _carried(recording, publication, Carriage.UNSEEN)), ()


def _carried(recording: Recording, publication: Publication, carriage: Carriage) -> Recording:
    plan = recording.plan
    party = Party(publication.container, publication.sandbox, publication.address, publication.container)
    changed = replace(plan, destination=party, publication=replace(publication, carriage=carriage))
    if carriage is not Carriage.PROXY:
        changed = _lengthened(changed, publication, carriage)
    return replace(recording, plan=changed)


def _lengthened(plan: Plan, publication: Publication, carriage: Carriage) -> Plan:
    """Put the container's part of the way behind the host's; what the host itself sends is translated before that."""
    here = plan.kind is PathKind.LOOPBACK and carriage is Carriage.TRANSLATED
    request = publication.request if here else (*plan.request, *publication.request)
    reply = publication.reply if here else (*publication.reply, *plan.reply)
    return replace(plan, request=request, reply=reply, kind=PathKind.FROM_HOST if here else plan.kind)


def _second_connections(recording: Recording, publication: Publication, tracks: Tracks) -> Iterator[SecondConnection]:
    """Match each probe with the first connection to the container that began after it, and before the next."""
    groups = _groups(recording, publication, tracks)
    taken: set[int] = set()
    probes = [each for each in recording.probes if not isinstance(each, NotSent)]
    for number, probe in enumerate(probes):
        end = probes[number + 1].at_ns if number + 1 < len(probes) else probe.at_ns + MOST_APART_NS
        for mark, group in groups.items():
            begin = group.request[0].observation.at_ns
            exact = group.sequence in {0, probe.sequence}
            if mark not in taken and exact and (group.sequence or probe.at_ns <= begin < end):
                taken.add(mark)
                yield replace(group, sequence=probe.sequence)
                break


def _groups(recording: Recording, publication: Publication, tracks: Tracks) -> dict[int, SecondConnection]:
    """Return the connections to the container's port that are not the probes' own, by time; sequence 0 is unknown."""
    own = {each.index for group in tracks.packets.values() for each in group}
    known = [
        Sighting(index, each, read)
        for index, each in enumerate(recording.observations)
        if index not in own and (read := headers.read(each.frame))
    ]
    known.sort(key=lambda each: (each.observation.at_ns, each.observation.point))
    is_udp = recording.plan.question.protocol is Protocol.UDP
    there: dict[int, list[Sighting]] = {}
    back: dict[int, list[Sighting]] = {}
    for each in known:
        if each.headers.ip is None:
            continue
        mark = (_datagram if is_udp else _segment)(each.headers, publication)
        if mark is not None:
            group, number = mark
            (there if group == "there" else back).setdefault(number, []).append(each)
    return {
        mark: SecondConnection(_told(recording, group[0]), tuple(group), tuple(back.get(mark, ())))
        for mark, group in there.items()
    }


def _segment(read: headers.Headers, publication: Publication) -> tuple[str, int] | None:
    """Return the way of a segment and the initial sequence number of its connection."""
    tcp, ip = read.tcp, read.ip
    if tcp is None or ip is None:
        return None
    if (ip.destination, tcp.destination_port) == (publication.address, publication.port):
        return ("there", tcp.sequence) if tcp.syn and not tcp.ack else None
    if (ip.source, tcp.source_port) == (publication.address, publication.port) and tcp.acknowledgement is not None:
        refuses = tcp.rst and tcp.sequence == 0
        return ("back", (tcp.acknowledgement - 1) % _WORD) if tcp.syn or refuses else None
    return None


def _datagram(read: headers.Headers, publication: Publication) -> tuple[str, int] | None:
    """Return the way of a datagram and the port that the proxy sent it from."""
    if read.icmp is not None:
        quoted = read.icmp.quoted
        ours = quoted and quoted.udp and (quoted.ip.destination, quoted.udp.destination_port)
        if quoted and quoted.udp and ours == (publication.address, publication.port):
            return "back", quoted.udp.source_port
        return None
    udp, ip = read.udp, read.ip
    if udp is None or ip is None:
        return None
    if (ip.destination, udp.destination_port) == (publication.address, publication.port):
        return "there", udp.source_port
    if (ip.source, udp.source_port) == (publication.address, publication.port):
        return "back", udp.destination_port
    return None


def _told(recording: Recording, sighting: Sighting) -> int:
    """Return the probe that a datagram's payload names; 0 for a connection, which names none."""
    udp, token = sighting.headers.udp, recording.token
    if udp is None or len(udp.payload) < TOKEN_LENGTH + SEQUENCE_LENGTH or not udp.payload.startswith(token):
        return 0
    return int.from_bytes(udp.payload[TOKEN_LENGTH : TOKEN_LENGTH + SEQUENCE_LENGTH], "big")
