"""Pass once over the frames of a capture file. Pure: what is read comes as an iterator.

1. Most frames are TCP or UDP over plain IP: they are counted and followed by slices of the buffer.
2. What is rare is read in full: ICMP, ARP, neighbour discovery, DNS, the first and last segments of a connection.
3. What cannot be read is counted as unread, and never raises.
"""

from inspector.correlate.sweep.echoes import Pings
from inspector.correlate.sweep.errors_said import ErrorsSaid
from inspector.correlate.sweep.fingerprints import of_message, of_segment
from inspector.correlate.sweep.flow_table import FRAGMENTS, Flow, FlowKey, FlowTable, Place
from inspector.correlate.sweep.frame import Frame
from inspector.correlate.sweep.handshakes import RST, SYN, Handshakes
from inspector.correlate.sweep.keys import TCP, UDP, WITH_PORTS
from inspector.correlate.sweep.neighbours import Neighbours
from inspector.correlate.sweep.points import Point, Points
from inspector.correlate.sweep.questions import Questions
from inspector.correlate.sweep.ways import Ways
from inspector.wire import headers
from inspector.wire.captured import FramesFile, Taken
from inspector.wire.ip import FAMILY_V4, FAMILY_V6, skip_extensions
from inspector.wire.link_layers import heading, locate

BACKWARDS_NS = 1_000_000_000
_V4, _ARP, _V6 = headers.ETHERTYPE_IPV4, headers.ETHERTYPE_ARP, headers.ETHERTYPE_IPV6
_V6_BYTES = b"\x86\xdd"
_PLAIN, _PLAIN_LENGTH, _PLAIN_PROTOCOLS = b"\x08\x00\x45", 54, frozenset({TCP, UDP})
"""EtherType, version and length of an IPv4 header without options; up to the end of a TCP header behind it."""
_SYN_RST = SYN | RST
_SEQUENCES = 0xFFFF_FFFF
_WHOLE = frozenset({b"\x00\x00", b"\x40\x00"})
"""Flags and offset of an IPv4 packet that is no fragment (RFC 791, 3.1)."""
_V4_LENGTH, _V6_LENGTH, _ARP_LENGTH = 20, 40, 28
_PORTS_LENGTH, _INSIDE_LENGTH = 4, 8
"""Bytes of the header behind IP that are needed at least: of TCP, UDP and ICMP."""
_LONGEST_HEAD = 256
"""Bytes in which IP options and extension headers are looked for."""
_NO_PROTOCOL = 0xFF
_DNS_LENGTH = 2
_ECHOES = frozenset({(1, 0), (1, 8), (58, 128), (58, 129)})
_DISCOVERY = frozenset({headers.V6_SOLICITATION, headers.V6_ADVERTISEMENT})
_LONGEST_DISCOVERY = 32
"""Bytes up to the end of the first option."""
_LONGEST_ERROR = 576
"""Bytes of an ICMP error that are read (RFC 1812, 4.3.2.3; RFC 4443, 2.4 allows more, which no header needs)."""


class OnePass:
    """Everything that was found on the way."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.points = Points()
        self.flows = FlowTable()
        self.ways = Ways(self.flows.has, self.points.bridges)
        self.pings = Pings()
        self.questions = Questions()
        self.handshakes = Handshakes()
        self.errors = ErrorsSaid()
        self.neighbours = Neighbours()
        self.backwards = 0
        self._by_file: dict[int, Point] = {}

    def run(self, file: FramesFile) -> None:
        """Read all frames. Raises MalformedInputError, as the file does."""
        latest, points, plain = 0, self._by_file, self._plain
        for taken in file.frames():
            index, at_ns, data, start, kept, _, _ = taken
            point = points.get(index) or self._point(file, index)
            if point.parts is not None and kept >= point.layer.length:
                point = self._part(point, data[start + 4 : start + 8])
            if at_ns > latest:
                latest = at_ns
            elif latest - at_ns > BACKWARDS_NS:
                self.backwards += 1
            point.count(at_ns, kept, taken[5])
            if (
                data[start + 12 : start + 15] == _PLAIN
                and kept >= _PLAIN_LENGTH
                and data[start + 23] in _PLAIN_PROTOCOLS
                and data[start + 20 : start + 22] in _WHOLE
                and point.plain
            ):
                plain(point, taken)
            else:
                self._frame(Frame(point, taken))
        self.ways.end()

    def _point(self, file: FramesFile, index: int) -> Point:
        point = self._by_file[index] = self.points.of_file(index, file.interfaces[index])
        self.flows.points.append(point.flows)
        return point

    def _part(self, whole: Point, number: bytes) -> Point:
        point = self.points.part(whole, number)
        if point.number >= len(self.flows.points):
            self.flows.points.append(point.flows)
        return point

    def _plain(self, point: Point, taken: Taken) -> None:
        """Take in TCP or UDP in a whole IPv4 packet without options: nearly all frames, so it is written out."""
        _, at_ns, data, start, kept, wire, told = taken
        protocol, ends = data[start + 23], data[start + 26 : start + 38]
        flow = point.flows.get((protocol, ends))
        if flow is None:
            flow = self.flows.add(point.number, (protocol, ends), at_ns)
        flow.frames += 1
        flow.bytes += wire
        if at_ns > flow.last_ns:  # noqa: PLR1730 - written out, as is what follows: a call costs as much as all of it
            flow.last_ns = at_ns
        total = data[start + 16] << 8 | data[start + 17]
        end = start + 14 + total
        if end > start + kept or not total:
            end = start + kept
        if protocol == TCP:
            after = start + 84 if start + 84 < end else end  # noqa: FURB136
            mark = data[start + 16 : start + 22] + data[start + 38 : start + 50] + data[start + 52 : after]
        else:
            after = start + 74 if start + 74 < end else end  # noqa: FURB136
            mark = data[start + 16 : start + 22] + data[start + 38 : start + 40] + data[start + 42 : after]
        self.ways.see(mark, (at_ns, point.number, told, data[start + 22], data[start : start + 12], ends, protocol))
        if protocol == TCP:
            length = total - 20 - (data[start + 46] >> 4 << 2)
            if length > 0 or data[start + 47] & _SYN_RST or not total:
                sequence = int.from_bytes(data[start + 38 : start + 42], "big")
                if sequence != flow.next or flow.dns or data[start + 47] & _SYN_RST or not total:
                    self._apart(point, taken, flow, mark)
                else:
                    flow.next = (sequence + length) & _SEQUENCES
        elif flow.dns:
            self.questions.feed(point.number, at_ns, ends, data[start + 42 : end], "udp")

    def _apart(self, point: Point, taken: Taken, flow: Flow, mark: bytes) -> None:
        frame = Frame(point, taken)
        data, packet = frame.data, frame.packet
        frame.ends, frame.protocol = data[packet + 12 : packet + 24], TCP
        frame.measure(FAMILY_V4, data[packet + 2] << 8 | data[packet + 3], packet + 20, data[packet + 8])
        if frame.segment + 14 <= frame.kept:
            self._segment(frame, flow, mark)

    def _frame(self, frame: Frame) -> None:
        """Find the packet in a frame, and the ports in the packet."""
        data, packet = frame.data, frame.packet
        kind = data[packet - 2 : packet] if frame.point.plain else b""
        if kind == _V6_BYTES and packet + 48 <= frame.end and data[packet + 6] in WITH_PORTS:
            length = data[packet + 4] << 8 | data[packet + 5]
            frame.protocol, total = data[packet + 6], length + _V6_LENGTH if length else 0
            frame.measure(FAMILY_V6, total, packet + _V6_LENGTH, data[packet + 7])
            frame.ends = data[packet + 8 : packet + 44]
            self._ported(frame)
            return
        self._other(frame)

    def _other(self, frame: Frame) -> None:
        """Take in a frame that is not plain IP over Ethernet."""
        point, data = frame.point, frame.data
        ethertype = 0
        if point.readable:
            ethertype, frame.packet = locate(point.layer, data, frame.start, frame.end)
            if not frame.heading and frame.packet < frame.end:
                frame.heading = heading(point.layer, data, frame.start)
        if ethertype in {_V4, _V6}:
            self._packet(frame)
        elif ethertype == _ARP:
            self._arp(frame)
        else:
            point.unread += 1

    def _ported(self, frame: Frame) -> None:
        """Take in a packet with ports."""
        point, protocol, segment, kept = frame.point, frame.protocol, frame.segment, frame.kept
        flow = self._flow(frame, (protocol, frame.ends))
        mark = of_segment(frame)
        seen = (frame.at_ns, point.number, frame.heading, frame.ttl, frame.macs, frame.ends, protocol)
        self.ways.see(mark, seen)
        if protocol == TCP and segment + 14 <= kept:
            self._segment(frame, flow, mark)
        elif protocol == UDP and flow.dns:
            self.questions.feed(point.number, frame.at_ns, frame.ends, frame.data[segment + 8 : kept], "udp")

    def _segment(self, frame: Frame, flow: Flow, mark: bytes) -> None:
        """Follow a connection: how long a segment is says its header, however little of it was kept."""
        data, segment, number = frame.data, frame.segment, frame.point.number
        flags = data[segment + 13]
        if flags & (SYN | RST):
            self.handshakes.feed(number, frame.at_ns, frame.ends, flags)
            return
        payload = segment + max(data[segment + 12] >> 4, 5) * 4
        length = frame.whole - payload
        if length <= 0:
            return
        told = flow.follow(int.from_bytes(data[segment + 4 : segment + 8], "big"), length)
        if told and not self.ways.is_copy(mark):
            flow.repeated += told is Place.REPEATED
            flow.late += told is Place.LATE
        if flow.dns and frame.kept - payload > _DNS_LENGTH:
            size = int.from_bytes(data[payload : payload + _DNS_LENGTH], "big")
            message = data[payload + _DNS_LENGTH : min(frame.kept, payload + _DNS_LENGTH + size)]
            self.questions.feed(number, frame.at_ns, frame.ends, message, "tcp")

    def _flow(self, frame: Frame, key: FlowKey) -> Flow:
        flow = frame.point.flows.get(key)
        if flow is None:
            flow = self.flows.add(frame.point.number, key, frame.at_ns)
        flow.frames += 1
        flow.bytes += frame.wire
        flow.last_ns = max(flow.last_ns, frame.at_ns)
        return flow

    def _packet(self, frame: Frame) -> None:
        """Take in a packet that has no ports, or something before them: a tag, options, extension headers."""
        data, packet, end = frame.data, frame.packet, frame.end
        version, length = data[packet] >> 4, end - packet
        fragment = False
        if version == FAMILY_V4 and length >= _V4_LENGTH:
            frame.protocol, frame.ends = data[packet + 9], data[packet + 12 : packet + 20]
            inside = packet + max((data[packet] & 0x0F) * 4, _V4_LENGTH)
            frame.measure(version, data[packet + 2] << 8 | data[packet + 3], inside, data[packet + 8])
            fragment = bool((data[packet + 6] & 0x1F) << 8 | data[packet + 7])
        elif version == FAMILY_V6 and length >= _V6_LENGTH:
            said = data[packet + 4] << 8 | data[packet + 5]
            extensions = skip_extensions(data[packet : min(end, packet + _LONGEST_HEAD)], data[packet + 6])
            frame.protocol = _NO_PROTOCOL if extensions.protocol is None else extensions.protocol
            frame.ends, fragment = data[packet + 8 : packet + _V6_LENGTH], bool(extensions.fragment_offset)
            total = said + _V6_LENGTH if said else 0
            frame.measure(version, total, packet + extensions.end, data[packet + 7])
        else:
            frame.point.unread += 1
            return
        self._carried(frame, fragment=fragment)

    def _carried(self, frame: Frame, *, fragment: bool) -> None:
        """Take in what an IP packet carries; a later fragment has neither ports nor a header of its own."""
        protocol, inside = frame.protocol, frame.segment
        whole = inside + _INSIDE_LENGTH <= frame.end
        if fragment:
            self._flow(frame, (protocol | FRAGMENTS, frame.ends))
        elif protocol in WITH_PORTS and whole:
            frame.ends += frame.data[inside : inside + _PORTS_LENGTH]
            self._ported(frame)
        else:
            self._flow(frame, (protocol, frame.ends))
            if whole and headers.ICMP_FAMILY.get(protocol) == frame.version:
                self._icmp(frame)

    def _icmp(self, frame: Frame) -> None:
        data, number, at_ns, message = frame.data, frame.point.number, frame.at_ns, frame.segment
        protocol, ends = frame.protocol, frame.ends
        if (protocol, data[message]) in _ECHOES:
            # What an error quotes is translated with it: it would not be known again.
            self.ways.see(of_message(frame), (at_ns, number, frame.heading, frame.ttl, frame.macs, ends, protocol))
            self.pings.feed(number, at_ns, protocol, ends, data[message : message + _INSIDE_LENGTH])
            return
        if protocol == headers.PROTOCOL_ICMPV6 and data[message] in _DISCOVERY:
            said = data[message : min(frame.kept, message + _LONGEST_DISCOVERY)]
            self.neighbours.feed_nd(number, at_ns, ends, said, frame.macs[6:])
            return
        read = headers.read_packet(data[frame.packet : min(frame.kept, frame.packet + _LONGEST_ERROR)])
        if read is not None and read.icmp is not None and read.icmp.error and read.icmp.quoted is not None:
            self.errors.feed(number, at_ns, read.ip, read.icmp)

    def _arp(self, frame: Frame) -> None:
        body = frame.data[frame.packet : min(frame.end, frame.packet + _ARP_LENGTH)]
        if not self.neighbours.feed_arp(frame.point.number, frame.at_ns, body):
            frame.point.unread += 1
