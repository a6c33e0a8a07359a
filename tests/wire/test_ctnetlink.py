"""Messages of connection tracking, compared with what a kernel sent and took, and with broken ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from inspector.model.conntrack import Flow
from inspector.model.question import Protocol
from inspector.model.topology import HOST
from inspector.wire import ctnetlink
from inspector.wire.ctnetlink import NEW, entries_to_port, entry_of, read_entry
from inspector.wire.nfnetlink import Message, messages

FLOWS = (
    (Protocol.TCP, Flow("172.17.0.2", "172.17.0.1", 40_001, 8080)),
    (Protocol.UDP, Flow("fd00::2", "fd00::1", 40_001, 53)),
    (Protocol.ICMP, Flow("172.17.0.2", "192.0.2.1", echo=77, type=8)),
    (Protocol.ICMP, Flow("fd00::2", "2001:db8::1", echo=77, type=129)),
)


def message(flow: tuple[Protocol, Flow], status: int = 0b101110) -> Message:
    """Return the answer about an entry: its tuples are written like those of a question."""
    (asked,) = messages(entry_of(*flow))
    (back,) = messages(entry_of(flow[0], flow[1].reversed))
    reply = bytearray(back.payload[4:])
    reply[2:4] = (2 | 0x8000).to_bytes(2, "little")
    told = (8).to_bytes(2, "little") + (3).to_bytes(2, "little") + status.to_bytes(4, "big")
    return Message(NEW, 0, asked.payload + bytes(reply) + told)


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_what_is_written_is_read(flow: tuple[Protocol, Flow]) -> None:
    entry = read_entry(HOST, message(flow))
    assert entry
    assert (entry.protocol, entry.original, entry.reply) == (*flow, flow[1].reversed)
    assert entry.status == ("seen-reply", "assured", "dnat")
    assert not entry.translates
    assert replace(entry, reply=replace(entry.reply, source="192.0.2.9")).translates


def test_a_question_for_a_port_is_a_list() -> None:
    (asked,) = messages(entries_to_port(4, Protocol.UDP, 5353))
    assert asked.type == ctnetlink.GET
    assert asked.flags & 0x300
    assert (5353).to_bytes(2, "big") in asked.payload


@given(st.binary(max_size=64), st.integers(0, 200))
def test_no_bytes_raise(noise: bytes, at: int) -> None:
    whole = message(FLOWS[0]).payload
    for payload in (noise, whole[:at], whole[:at] + noise, noise[:1] + whole[1:]):
        read_entry(HOST, Message(NEW, 0, payload))
    assert read_entry(HOST, Message(NEW + 1, 0, whole)) is None
