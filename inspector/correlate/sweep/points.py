"""Count what each interface saw; a cooked capture of all interfaces (`-i any`) tells them apart by number. Pure."""

from inspector.correlate.sweep.flow_table import Flow, FlowKey
from inspector.model.capture import Counted, Interface, Span
from inspector.wire.captured import Counters, Described
from inspector.wire.link_layers import COOKED_V2, ETHERNET, LINK_LAYERS, LinkLayer, link_words

MAX_PARTS = 1_000
"""Interfaces told apart within one of the file."""
NO_LAYER = LinkLayer("", 0)


class Point:
    """What one interface saw."""

    __slots__ = (
        "bytes", "cut", "described", "first_ns", "flows", "frames", "label", "last_ns", "layer", "longest_kept",
        "number", "of_file", "parts", "plain", "readable", "unread",
    )  # fmt: skip

    def __init__(self, number: int, of_file: int, described: Described, label: str) -> None:
        """Start with nothing seen; `number` is its own, `of_file` that of the file's interface."""
        self.number, self.of_file, self.described, self.label = number, of_file, described, label
        self.frames = self.bytes = self.cut = self.longest_kept = self.unread = 0
        self.first_ns = self.last_ns = 0
        self.flows: dict[FlowKey, Flow] = {}
        self.layer = LINK_LAYERS.get(described.link_type, NO_LAYER)
        self.readable = described.link_type in LINK_LAYERS
        self.plain = described.link_type == ETHERNET
        self.parts: dict[bytes, Point] | None = {} if described.link_type == COOKED_V2 else None

    def count(self, at_ns: int, kept: int, wire: int) -> None:
        """Take in one frame."""
        if at_ns > self.last_ns:
            self.last_ns = at_ns
            if not self.frames:
                self.first_ns = at_ns
        elif at_ns < self.first_ns or not self.frames:
            self.first_ns = at_ns
        self.frames += 1
        self.bytes += wire
        if kept < wire:
            self.cut += 1
            self.longest_kept = max(self.longest_kept, kept)


class Points:
    """All interfaces, in the order in which they were met."""

    def __init__(self) -> None:
        """Start with none."""
        self.all: list[Point] = []
        self._by_file: dict[int, Point] = {}
        self.bridges: set[int] = set()
        """Their numbers, as far as the file says so."""

    def of_file(self, index: int, described: Described) -> Point:
        """Return an interface of the file, with a name even if it has none."""
        known = self._by_file.get(index)
        if known is None:
            known = self._by_file[index] = self._new(index, described, described.name or f"interface {index}")
        return known

    def part(self, point: Point, number: bytes) -> Point:
        """Return an interface that frames of a cooked capture name by its number (LINKTYPE_LINUX_SLL2)."""
        parts = point.parts if point.parts is not None else {}
        known = parts.get(number)
        if known is None:
            if len(parts) >= MAX_PARTS:
                return point
            name = f"{point.described.name or 'any'}#{int.from_bytes(number, 'big')}"
            known = parts[number] = self._new(point.of_file, point.described, name)
        return known

    def _new(self, index: int, described: Described, label: str) -> Point:
        point = Point(len(self.all), index, described, label)
        self.all.append(point)
        if described.bridge:
            self.bridges.add(point.number)
        return point

    def names(self) -> list[str]:
        """Return how each is called."""
        return [each.label for each in self.all]

    def interfaces(self, counters: dict[int, Counters]) -> tuple[Interface, ...]:
        """Return what is said of each; an interface that was only taken apart is left out."""
        told = []
        for each in sorted(self.all, key=lambda each: (each.of_file, each.number)):
            if each.parts and not each.frames:
                continue
            whole = counters.get(each.of_file, Counters())
            told.append(
                Interface(
                    name=each.label,
                    link=link_words(each.described.link_type),
                    seen=Counted(each.frames, each.bytes),
                    span=Span(each.first_ns, each.last_ns) if each.frames else None,
                    received=whole.received,
                    dropped=whole.dropped,
                    cut=each.cut,
                    longest_kept=each.longest_kept,
                    unread=each.unread,
                    tick_ns=each.described.tick_ns,
                    filtered=each.described.filtered,
                )
            )
        return tuple(told)
