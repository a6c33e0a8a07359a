"""Bytes of the kernel's perf interface (linux/perf_event.h): how an event is asked for, and the records of its ring.

1. Every event asks for the same things, so every sample has the same shape: time, CPU, the counts of the event's group,
   and the tracepoint's own record.
2. The rings are read with CLOCK_MONOTONIC: CLOCK_REALTIME is refused for tracepoints, which may fire in an NMI.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

TYPE_TRACEPOINT = 2
CLOCK_MONOTONIC = 1
_TIME, _READ, _CPU, _RAW = 1 << 2, 1 << 4, 1 << 7, 1 << 10
"""enum perf_event_sample_format"""
_FORMAT_GROUP = 1 << 3
"""enum perf_event_read_format: a sample carries the counts of all events of its group, the leader's first"""
_DISABLED, _WATERMARK, _USE_CLOCKID = 1 << 0, 1 << 14, 1 << 25
"""Bits of struct perf_event_attr behind read_format"""
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQQQQIi16x")
"""struct perf_event_attr up to PERF_ATTR_SIZE_VER5: type, size, config, sample_period, sample_type, read_format, bits,
wakeup_watermark, bp_type, config1, config2, branch_sample_type, sample_regs_user, sample_stack_user, clockid"""
_HEADER = struct.Struct("=IHH")
"""struct perf_event_header: type, misc, size"""
_LOST, _SAMPLE = 2, 9
"""enum perf_event_type"""
_START = struct.Struct("=QIIQ")
"""time, cpu, reserved, number of counts"""
_LOST_BODY = struct.Struct("=QQ")
"""id, lost"""


class Sample(Struct, frozen=True):
    """One time that a tracepoint fired."""

    at_ns: int
    """CLOCK_MONOTONIC"""
    cpu: int
    counts: tuple[int, ...]
    """How often each event of the group had fired on this CPU, the leader first."""
    record: bytes
    """The tracepoint's own fields."""


class Missed(Struct, frozen=True):
    """Samples that found no room in the ring."""

    count: int


def attributes(tracepoint: int, *, sampled: bool, leader: bool, wakeup_bytes: int = 0) -> bytes:
    """Return a struct perf_event_attr: one sample each time (or only a count); a leader starts when it is told to."""
    bits = _USE_CLOCKID | (_WATERMARK if wakeup_bytes else 0) | (_DISABLED if leader else 0)
    kinds = _TIME | _READ | _CPU | _RAW
    return _ATTRIBUTES.pack(
        *(TYPE_TRACEPOINT, _ATTRIBUTES.size, tracepoint, 1 if sampled else 0, kinds if sampled else 0, _FORMAT_GROUP),
        *(bits, wakeup_bytes, 0, 0, 0, 0, 0, 0, CLOCK_MONOTONIC),
    )


def read_records(data: bytes) -> Iterator[Sample | Missed]:
    """Read what a ring held, from one record's start on; what is cut short or of another kind is passed over."""
    at = 0
    while at + _HEADER.size <= len(data):
        kind, _, size = _HEADER.unpack_from(data, at)
        body = data[at + _HEADER.size : at + size]
        if size < _HEADER.size or at + size > len(data):
            return
        if kind == _SAMPLE and (sample := _sample(body)) is not None:
            yield sample
        elif kind == _LOST and len(body) >= _LOST_BODY.size:
            yield Missed(_LOST_BODY.unpack_from(body)[1])
        at += size


def _sample(body: bytes) -> Sample | None:
    if len(body) < _START.size:
        return None
    at_ns, cpu, _, number = _START.unpack_from(body)
    behind = _START.size + 8 * number
    if len(body) < behind + 4:
        return None
    counts = struct.unpack_from(f"={number}Q", body, _START.size)
    (length,) = struct.unpack_from("=I", body, behind)
    return Sample(at_ns=at_ns, cpu=cpu, counts=counts, record=body[behind + 4 : behind + 4 + length])
