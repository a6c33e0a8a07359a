"""rtnetlink's messages: what is in them, and that no bytes raise."""

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from inspector.wire.stack_messages import (
    ADDRESS,
    LINK,
    NEIGHBOUR,
    ROUTE,
    address,
    mac,
    name,
    number,
    read_attributes,
    read_message,
)


def attribute(kind: int, value: bytes) -> bytes:
    head = struct.pack("=HH", 4 + len(value), kind)
    return head + value + bytes(-len(value) % 4)


def message(layout: struct.Struct, fields: tuple[int, ...], *attributes: bytes) -> bytes:
    body = layout.pack(*fields)
    return bytes(16) + body + bytes(-len(body) % 4) + b"".join(attributes)


def test_fields_and_attributes_of_a_link() -> None:
    told = read_message(
        LINK,
        message(
            LINK,
            (0, 1, 7, 0x43, 0),
            attribute(3, b"eth0\0"),
            attribute(4, struct.pack("=I", 1500)),
            attribute(1, bytes.fromhex("0242ac110002")),
            attribute(0x8000 | 18, attribute(1, b"veth\0")),
        ),
    )
    assert told.fields == (0, 1, 7, 0x43, 0)
    assert name(told.attributes, 3) == b"eth0"
    assert number(told.attributes, 4) == 1500
    assert mac(told.attributes, 1) == "02:42:ac:11:00:02"
    assert name(read_attributes(told.attributes[18]), 1) == b"veth"


def test_an_address_is_of_four_bytes_or_sixteen() -> None:
    told = {1: bytes([10, 0, 0, 1]), 2: bytes(15) + b"\1", 3: b"123"}
    assert [address(told, kind) for kind in (1, 2, 3, 4)] == ["10.0.0.1", "::1", None, None]


def test_what_is_not_there_is_none() -> None:
    assert [read({}, 1) for read in (name, number, mac, address)] == [None] * 4
    assert mac({1: b""}, 1) is None


@given(st.sampled_from((LINK, ADDRESS, ROUTE, NEIGHBOUR)), st.binary(max_size=200))
@example(LINK, message(LINK, (0, 1, 7, 0, 0), struct.pack("=HH", 3, 1)))
@example(LINK, message(LINK, (0, 1, 7, 0, 0), struct.pack("=HH", 400, 1)))
def test_no_bytes_raise(layout: struct.Struct, data: bytes) -> None:
    told = read_message(layout, data)
    assert len(told.fields) == len(layout.unpack(bytes(layout.size)))
    for kind, value in told.attributes.items():
        assert len(value) <= len(data)
        for read in (name, number, mac, address):
            read(told.attributes, kind)
