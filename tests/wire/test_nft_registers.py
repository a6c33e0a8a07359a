"""Registers overlap: those of 16 bytes and those of 4 are the same room."""

import firewall_bytes as make
import pytest

from inspector.wire.nft_keys import Key
from inspector.wire.nft_registers import VERDICT_REGISTER, WORD, Registers, register_at, value_of

SOURCE, PORT = Key("ip saddr", "ipv4", 4), Key("tcp dport", "number", 2)


@pytest.mark.parametrize(("number", "at"), [(0, VERDICT_REGISTER), (1, 0), (2, 16), (8, 0), (9, 4), (12, 16)])
def test_a_register_begins_at_a_byte(number: int, at: int) -> None:
    assert register_at(make.be32(number)) == at


def test_keys_lie_behind_each_other_aligned() -> None:
    held = Registers()
    held.load(0, (SOURCE,))
    held.load(4, (PORT,))
    held.load(8, (SOURCE,))
    assert held.behind(0, WORD) == (SOURCE, PORT, SOURCE)
    assert held.behind(4, 1) == (PORT,)


def test_loading_forgets_what_lies_behind() -> None:
    held = Registers()
    held.load(0, (SOURCE, PORT))
    held.load(0, (PORT,))
    assert held.behind(0, 1) == (PORT,)
    held.set(0, b"x")
    assert (held.keys, held.values) == ({}, {0: b"x"})
    held.clear()
    assert held.values == {}


def test_no_data_is_no_bytes() -> None:
    assert value_of(None) == b""
