"""Events of the kernel become traversals; what lacks its beginning, or is no event, does not."""

import struct

import pytest
from firewall_bytes import attribute, be32, message, nested
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.rules import StepKind
from inspector.model.topology import SandboxId
from inspector.wire import nft_trace
from inspector.wire.nfnetlink import messages
from inspector.wire.nft_trace import TRACE, TraceEvent, gather, read_trace

HOST, OWN = SandboxId("host"), "dnetsniff-"
ICMP = bytes.fromhex("4500005400004000400100000a0000020a000003") + bytes.fromhex("080000001234000101020304")
RULE, RETURN, POLICY = 3, 2, 1


def event(
    chain: bytes = b"FORWARD",
    kind: int = RULE,
    code: int | None = 0,
    *,
    handle: int | None = 7,
    to: bytes | None = None,
    packet: bytes = b"",
    number: int = 99,
    table: bytes = b"filter",
    family: int = 2,
) -> TraceEvent | None:
    said = ([(1, be32(code))] if code is not None else []) + ([(2, to + b"\0")] if to else [])
    values = [(1, table + b"\0"), (2, chain + b"\0"), (4, be32(kind)), (6, struct.pack(">I", number))]
    values.append((16, be32(code or 0)) if kind == POLICY else (5, nested(said)))
    if handle is not None and kind != POLICY:
        values.append((3, struct.pack(">Q", handle)))
    if packet:
        values += [(8, packet[:20]), (9, packet[20:]), (10, be32(3)), (12, be32(5))]
    (found,) = messages(message(TRACE, family, values))
    return read_trace(found)


def test_a_packet_is_followed_through_its_chains() -> None:
    told = [
        event(code=-3, to=b"OWN", packet=ICMP),
        event(b"OWN", code=-1, handle=8),
        event(b"OWN", RETURN, -5, handle=9),
        event(kind=POLICY, code=0),
    ]
    (found,) = gather(HOST, told, own=OWN)
    assert (found.sandbox, found.family, found.table) == (HOST, "ip", "filter")
    assert (found.inbound, found.outbound, found.frame) == (3, 5, ICMP)
    assert [(each.chain, each.kind, each.verdict, each.handle, each.to) for each in found.steps] == [
        ("FORWARD", StepKind.RULE, "jump", 7, "OWN"),
        ("OWN", StepKind.RULE, "continue", 8, None),
        ("OWN", StepKind.RETURN, "return", 9, None),
        ("FORWARD", StepKind.POLICY, "drop", None, None),
    ]


def test_two_packets_on_two_processors_do_not_mix() -> None:
    told = [
        event(code=-1, packet=ICMP, number=1),
        event(code=-1, packet=ICMP, number=2),
        event(code=0, number=1, handle=11),
        event(code=1, number=2, handle=12),
    ]
    assert [[step.handle for step in each.steps] for each in gather(HOST, told, OWN)] == [[7, 11], [7, 12]]


def test_a_number_that_serves_again_begins_anew() -> None:
    told = [event(code=1, packet=ICMP), event(code=0, handle=8), event(code=0, handle=9, packet=ICMP)]
    assert [[step.handle for step in each.steps] for each in gather(HOST, told, OWN)] == [[7], [9]]


def test_nothing_is_joined_across_a_loss() -> None:
    told = [event(code=-1, packet=ICMP), None, event(code=0, handle=8)]
    (found,) = gather(HOST, told, OWN)
    assert [step.handle for step in found.steps] == [7]


def test_our_own_table_is_left_out() -> None:
    assert gather(HOST, [event(code=1, packet=ICMP, table=b"dnetsniff-2")], OWN) == ()


def test_a_table_called_like_ours_that_drops_is_none_of_ours() -> None:
    (found,) = gather(HOST, [event(code=0, packet=ICMP, table=b"dnetsniff-2")], OWN)
    assert found.table == "dnetsniff-2"


@pytest.mark.parametrize(
    ("code", "word"),
    [(0, "drop"), (1, "accept"), (-1, "continue"), (-4, "goto"), (3 | 5 << 16, "queue"), (-77, "unknown")],
)
def test_verdicts_have_names(code: int, word: str) -> None:
    found = event(code=code)
    assert found is not None
    assert found.step.verdict == word


def test_a_header_that_the_kernel_cut_is_not_joined_to_the_next() -> None:
    with_options = b"\x46" + ICMP[1:]
    found = event(packet=with_options)
    assert found is not None
    assert found.frame == with_options[:20]


def test_names_are_harmless() -> None:
    found = event(b"\x1b[2J", table=b"a\nb", to=b"\xff")
    assert found is not None
    assert (found.step.chain, found.table, found.step.to) == ("\\x1b[2J", "a\\x0ab", "\\xff")


@given(st.binary(max_size=300))
def test_any_payload_is_read_without_an_exception(payload: bytes) -> None:
    head = struct.pack("=IHHII", 16 + len(payload), TRACE, 0, 0, 0)
    for found in messages(head + payload):
        told = read_trace(found)
        assert gather(HOST, [told], OWN) == () or (told is not None and told.frame)


@given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=24)), max_size=12), st.integers(0, 12))
def test_almost_events_are_read_without_an_exception(values: list[tuple[int, bytes]], family: int) -> None:
    for found in messages(message(TRACE, family, values)):
        told = read_trace(found)
        assert told is None or (told.family in nft_trace.FAMILY_NAMES.values() and told.step.chain.isprintable())


def test_what_is_no_event_is_none() -> None:
    (other,) = messages(message(0xA06, 2, [(1, attribute(1, b""))]))
    assert read_trace(other) is None
