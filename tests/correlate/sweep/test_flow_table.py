"""Flows and conversations: counted at each interface for itself; segments sent again; too many of them."""

import io

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from captures import MS, A, B, ip, pcapng_file, told, told_bytes
from inspector.correlate.sweep.flow_table import Flow, FlowTable, Place
from inspector.correlate.sweep.keys import TCP as PROTOCOL
from inspector.model.capture import Counted, Endpoint, SeenAt


def segment(sequence: int, length: int = 100, number: int | None = None, **fields: int) -> IP:
    number = sequence % 60_000 + 1 if number is None else number
    data = TCP(sport=4000, dport=80, seq=sequence, flags="A") / (b"x" * length)
    return ip("10.0.0.2", "10.0.0.3", id=number, **fields) / data


def test_both_directions_are_one_conversation_counted_where_most_was_seen() -> None:
    there = ip("10.0.0.2", "10.0.0.3") / UDP(sport=4000, dport=53000) / b"abc"
    back = ip("10.0.0.3", "10.0.0.2") / UDP(sport=53000, dport=4000) / b"abcde"
    report = told(("a", 0, there), ("b", 5, there), ("b", 9, back), ("b", 12, back))
    (each,) = report.conversations
    assert (each.client, each.server) == (Endpoint("10.0.0.2", 4000), Endpoint("10.0.0.3", 53000))
    assert (each.there, each.back) == (Counted(1, 45), Counted(2, 94))
    assert each.seen_at == (SeenAt("a", 1, 0), SeenAt("b", 1, 2))
    assert each.span.duration_ns == 12


def test_a_segment_sent_again_is_told_at_one_interface_and_a_copy_at_another_is_none() -> None:
    frames = [segment(1), segment(101), segment(201), segment(101, number=9_999)]
    seen = [(name, at * MS + place, frame) for at, frame in enumerate(frames) for place, name in enumerate("ab")]
    (each,) = told(*seen).conversations
    assert (each.repeated, each.late) == (1, 0)
    (each,) = told(*(one for one in seen if one[:2] != ("a", 3 * MS) and one[1] // MS < 3)).conversations
    assert (each.repeated, each.late) == (0, 0)


def test_the_same_packet_twice_at_one_interface_is_not_sent_again() -> None:
    """It was routed back out by the same one, or is in a capture of all interfaces."""
    (each,) = told(("a", 0, segment(1)), ("a", 5, segment(1, ttl=63)), ("a", 9, segment(101))).conversations
    assert each.repeated == 0


def test_a_segment_without_a_number_of_its_own_that_comes_again_was_sent_again() -> None:
    (each,) = told(("a", 0, segment(1, number=0)), ("a", 300 * MS, segment(1, number=0))).conversations
    assert each.repeated == 1


def test_a_gap_that_is_filled_later_is_out_of_order() -> None:
    (each,) = told(("a", 0, segment(1)), ("a", 1, segment(201)), ("a", 2, segment(101))).conversations
    assert (each.repeated, each.late) == (0, 1)


def test_a_keepalive_repeats_a_byte_and_is_none() -> None:
    flow = Flow(0, dns=False)
    assert [flow.follow(1, 100), flow.follow(100, 1), flow.follow(101, 5)] == [None, None, None]


@given(st.integers(0, 0xFFFF_FFFF), st.lists(st.integers(1, 5000), min_size=1, max_size=40))
def test_sequence_numbers_wrap_and_each_segment_is_judged_once(start: int, sizes: list[int]) -> None:
    """In order nothing is repeated; all of it again is."""
    places = [(start + sum(sizes[:each])) % 2**32 for each in range(len(sizes))]
    segments = list(zip(places, sizes, strict=True))
    flow = Flow(0, dns=False)
    assert {flow.follow(*each) for each in segments} == {None}
    assert {flow.follow(*each) for each in segments if each[1] > 1} <= {Place.REPEATED}


@given(st.lists(st.tuples(st.integers(0, 0xFFFF_FFFF), st.integers(1, 70_000)), max_size=60))
def test_no_sequence_numbers_are_too_odd(segments: list[tuple[int, int]]) -> None:
    flow = Flow(0, dns=False)
    for each in segments:
        flow.follow(*each)
    assert len(flow.gaps or ()) <= 16


def test_too_many_flows_are_summed_up_those_that_were_idle_for_longest() -> None:
    table = FlowTable(limit=10)
    table.points.append({})
    for number in range(25):
        flow = table.add(0, (PROTOCOL, number.to_bytes(12, "big")), number)
        flow.frames += 1
        flow.bytes += 60
        flow.last_ns = number
    left = table.points[0]
    assert len(left) <= 10
    assert (PROTOCOL, (24).to_bytes(12, "big")) in left
    assert table.folded == Counted(table.folded_flows, 60 * table.folded_flows)
    assert table.folded_flows + len(left) == 25


def test_tags_options_and_fragments_are_counted_as_what_they_are() -> None:
    tagged = Ether(src=A, dst=B) / Dot1Q(vlan=5) / IP(src="10.0.0.2", dst="10.0.0.3") / UDP(sport=1, dport=2)
    options = ip("10.0.0.2", "10.0.0.3", options=b"\x01\x01\x01\x01") / UDP(sport=1, dport=2)
    later = ip("10.0.0.2", "10.0.0.3", flags=0, frag=185, proto=17) / (b"x" * 40)
    conversations = told(("a", 0, tagged), ("a", 1, options), ("a", 2, later)).conversations
    assert [(each.protocol, each.client.port, each.there.frames, each.fragments) for each in conversations] == [
        ("udp", 1, 2, False),
        ("udp", None, 1, True),
    ]


def test_padding_is_no_payload() -> None:
    """A bare acknowledgement in a frame of 60 bytes has no data to send again."""
    ack = bytes(segment(1, length=0)).ljust(60, b"\0")
    whole = pcapng_file(["a"], [(0, 0, ack), (0, 300 * MS, ack), (0, 600 * MS, bytes(segment(1)))])
    (each,) = told_bytes(whole).conversations
    assert (each.repeated, each.late) == (0, 0)
    assert io.BytesIO(whole).read()
