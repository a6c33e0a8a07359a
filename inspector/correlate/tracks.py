"""Sort frames into tracks: the sightings of one packet, wherever it was seen. Pure, one frame at a time.

1. A probe is known by the token in its payload, and nothing that a router or NAT may rewrite (TCP: see `port_marks`).
2. An ICMP error belongs to the probe it quotes.
3. ARP and ND belong to the trace if they are about one of its addresses.
4. The same packet twice at one point is a duplicate, and kept as one.
5. The fragments of a packet are one packet (see fragments.py).
"""

from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from inspector.correlate.fragments import Fragments, Sighting
from inspector.model.recording import Observation
from inspector.wire import headers
from inspector.wire.vxlan import carried_frame

ECHO_REQUEST = frozenset({(4, 8), (6, 128)})
ECHO_REPLY = frozenset({(4, 0), (6, 129)})
"""(IP version, ICMP type): RFC 792, RFC 4443."""
UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104 - no bind address
"""What a stack asks from while it does not know yet whether the address is free (RFC 5227, 2.1; RFC 4862, 5.4.2)."""


class Kind(StrEnum):
    """What a packet of the trace is."""

    REQUEST = "request"
    REPLY = "reply"
    ERROR = "error"
    RESET = "reset"
    """It breaks a connection that was accepted."""


class Resolving(Struct, frozen=True):
    """One ARP or ND frame: somebody asks who has an address, or answers."""

    index: int
    observation: Observation
    asks: bool
    target: str
    """The address asked for or answered about."""
    sender_mac: str
    sender: str | None


Known = Callable[[headers.Headers | headers.Datagram], tuple[Kind, int] | None]
"""What tells which packet of the trace a frame is, and of which probe; None where it is of another."""


class Tracks(Struct):
    """Everything sorted so far. Feed it observations in any order."""

    token: bytes
    addresses: frozenset[str] = frozenset()
    packets: dict[tuple[Kind, int], list[Sighting]] = field(default_factory=dict)
    resolving: list[Resolving] = field(default_factory=list)
    fragments: Fragments = field(default_factory=Fragments)
    tunnel_port: int | None = None
    """Where datagrams carry frames of the trace (VXLAN)."""
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
            return
        sighting = self._unpacked(Sighting(index=index, observation=observation, headers=read))
        self.fragments.feed(sighting)
        if (key := self.key(sighting.headers)) is not None:
            self.packets.setdefault(key, []).append(sighting)

    def _unpacked(self, sighting: Sighting) -> Sighting:
        """Look at the frame that a tunnel carries in place of the one that carries it."""
        port, outer = self.tunnel_port, sighting.headers
        inner = carried_frame(outer, port) if port is not None and self.key(outer) is None else None
        read = headers.read(inner.frame) if inner else None
        if inner is None or read is None:
            return sighting
        words = f"VXLAN {inner.number} to {inner.destination}"
        return replace(sighting, headers=read, carrier=words)

    def key(self, read: headers.Headers | headers.Datagram) -> tuple[Kind, int] | None:
        """Return which packet of the trace it is; None of any other."""
        return self.known(read) if self.known else _key(read, self.token) or self._refused(read)

    def _refused(self, read: headers.Headers | headers.Datagram) -> tuple[Kind, int] | None:
        """Return which request an ICMP error is about, where it quotes the datagram that carried it."""
        quoted = read.icmp.quoted if read.icmp else None
        inner = carried_frame(quoted, self.tunnel_port) if quoted and self.tunnel_port else None
        carried = headers.read(inner.frame) if inner else None
        key = _key(carried, self.token) if carried else None
        return (Kind.ERROR, key[1]) if key and key[0] is Kind.REQUEST else None

    def sightings(self, kind: Kind, sequence: int) -> list[Sighting]:
        """Return the sightings of one packet by time; the order of arrival is of no account."""
        return sorted(self.fragments.completed(self.packets.get((kind, sequence), ())), key=_order)

    def frames(self, key: tuple[Kind, int]) -> list[int]:
        """Return every observation of one packet, fragments and duplicates included."""
        whole = [index for each in self.fragments.completed(self.packets[key]) for index in (each.index, *each.others)]
        return list(dict.fromkeys([*(each.index for each in self.packets[key]), *whole]))

    def neighbour_talk(self) -> list[Resolving]:
        """Return the ARP and ND frames by time."""
        return sorted(self.resolving, key=_order)

    def sequences(self, kind: Kind) -> list[int]:
        """Return which packets of a kind were seen at all."""
        return sorted(sequence for each, sequence in self.packets if each is kind)


def sort_frames(
    observations: Iterable[Observation],
    token: bytes,
    addresses: Iterable[str],
    known: Known | None = None,
    tunnel_port: int | None = None,
) -> Tracks:
    """Return the tracks of a whole recording."""
    tracks = Tracks(token=token, addresses=frozenset(addresses), known=known, tunnel_port=tunnel_port)
    for index, observation in enumerate(observations):
        tracks.feed(index, observation)
    return tracks


def _order(seen: Sighting | Resolving) -> tuple[int, int]:
    """Order by time; the plan's order of points breaks ties."""
    return seen.observation.at_ns, seen.observation.point


def _key(read: headers.Headers | headers.Datagram, token: bytes) -> tuple[Kind, int] | None:
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
    """Read a frame of ARP or ND; one by which somebody tries whether an address is free is nobody's question."""
    if read.arp is not None:
        # Who asks for its own address announces it (RFC 5227, 3), and waits for no answer.
        asks = read.arp.operation == headers.ARP_REQUEST and read.arp.sender != read.arp.target
        if asks and read.arp.sender in UNSPECIFIED:
            return None
        target = read.arp.target if asks else read.arp.sender
        return Resolving(index, observation, asks, target, read.arp.sender_mac, read.arp.sender)
    if read.nd is not None and read.ip is not None:
        asks = not read.nd.advertisement
        if asks and read.ip.source in UNSPECIFIED:
            return None
        return Resolving(index, observation, asks, read.nd.target, read.source_mac, read.ip.source)
    return None
