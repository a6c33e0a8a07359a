"""Put the two directions of a conversation together, over all interfaces. Pure."""

from inspector.correlate.sweep.flow_table import FRAGMENTS, Flow, FlowKey, FlowTable
from inspector.correlate.sweep.keys import (
    LOOPBACK_SERVER,
    TCP,
    UDP,
    addresses,
    destination,
    protocol_name,
    source,
    turned,
)
from inspector.model.capture import Conversation, Counted, SeenAt, Span

MOST = 10_000
"""Conversations that are told apart."""
_V4_PORTED = 12
_Directions = dict[bytes, dict[int, Flow]]
"""By both ends: the flow at each interface."""


def conversations(table: FlowTable, names: list[str]) -> tuple[tuple[Conversation, ...], Counted, int]:
    """Return each conversation once, the busiest first; then the frames and the number of those that are too many."""
    groups: dict[FlowKey, _Directions] = {}
    for number, flows in enumerate(table.points):
        for (protocol, ends), flow in flows.items():
            group = groups.setdefault((protocol, _both_ways(protocol, ends)), {})
            group.setdefault(ends, {})[number] = flow
    ordered = sorted(groups.items(), key=lambda each: _most_frames(each[1]), reverse=True)
    told = tuple(_told(protocol, directions, names) for (protocol, _), directions in ordered[:MOST])
    rest = [flow for _, directions in ordered[MOST:] for flows in directions.values() for flow in flows.values()]
    counted = Counted(sum(flow.frames for flow in rest), sum(flow.bytes for flow in rest))
    return told, counted, len(rest)


def _most_frames(directions: _Directions) -> int:
    counts: dict[int, int] = {}
    for flows in directions.values():
        for number, flow in flows.items():
            counts[number] = counts.get(number, 0) + flow.frames
    return max(counts.values())


def _both_ways(protocol: int, ends: bytes) -> bytes:
    """Return what both directions have alike.

    A rule in a container rewrites the port of the engine's own server on the way there, and it is seen on the way back.
    """
    if protocol in {TCP, UDP} and len(ends) == _V4_PORTED:
        if ends[4:8] == LOOPBACK_SERVER:
            ends = ends[:10] + b"\0\0"
        elif ends[:4] == LOOPBACK_SERVER:
            ends = ends[:8] + b"\0\0" + ends[10:]
    return min(ends, turned(ends))


def _told(protocol: int, directions: _Directions, names: list[str]) -> Conversation:
    order = sorted(directions, key=lambda ends: min(flow.first_ns for flow in directions[ends].values()))
    there_ends = order[0]
    back_ends = next((ends for ends in order[1:] if addresses(ends) != addresses(there_ends)), turned(there_ends))
    there, back = directions[there_ends], directions.get(back_ends, {})
    flows = [*there.values(), *back.values()]
    numbers = sorted({*there, *back})
    busiest = max(numbers, key=lambda number: (_frames(there, number) + _frames(back, number), -number))
    at = [flow for flow in (there.get(busiest), back.get(busiest)) if flow]
    return Conversation(
        protocol=protocol_name(protocol & ~FRAGMENTS),
        client=source(there_ends),
        server=destination(there_ends),
        there=_counted(there.get(busiest)),
        back=_counted(back.get(busiest)),
        span=Span(min(flow.first_ns for flow in flows), max(flow.last_ns for flow in flows)),
        seen_at=tuple(SeenAt(names[number], _frames(there, number), _frames(back, number)) for number in numbers),
        repeated=sum(flow.repeated for flow in at),
        late=sum(flow.late for flow in at),
        fragments=bool(protocol & FRAGMENTS),
    )


def _frames(flows: dict[int, Flow], number: int) -> int:
    return flows[number].frames if number in flows else 0


def _counted(flow: Flow | None) -> Counted:
    return Counted(flow.frames, flow.bytes) if flow else Counted()
