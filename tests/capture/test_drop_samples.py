"""A drop belongs to a reception only if nothing else can have used the buffer meanwhile."""

import struct

import pytest

from inspector.capture.drop_samples import LONG_NS, tie
from inspector.model.rules import KernelDrop
from inspector.wire.perf_records import Sample
from inspector.wire.tracepoints import Field, Tracepoint

FREED = Tracepoint(
    1,
    {
        "common_type": Field(0, 2),
        "common_flags": Field(2, 1),
        "common_pid": Field(4, 4),
        "skbaddr": Field(8, 8),
        "location": Field(16, 8),
        "protocol": Field(24, 2),
        "reason": Field(28, 4),
    },
    {"reason": {12: "NETFILTER_DROP"}},
)
RECEIVED = Tracepoint(
    2,
    {
        "common_type": Field(0, 2),
        "common_flags": Field(2, 1),
        "common_pid": Field(4, 4),
        "skbaddr": Field(8, 8),
        "len": Field(16, 4),
        "name": Field(20, 4, elsewhere=True),
    },
)


def came(at_ns: int, buffer: int = 7, *, name: str = "eth0", count: int = 4, cpu: int = 0) -> Sample:
    text = name.encode() + b"\0"
    return Sample(at_ns, cpu, (count, 0), struct.pack("=HBxIQII", 2, 0x11, 9, buffer, 84, len(text) << 16 | 24) + text)


def gone(at_ns: int, buffer: int = 7, *, count: int = 5, cpu: int = 0, flags: int = 0x10, pid: int = 9) -> Sample:
    return Sample(at_ns, cpu, (count, 0), struct.pack("=HBxIQQHxxI", 1, flags, pid, buffer, 0xFF, 0x0800, 12))


def tied(*samples: Sample) -> tuple[KernelDrop, ...]:
    return tie(samples, FREED, RECEIVED, offset_ns=1000, name=lambda address: f"at {address}")


def test_a_packet_is_followed_from_its_reception_to_its_drop() -> None:
    (drop,) = tied(gone(20), came(10))
    assert (drop.at_ns, drop.reason, drop.where, drop.ethertype) == (1020, "NETFILTER_DROP", "at 255", 0x0800)
    assert drop.reception is not None
    assert (drop.reception.interface, drop.reception.at_ns, drop.reception.length) == ("eth0", 1010, 84)
    assert drop.reception.alone_ns == LONG_NS


@pytest.mark.parametrize(
    ("why", "drop"),
    [
        ("another packet came in between", gone(20, count=6)),
        ("another CPU", gone(20, cpu=1)),
        ("what a program sends", gone(20, flags=0)),
        ("another task", gone(20, pid=8)),
        ("another buffer", gone(20, 8)),
        ("it came in later", gone(5)),
    ],
)
def test_what_may_be_another_packet_is_not_tied(why: str, drop: Sample) -> None:
    assert tied(came(10), drop) == (), why


def test_a_buffer_is_freed_once() -> None:
    assert len(tied(came(10), gone(20), gone(30))) == 1


def test_the_last_reception_counts() -> None:
    (drop,) = tied(came(10, name="veth7", count=3), came(12, name="docker0"), gone(20))
    assert drop.reception is not None
    assert drop.reception.interface == "docker0"


def test_others_that_came_in_before_are_told_of() -> None:
    (drop,) = tied(came(2, 9, count=1), came(4, 9, name="eth1", count=2), came(10), gone(20))
    assert drop.reception is not None
    assert drop.reception.alone_ns == 8
