"""Sort frames into tracks: the sightings of one packet, wherever it was seen. Pure, one frame at a time.

1. A probe is known by the token in its payload, and nothing that a router or NAT may rewrite (TCP: see `port_marks`).
2. An ICMP error belongs to the probe it quotes.
3. ARP and ND belong to the trace if they are about one of its addresses.
4. The same packet twice at one point is a duplicate, and kept as one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from inspector.model.recording import Observation
from inspector.wire import headers

ECHO_REQUEST = frozenset({(4, 8), (6, 128)})
ECHO_REPLY = frozenset({(4, 0), (6, 129)})
"""(IP version, ICMP type): RFC 792, RFC 4443."""


class Kind(StrEnum):
    """What a packet of the trace is."""

    REQUEST = "request"
    REPLY = "reply"
    ERROR = "error"
    RESET = "reset"
    """It breaks a connection that was accepted."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame of a track."""

    index: int
    """Of the observation, in the recording."""
    observation: Observation
    headers: headers.Headers


@dataclass(frozen=True, slots=True)
class Resolving:
    """One ARP or ND frame: somebody asks who has an address, or answers."""

    index: int
    observation: Observation
    asks: bool
    target: str
    """The address asked for or answered about."""
    sender_mac: str
    sender: str | None


Known = Callable[[headers.Headers], tuple[Kind, int] | None]
"""What tells which packet of the trace a frame is, and of which probe; None where it is of another."""


@dataclass(slots=True)
class Tracks:
    """Everything sorted so far. Feed it observations in any order."""

    token: bytes
    addresses: frozenset[str] = frozenset()
    packets: dict[tuple[Kind, int], list[Sighting]] = field(default_factory=dict)
    resolving: list[Resolving] = field(default_factory=list)
    known: Known | None = None
    """For TCP and UDP; an echo is known by its token."""

    def feed(self, index: int, observation: Observation) -> None:
        """Take in one frame; a frame that is not of this trace is passed over."""
        read = headers.read(observation.frame)
        if read is None:
            return
        if (asked := _resolving(index, observation, read)) is not None:
            if asked.target in self.addresses or asked.sender in self.addresses:
                self.resolving.append(asked)
        elif (key := self.known(read) if self.known else _key(read, self.token)) is not None:
            self.packets.setdefault(key, []).append(Sighting(index=index, observation=observation, headers=read))

    def sightings(self, kind: Kind, sequence: int) -> list[Sighting]:
        """Return the sightings of one packet by time; the order of arrival is of no account."""
        return sorted(self.packets.get((kind, sequence), ()), key=_order)

    def neighbour_talk(self) -> list[Resolving]:
        """Return the ARP and ND frames by time."""
        return sorted(self.resolving, key=_order)

    def sequences(self, kind: Kind) -> list[int]:
        """Return which packets of a kind were seen at all."""
        return sorted(sequence for each, sequence in self.packets if each is kind)


def sort_frames(
    observations: Iterable[Observation], token: bytes, addresses: Iterable[str], known: Known | None = None
) -> Tracks:
    """Return the tracks of a whole recording."""
    tracks = Tracks(token=token, addresses=frozenset(addresses), known=known)
    for index, observation in enumerate(observations):
        tracks.feed(index, observation)
    return tracks


def _order(seen: Sighting | Resolving) -> tuple[int, int]:
    """Order by time; the plan's order of points breaks ties."""
    return seen.observation.at_ns, seen.observation.point


def _key(read: headers.Headers, token: bytes) -> tuple[Kind, int] | None:
    if read.ip is None or read.icmp is None:
        return None
    icmp, version = read.icmp, read.ip.version
    if icmp.quoted is not None:
        quoted = icmp.quoted.icmp
        if quoted is not None and quoted.sequence is not None and _is_ours(quoted.payload, token):
            return Kind.ERROR, quoted.sequence
        return None
    if icmp.sequence is None or not _is_ours(icmp.payload, token):
        return None
    if (version, icmp.type) in ECHO_REQUEST:
        return Kind.REQUEST, icmp.sequence
    if (version, icmp.type) in ECHO_REPLY:
        return Kind.REPLY, icmp.sequence
    return None


def _is_ours(payload: bytes, token: bytes) -> bool:
    """Compare what fits: a probe shorter than the token carries as much of it as fits."""
    return payload[: len(token)] == token[: len(payload)]


def _resolving(index: int, observation: Observation, read: headers.Headers) -> Resolving | None:
    # Nobody answers about an address that is only being taken (RFC 5227, 1.1; RFC 4862, 5.4.2).
    if (read.arp and read.arp.sender == "0.0.0.0") or (read.nd and read.ip and read.ip.source == "::"):  # noqa: S104
        return None
    if read.arp is not None:
        # A request for the sender's own address announces it (RFC 5227, 3).
        asks = read.arp.operation == headers.ARP_REQUEST and read.arp.sender != read.arp.target
        target = read.arp.target if asks else read.arp.sender
        return Resolving(index, observation, asks, target, read.arp.sender_mac, read.arp.sender)
    if read.nd is not None and read.ip is not None:
        asks = not read.nd.advertisement
        return Resolving(index, observation, asks, read.nd.target, read.source_mac, read.ip.source)
    return None
