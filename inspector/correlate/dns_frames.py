"""Sort the frames of a lookup: which message was seen where, and whose query it belongs to. Pure.

1. A message belongs to the last query about its name and type that was sent before it; its identifier decides where
   several are under way.
2. Where the server is on the source's own loopback (an embedded or local resolver), what is seen elsewhere, or there
   with another port than the source's own, is what that server asked on the source's behalf.
3. Where the server is elsewhere, the identifier tells: a server asks on with one of its own.
4. TCP segments without a message belong to the query that has their port: they show how far a connection came.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from inspector.model.dns import Message, Transport, is_loopback
from inspector.model.lookup import Query, QueryOutcome
from inspector.model.names import LegKind
from inspector.model.recording import Lookup, Observation
from inspector.wire import dns, headers

CLOCK_STEP_NS = 1_000_000
"""The query's own time is read just before it is sent; allow for a clock that was set a little meanwhile."""


class Told(Struct, frozen=True):
    """One frame of a lookup: a DNS message, or a TCP segment on the way to one."""

    index: int
    """Of the observation, in the lookup."""
    observation: Observation
    headers: headers.Headers
    transport: Transport
    source: str
    source_port: int
    destination: str
    destination_port: int
    message: Message | None

    @property
    def answers(self) -> bool:
        """Whether it goes back to who asked."""
        return self.message.response if self.message else self.source_port < self.destination_port


def told(lookup: Lookup) -> Iterator[Told]:
    """Yield the DNS messages and TCP segments of a lookup, by time; the plan's order of points breaks ties."""
    numbered = sorted(enumerate(lookup.observations), key=lambda each: (each[1].at_ns, each[1].point, each[0]))
    for index, observation in numbered:
        read = headers.read(observation.frame)
        if read is not None and read.ip is not None:
            yield from _messages(index, observation, read)


def _messages(index: int, observation: Observation, read: headers.Headers) -> Iterator[Told]:
    segment = read.udp or read.tcp
    if segment is None or read.ip is None:
        return
    frame = Told(
        index=index,
        observation=observation,
        headers=read,
        transport=Transport.UDP if read.udp else Transport.TCP,
        source=read.ip.source,
        source_port=segment.source_port,
        destination=read.ip.destination,
        destination_port=segment.destination_port,
        message=None,
    )
    if read.udp is not None:
        message = dns.read(read.udp.payload)
        if message is not None and message.asked is not None:
            yield replace(frame, message=message)
        return
    messages = dns.read_stream(segment.payload)
    yield from (replace(frame, message=each) for each in messages if each.asked is not None)
    if not messages:
        yield frame


def owner(frame: Told, outcomes: Sequence[QueryOutcome]) -> QueryOutcome | None:
    """Return the query a frame belongs to."""
    before = [each for each in outcomes if each.at_ns <= frame.observation.at_ns + CLOCK_STEP_NS]
    if frame.message is None:
        ports = {frame.source_port, frame.destination_port}
        alike = [each for each in before if each.query.transport is Transport.TCP and each.source_port in ports]
        return alike[-1] if alike else None
    alike = [each for each in before if _is_about(frame.message, each.query)]
    same = [each for each in alike if each.query.identifier == frame.message.identifier]
    found = same or alike
    return found[-1] if found else None


def leg_kind(lookup: Lookup, frame: Told, outcome: QueryOutcome) -> LegKind:
    """Say whether a frame is the source's own question (or its answer), or what was asked on its behalf."""
    query = outcome.query
    if is_loopback(query.server):
        own = lookup.plan.points[frame.observation.point].sandbox == lookup.plan.wanted.sandbox
        inside = own and is_loopback(frame.source) and is_loopback(frame.destination)
        mine = outcome.source_port in {frame.source_port, frame.destination_port}
        return LegKind.ASKED if inside and mine else LegKind.FORWARDED
    if frame.message is None or frame.message.identifier == query.identifier:
        return LegKind.ASKED
    return LegKind.FORWARDED


def _is_about(message: Message, query: Query) -> bool:
    asked = message.asked
    # Compared as they stand in a message: what is shown is escaped, what the user typed is not.
    return (
        asked is not None
        and asked.type == query.type
        and dns.encode_name(asked.name).lower() == dns.encode_name(query.name).lower()
    )
