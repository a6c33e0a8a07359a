"""Filters are compiled by libpcap, keep what was asked for of each frame, and are refused in one sentence."""

import struct

import pytest

from inspector.errors import UsageError
from inspector.wire.packet_filter import compile_filter, keep_all


def instructions(program: bytes) -> list[tuple[int, ...]]:
    return list(struct.iter_unpack("=HBBI", program))


def test_what_is_kept_of_a_frame_is_what_the_program_returns() -> None:
    assert instructions(keep_all(96)) == [(6, 0, 0, 96)]
    returned = {k for code, _, _, k in instructions(compile_filter("icmp or arp", 262_144)) if code == 6}
    assert returned == {0, 262_144}


def test_an_empty_expression_means_every_frame() -> None:
    assert instructions(compile_filter("", 128)) == [(6, 0, 0, 128)]


@pytest.mark.parametrize("expression", ["port what", "icmp and", "\x1b[2J", "tcp[", "a\x00b"])
def test_an_expression_that_means_nothing_is_a_sentence(expression: str) -> None:
    with pytest.raises(UsageError) as told:
        compile_filter(expression, 128)
    assert "is no filter" in str(told.value)
    assert str(told.value).isprintable()
