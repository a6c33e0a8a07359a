"""A chain's hook and a rule's handle are read; the chains that may see a family are told apart."""

import struct

import pytest
from firewall_bytes import be32, message, nested
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire.nfnetlink import (
    GET_CHAIN,
    GET_RULE,
    NEW_CHAIN,
    NEW_RULE,
    attributes,
    messages,
    read_chain,
    request,
    rule_handle,
    text,
)
from inspector.wire.nft_chains import is_hooked
from inspector.wire.rule_draft import Family

FORWARD = [(1, b"filter\0"), (3, b"FORWARD\0"), (4, nested([(1, be32(2)), (2, be32(-300))])), (5, be32(0))]


def test_a_base_chain_is_read() -> None:
    (told,) = messages(message(NEW_CHAIN, 2, FORWARD))
    found = read_chain(told)
    assert found is not None
    assert (found.table, found.name, found.hook, found.priority, found.drops) == ("filter", "FORWARD", 2, -300, True)


def test_a_chain_that_others_jump_to_has_no_hook() -> None:
    (told,) = messages(message(NEW_CHAIN, 2, FORWARD[:2]))
    found = read_chain(told)
    assert found is not None
    assert (found.hook, found.drops) == (None, False)
    assert not is_hooked(told, 4)


@pytest.mark.parametrize(("number", "families"), [(1, (4, 6)), (2, (4,)), (10, (6,)), (3, ())])
def test_whose_packets_a_chain_sees(number: int, families: tuple[int, ...]) -> None:
    (found,) = messages(message(NEW_CHAIN, number, FORWARD))
    assert tuple(each for each in (4, 6) if is_hooked(found, each)) == families


def test_a_rule_has_a_handle() -> None:
    names = [(1, b"filter\0"), (2, b"FORWARD\0")]
    (rule,) = messages(message(NEW_RULE, 2, [*names, (3, struct.pack(">Q", 77))]))
    (none,) = messages(message(NEW_RULE, 2, names))
    assert (rule_handle(rule), rule_handle(none)) == (77, 0)


@pytest.mark.parametrize(("kind", "name"), [(GET_CHAIN, 3), (GET_RULE, 2)])
def test_one_chain_is_asked_for(kind: int, name: int) -> None:
    (asked,) = messages(request(kind, Family.IPV6, b"filter", b"FORWARD"))
    found = attributes(asked.payload[4:])
    assert (asked.type, asked.payload[0], text(found[1]), text(found[name])) == (kind, 10, "filter", "FORWARD")


@given(st.sampled_from([NEW_CHAIN, NEW_RULE]), st.binary(max_size=80))
def test_any_bytes_are_read_without_an_exception(kind: int, payload: bytes) -> None:
    for found in messages(struct.pack("=IHHII", 16 + len(payload), kind, 0, 0, 0) + payload):
        read_chain(found)
        rule_handle(found)
        is_hooked(found, 4)
