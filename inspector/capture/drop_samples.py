"""Tie what the kernel said about packets together: which drop was of a packet that came in where. No I/O.

The tracepoints name no packet, but the buffer that holds it. A buffer is used again at once for another packet, so the
same buffer proves little. A CPU works on one received packet at a time, though: where its count of received packets has
not changed since the buffer came in, no other received packet can hold it; and one that a program sends is not dropped
in the softirq that received.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from inspector.model.rules import KernelDrop, Reception
from inspector.wire.perf_records import Sample
from inspector.wire.tracepoints import Tracepoint

LONG_NS = 1_000_000_000
"""How long no other packet came in, at most: a second is as good as for ever."""
MOST_DROPS = 1000
SOFTIRQ = 0x10
"""TRACE_FLAG_SOFTIRQ of `common_flags` (linux/trace_events.h)"""


class _Received(Struct):
    interface: str
    at_ns: int
    length: int
    cpu: int
    count: int
    context: tuple[int | None, int]
    dropped: Sample | None = None


def tie(
    samples: Iterable[Sample],
    freed: Tracepoint,
    received: Tracepoint,
    *,
    offset_ns: int,
    name: Callable[[int], str],
) -> tuple[KernelDrop, ...]:
    """Return the drops of packets whose reception is known; `offset_ns` makes wall time of the samples' own."""
    receptions: list[_Received] = []
    held: dict[int, _Received] = {}
    for sample in sorted(samples, key=lambda each: each.at_ns):
        kind = freed.number(sample.record, "common_type")
        buffer = freed.number(sample.record, "skbaddr")
        if buffer is None:
            continue
        if kind == received.id:
            held[buffer] = _received(sample, received)
            receptions.append(held[buffer])
        elif kind == freed.id and (last := held.pop(buffer, None)) and _same_packet(last, sample, freed):
            last.dropped = sample
    return tuple(_drops(receptions, freed, offset_ns, name))[:MOST_DROPS]


def _received(sample: Sample, received: Tracepoint) -> _Received:
    return _Received(
        interface=received.text(sample.record, "name") or "",
        at_ns=sample.at_ns,
        length=received.number(sample.record, "len") or 0,
        cpu=sample.cpu,
        count=sample.counts[0] if sample.counts else 0,
        context=_context(sample, received),
    )


def _context(sample: Sample, tracepoint: Tracepoint) -> tuple[int | None, int]:
    """Return which task the CPU was in, and whether it served a softirq there."""
    flags = tracepoint.number(sample.record, "common_flags") or 0
    return tracepoint.number(sample.record, "common_pid"), flags & SOFTIRQ


def _same_packet(last: _Received, sample: Sample, freed: Tracepoint) -> bool:
    # The sample of a reception is taken before the group's leader counts it.
    alone = sample.cpu == last.cpu and sample.counts[:1] == (last.count + 1,)
    return alone and _context(sample, freed) == last.context


def _drops(
    receptions: Iterable[_Received], freed: Tracepoint, offset_ns: int, name: Callable[[int], str]
) -> Iterable[KernelDrop]:
    others: dict[tuple[str, int], int] = {}
    for each in receptions:
        key = each.interface, each.length
        if each.dropped is None:
            others[key] = each.at_ns
            continue
        record = each.dropped.record
        yield KernelDrop(
            at_ns=each.dropped.at_ns + offset_ns,
            reason=freed.symbol(record, "reason") or "",
            where=name(freed.number(record, "location") or 0),
            ethertype=freed.number(record, "protocol") or 0,
            reception=Reception(
                interface=each.interface,
                at_ns=each.at_ns + offset_ns,
                length=each.length,
                alone_ns=min(each.at_ns - others[key], LONG_NS) if key in others else LONG_NS,
            ),
        )
