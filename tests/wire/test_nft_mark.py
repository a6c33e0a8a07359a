"""What we insert matches the probe and nothing else. That the kernel takes it is tested in tests/kernel."""

from ipaddress import ip_address

import pytest
from msgspec.structs import replace

from inspector.wire.nfnetlink import attributes, messages, number, text
from inspector.wire.nft_mark import OWNER, PRIORITY, batch, messages_in
from inspector.wire.probe_flow import ICMP, ICMPV6, TCP, UDP, ProbeFlow

NEW_TABLE, NEW_CHAIN, NEW_RULE, BEGIN, END = 0xA00, 0xA03, 0xA06, 0x10, 0x11
FLOWS = [
    ProbeFlow(4, ICMP, ("10.0.0.2", "10.0.0.3"), (0x1234,)),
    ProbeFlow(6, ICMPV6, ("fe80::1%3", "fd00::3"), (0x1234,)),
    ProbeFlow(6, ICMPV6, ("fd00::2", "fd00::3"), (0x1234,), ("fd00::2", "fe80::1%3", "10.0.0.3")),
    ProbeFlow(4, TCP, ("10.0.0.2", "10.0.0.3"), (40_001, 40_002)),
    ProbeFlow(6, UDP, ("fd00::2",), tuple(range(40_000, 40_100))),
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow.protocol}-{flow.family}-{len(flow.neighbours)}")
def test_a_batch_is_whole(flow: ProbeFlow) -> None:
    found = list(messages(batch(flow, "dnetsniff-1")))
    kinds = [each.type for each in found]
    assert (kinds[0], kinds[-1]) == (BEGIN, END)
    chains = 5 if flow.neighbours else 4
    assert kinds[1 : chains + 2] == [NEW_TABLE, *[NEW_CHAIN] * chains]
    assert set(kinds[chains + 2 : -1]) == {NEW_RULE}
    assert len(found) == messages_in(flow) + 2
    assert sum(len(each.payload) + 16 for each in found) == len(batch(flow, "dnetsniff-1"))


def test_the_table_is_owned_and_its_chains_come_first_and_accept() -> None:
    _, table, *rest, _ = messages(batch(FLOWS[0], "dnetsniff-1"))
    assert number(attributes(table.payload[4:])[2]) == OWNER
    hooked = [found for each in rest if 4 in (found := attributes(each.payload[4:])) and each.type == NEW_CHAIN]
    assert [text(each[3]) for each in hooked] == ["prerouting", "output"]
    for each in hooked:
        hook = attributes(each[4])
        assert int.from_bytes(hook[2], "big", signed=True) == PRIORITY
        assert number(each[5]) == 1


def test_a_tunnel_has_a_chain_for_what_it_carries() -> None:
    bare, carried = FLOWS[0], replace(FLOWS[0], tunnel=4789, nodes=("192.0.2.2",))
    told = batch(carried, "x")
    assert b"carried\0" in told
    assert b"carried\0" not in batch(bare, "x")
    assert messages_in(carried) == len(list(messages(told))) - 2
    assert (4789).to_bytes(2, "big") in told


def test_a_datagram_is_ours_by_its_node_and_port() -> None:
    flow = replace(FLOWS[0], tunnel=4789, nodes=("192.0.2.2",))
    datagram = (40_000).to_bytes(2, "big") + (4789).to_bytes(2, "big") + bytes(16)
    assert flow.has(ip("192.0.2.1", "192.0.2.2", UDP, datagram))
    assert flow.has(ip("192.0.2.2", "192.0.2.1", UDP, datagram))
    assert not flow.has(ip("192.0.2.1", "192.0.2.9", UDP, datagram))
    assert not FLOWS[0].has(ip("192.0.2.1", "192.0.2.2", UDP, datagram))


def test_many_ports_are_one_range() -> None:
    few, many = (ProbeFlow(4, TCP, ("10.0.0.2",), tuple(range(1, count))) for count in (10, 900))
    assert messages_in(many) < messages_in(few)
    assert b"range\0" in batch(many, "x")
    assert b"range\0" not in batch(few, "x")


def ip(source: str, destination: str, protocol: int, body: bytes) -> bytes:
    head = bytes((0x45, 0, 0, 20 + len(body), 0, 0, 0, 0, 64, protocol, 0, 0))
    return head + ip_address(source).packed + ip_address(destination).packed + body


ECHO = bytes((8, 0, 0, 0, 0x12, 0x34, 0, 1))
PORTS = (40_001).to_bytes(2, "big") + (80).to_bytes(2, "big") + bytes(16)


@pytest.mark.parametrize(
    ("flow", "packet", "ours"),
    [
        (FLOWS[0], ip("10.0.0.2", "10.9.9.9", 1, ECHO), True),
        (FLOWS[0], ip("10.0.0.2", "10.9.9.9", 1, ECHO[:4] + bytes(4)), False),
        (FLOWS[0], ip("10.8.8.8", "10.9.9.9", 1, ECHO), False),
        (FLOWS[0], ip("10.8.8.8", "10.0.0.2", 1, bytes((3, 13)) + bytes(18)), True),
        (FLOWS[0], ip("10.0.0.2", "10.0.0.3", 17, PORTS), False),
        (FLOWS[3], ip("10.0.0.2", "10.0.0.3", 6, PORTS), True),
        (FLOWS[3], ip("10.0.0.2", "10.0.0.3", 6, bytes(20)), False),
        (FLOWS[3], ip("10.0.0.2", "10.0.0.3", 17, bytes(2)), False),
        (FLOWS[0], b"", False),
    ],
)
def test_what_others_trace_is_told_apart(flow: ProbeFlow, packet: bytes, *, ours: bool) -> None:
    assert flow.has(packet) is ours
