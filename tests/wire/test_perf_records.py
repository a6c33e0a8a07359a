"""Records of a perf ring are read whole or not at all."""

import struct

import pytest

from inspector.wire.perf_records import Missed, Sample, attributes, read_records


def sample(at_ns: int = 5, cpu: int = 1, counts: tuple[int, ...] = (7, 1, 2), record: bytes = b"abcd") -> bytes:
    body = struct.pack(f"=QIIQ{len(counts)}QI", at_ns, cpu, 0, len(counts), *counts, len(record)) + record
    return struct.pack("=IHH", 9, 0, 8 + len(body)) + body


LOST = struct.pack("=IHHQQ", 2, 0, 24, 99, 41)
OTHER = struct.pack("=IHHQ", 3, 0, 16, 0)


def test_samples_and_losses_are_read_and_others_passed_over() -> None:
    assert list(read_records(sample() + OTHER + LOST)) == [Sample(5, 1, (7, 1, 2), b"abcd"), Missed(41)]


@pytest.mark.parametrize("kept", range(len(sample())))
def test_what_is_cut_short_is_nothing(kept: int) -> None:
    assert list(read_records(sample()[:kept])) == []


def test_a_size_of_nothing_ends_it() -> None:
    assert list(read_records(struct.pack("=IHH", 9, 0, 0) + sample())) == []


def test_a_number_of_counts_that_cannot_be_is_passed_over() -> None:
    hostile = struct.pack("=IHHQIIQ", 9, 0, 32, 1, 0, 0, 2**60)
    assert list(read_records(hostile + sample())) == [Sample(5, 1, (7, 1, 2), b"abcd")]


def test_the_attributes_have_the_length_they_say() -> None:
    asked = attributes(2310, sampled=True, leader=False, wakeup_bytes=4096)
    assert struct.unpack_from("=IIQQ", asked) == (2, len(asked), 2310, 1)
    assert len(asked) == 112
    (bits,) = struct.unpack_from("=Q", attributes(1, sampled=False, leader=True), 40)
    assert bits & 1
