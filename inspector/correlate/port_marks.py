"""Know the packets of TCP and UDP probes again, whatever was translated on the way. Pure.

1. A SYN is known by its initial sequence number, which no translation changes; the one that leaves the source's own
   stack tells it. A SYN sent again has the same number (RFC 9293, 3.8.1) and is the same packet here.
2. SYN-ACK and RST are known by what they acknowledge: that number and one. An RST behind the SYN-ACK need not
   acknowledge anything (RFC 9293, 3.5.2); it carries the number that the SYN-ACK announced.
3. A datagram is known by the token in its payload; what comes back, by the flow that some point saw the datagram in.
4. An ICMP error belongs to the probe it quotes: ports and sequence number are in the first eight bytes (RFC 792).
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from inspector.correlate.tracks import Kind, Known
from inspector.model.question import Heading, Protocol
from inspector.model.recording import Recording
from inspector.wire import headers
from inspector.wire.craft import SEQUENCE_LENGTH, TOKEN_LENGTH
from inspector.wire.transport import Tcp, Udp

Flow = tuple[str, int, str, int]
"""Source, its port, destination, its port."""
_WORD = 1 << 32


def port_marks(recording: Recording) -> Known:
    """Return what knows the packets of the recording's probes."""
    known = [(each.point, each.heading, read) for each in recording.observations if (read := headers.read(each.frame))]
    if recording.plan.question.protocol is Protocol.UDP:
        return _datagrams(recording, (read for _, _, read in known))
    own = recording.plan.source.sandbox
    at_home = [
        read for point, heading, read in known if recording.point(point).sandbox == own and heading is Heading.OUT
    ]
    return _connections(recording, at_home or [read for _, _, read in known], [read for _, _, read in known])


def segment_words(read: headers.Headers | headers.Datagram) -> str:
    """Say what of a connection a packet is."""
    if read.tcp is not None:
        return "SYN-ACK" if read.tcp.syn and read.tcp.ack else "SYN" if read.tcp.syn else "RST" if read.tcp.rst else ""
    if read.udp is not None:
        return "UDP"
    return read.icmp.words if read.icmp is not None and read.icmp.error else ""


class _Connections(Struct):
    """Initial sequence numbers, by whose they are."""

    ours: dict[int, int] = field(default_factory=dict)
    """Of the source: the probe's sequence."""
    theirs: dict[int, int] = field(default_factory=dict)
    """Of the peer that accepted: the probe's sequence."""

    def key(self, read: headers.Headers | headers.Datagram) -> tuple[Kind, int] | None:
        """Say which packet it is."""
        if read.icmp is not None:
            quoted = read.icmp.quoted.tcp if read.icmp.quoted else None
            return (Kind.ERROR, self.ours[quoted.sequence]) if quoted and quoted.sequence in self.ours else None
        tcp = read.tcp
        if tcp is None:
            return None
        if tcp.syn and not tcp.ack:
            return (Kind.REQUEST, self.ours[tcp.sequence]) if tcp.sequence in self.ours else None
        answered = self.answered(tcp)
        if answered is not None and (tcp.syn or (tcp.rst and tcp.sequence == 0)):
            return Kind.REPLY, answered
        broken = self.theirs.get((tcp.sequence - 1) % _WORD) if tcp.rst else None
        return (Kind.RESET, broken) if broken is not None else None

    def answered(self, tcp: Tcp) -> int | None:
        """Return the probe whose SYN it acknowledges."""
        number = tcp.acknowledgement
        return self.ours.get((number - 1) % _WORD) if number is not None and tcp.ack else None


def _connections(
    recording: Recording, at_home: Iterable[headers.Headers], everywhere: Iterable[headers.Headers]
) -> Known:
    ports = _ports(recording)
    plan, marks = recording.plan, _Connections()
    # What the host itself sends to a port it publishes may be translated before the first interface sees it.
    asked = {plan.question.port, plan.publication.port if plan.publication else None}
    for read in at_home:
        tcp = read.tcp
        asks = tcp and tcp.syn and not tcp.ack and tcp.destination_port in asked
        if tcp and asks and (sequence := ports.get(tcp.source_port)) is not None:
            marks.ours.setdefault(tcp.sequence, sequence)
    for read in everywhere:
        if read.tcp and read.tcp.syn and (sequence := marks.answered(read.tcp)) is not None:
            marks.theirs.setdefault(read.tcp.sequence, sequence)
    return marks.key


def _datagrams(recording: Recording, everywhere: Iterable[headers.Headers]) -> Known:
    ports = _ports(recording)
    token = recording.token
    flows: dict[Flow, int] = {}

    def asked(udp: Udp) -> int | None:
        """Return the probe a datagram is; an echo of it goes the other way."""
        sequence = ports.get(udp.source_port)
        payload = udp.payload
        if sequence is None or payload[:TOKEN_LENGTH] != token[: len(payload)]:
            return None
        told = payload[TOKEN_LENGTH : TOKEN_LENGTH + SEQUENCE_LENGTH]
        return sequence if told == sequence.to_bytes(SEQUENCE_LENGTH, "big")[: len(told)] else None

    for read in everywhere:
        if read.udp and (sequence := asked(read.udp)) is not None:
            flows.setdefault(_flow(read, read.udp), sequence)

    def key(read: headers.Headers | headers.Datagram) -> tuple[Kind, int] | None:
        if read.icmp is not None:
            quoted = read.icmp.quoted
            sequence = flows.get(_flow(quoted, quoted.udp)) if quoted and quoted.udp else None
            return (Kind.ERROR, sequence) if sequence is not None else None
        if read.udp is None:
            return None
        flow = _flow(read, read.udp)
        if (sequence := asked(read.udp)) is not None:
            return Kind.REQUEST, sequence
        answered = flows.get((flow[2], flow[3], flow[0], flow[1]))
        return (Kind.REPLY, answered) if answered is not None else None

    return key


def _flow(read: headers.Headers | headers.Datagram, udp: Udp) -> Flow:
    ip = read.ip
    return (ip.source, udp.source_port, ip.destination, udp.destination_port) if ip else ("", 0, "", 0)


def _ports(recording: Recording) -> dict[int, int]:
    """Return the probe that leaves from each port."""
    return dict(_numbered(recording.source_ports))


def _numbered(ports: Iterable[int]) -> Iterator[tuple[int, int]]:
    return ((port, sequence) for sequence, port in enumerate(ports, start=1))
