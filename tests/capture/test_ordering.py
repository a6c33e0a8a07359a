"""Frames of several points come out in the order of their time, as soon as no earlier one can come."""

from inspector.capture.ordering import HOLD_NS, Held, Ordering
from inspector.wire.pcapng import Packet, packet_block


def blocks(*times_ns: int) -> list[memoryview]:
    return [memoryview(b"".join(packet_block(Packet(0, each, b"frame", 5)) for each in times_ns))]


def seen(held: list[Held[str]]) -> list[tuple[str, int]]:
    return [(each.point, each.at_ns) for each in held]


def test_a_later_block_with_an_earlier_frame_comes_first() -> None:
    order: Ordering[str] = Ordering()
    order.add("web", 0, blocks(1_000, 5_000_000_000), 0)
    assert order.due(HOLD_NS - 1) == []
    order.add("host", 1, blocks(900, 2_000), HOLD_NS // 2)
    assert seen(order.due(HOLD_NS)) == [("host", 900), ("web", 1_000), ("host", 2_000), ("web", 5_000_000_000)]
    assert not order


def test_of_one_time_the_bridge_comes_behind_its_port() -> None:
    order: Ordering[str] = Ordering()
    order.add("bridge", 2, blocks(7), 0)
    order.add("port", 1, blocks(7), 0)
    assert seen(order.all()) == [("port", 7), ("bridge", 7)]


def test_what_is_later_than_all_that_waited_goes_on_waiting() -> None:
    order: Ordering[str] = Ordering()
    order.add("web", 0, blocks(1), 0)
    order.add("web", 0, blocks(2), HOLD_NS)
    assert seen(order.due(HOLD_NS)) == [("web", 1)]
    assert seen(order.due(2 * HOLD_NS)) == [("web", 2)]
    assert order.due(9 * HOLD_NS) == []


def test_blocks_are_taken_over_whole() -> None:
    order: Ordering[str] = Ordering()
    whole = bytearray(blocks(3, 4)[0])
    before = bytes(whole)
    order.add("web", 0, [memoryview(whole)], 0)
    whole[:] = bytes(len(whole))
    assert b"".join(each.block for each in order.all()) == before
