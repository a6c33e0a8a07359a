"""Count the flows of each interface, and follow the sequence numbers of TCP in each direction. Pure.

1. A flow is one direction; it is counted at each interface for itself, so that one packet at five is not five.
2. A segment whose bytes passed the same interface before is repeated; one that fills a gap only comes late.
3. Where there are too many flows, those that were idle for longest are summed up and forgotten.
"""

from collections.abc import Iterator
from enum import Enum

from inspector.correlate.sweep.keys import LOOPBACK_SERVER, addresses
from inspector.model.capture import Counted

MAX_FLOWS = 50_000
MAX_GAPS = 16
"""Remembered for each flow."""

_DNS_PORT = b"\x00\x35"
_MASK = 0xFFFF_FFFF
_BEHIND = 0x8000_0000

FlowKey = tuple[int, bytes]
"""IP protocol (`FRAGMENTS` added for later fragments), and both ends."""
FRAGMENTS = 0x100


class Place(Enum):
    """Where a TCP segment stands that is not the next one, but an earlier one."""

    REPEATED = "repeated"
    LATE = "late"


class Flow:
    """What one interface saw of one flow."""

    __slots__ = ("bytes", "dns", "first_ns", "frames", "gaps", "last_ns", "late", "next", "repeated")

    def __init__(self, at_ns: int, *, dns: bool) -> None:
        """Start with no frame counted."""
        self.frames = self.bytes = self.repeated = self.late = 0
        self.first_ns = self.last_ns = at_ns
        self.dns = dns
        self.next: int | None = None
        """The sequence number expected next."""
        self.gaps: list[tuple[int, int]] | None = None

    def follow(self, sequence: int, length: int) -> Place | None:
        """Take in a segment of `length` bytes; return None where it is the next, or is ahead of that.

        Who keeps a connection alive sends its last byte again (RFC 9293, 3.8.4): that is neither.
        """
        after = (sequence + length) & _MASK
        if self.next is None or sequence == self.next:
            self.next = after
            return None
        ahead = (sequence - self.next) & _MASK
        if ahead < _BEHIND:
            self._open_gap((self.next, sequence))
            self.next = after
            return None
        if length == 1 and ahead == _MASK:
            return None
        if (after - self.next) & _MASK < _BEHIND:
            self.next = after
        return Place.LATE if self._fill_gap(sequence, after) else Place.REPEATED

    def _open_gap(self, gap: tuple[int, int]) -> None:
        self.gaps = [*(self.gaps or ())[-MAX_GAPS + 1 :], gap]

    def _fill_gap(self, start: int, end: int) -> bool:
        for index, (low, high) in enumerate(self.gaps or ()):
            if (start - low) & _MASK < (high - low) & _MASK:
                left = [(low, start), (end, high)]
                kept = [(a, b) for a, b in left if a != b and (b - a) & _MASK < _BEHIND]
                self.gaps = [*(self.gaps or ())[:index], *kept, *(self.gaps or ())[index + 1 :]][-MAX_GAPS:]
                return True
        return False


class FlowTable:
    """The flows of all interfaces, within a limit for all together."""

    def __init__(self, limit: int = MAX_FLOWS) -> None:
        """Start with none."""
        self.limit = limit
        self.points: list[dict[FlowKey, Flow]] = []
        self.folded = Counted()
        self.folded_flows = 0
        self._count = 0

    def add(self, number: int, key: FlowKey, at_ns: int) -> Flow:
        """Take in a flow that is new at the interface of this number."""
        if self._count >= self.limit:
            self._fold()
        self._count += 1
        flow = Flow(at_ns, dns=is_dns(key[1]))
        self.points[number][key] = flow
        return flow

    def has(self, number: int, protocol: int, ends: bytes) -> bool:
        """Return whether that interface saw the flow."""
        return (protocol, ends) in self.points[number]

    def _fold(self) -> None:
        """Sum up the half that was idle for longest."""
        moments = sorted(flow.last_ns for _, _, flow in self._all())
        limit_ns = moments[len(moments) // 2]
        frames, size = self.folded.frames, self.folded.bytes
        for number, flows in enumerate(self.points):
            kept = {key: flow for key, flow in flows.items() if flow.last_ns > limit_ns}
            for flow in flows.values():
                if flow.last_ns <= limit_ns:
                    frames, size = frames + flow.frames, size + flow.bytes
                    self.folded_flows += 1
            flows.clear()
            self.points[number].update(kept)
        self.folded = Counted(frames, size)
        self._count = sum(len(flows) for flows in self.points)

    def _all(self) -> Iterator[tuple[int, FlowKey, Flow]]:
        for number, flows in enumerate(self.points):
            for key, flow in flows.items():
                yield number, key, flow


def is_dns(ends: bytes) -> bool:
    """Return whether a flow with ports is to or from a DNS server, as far as port or address tell."""
    both = len(addresses(ends))
    if len(ends) == both:
        return False
    ports = ends[both:]
    return _DNS_PORT in (ports[:2], ports[2:]) or (both == 8 and LOOPBACK_SERVER in (ends[:4], ends[4:8]))  # noqa: PLR2004 - IPv4
