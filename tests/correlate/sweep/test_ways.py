"""The same packet at several interfaces: in which order, switched, routed or rewritten, and where it was seen last."""

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from captures import MS, ROUTER, A, B, ip, told
from inspector.model.capture import Endpoint, Hand, Way

SYN = TCP(sport=4000, dport=80, flags="S", seq=1)


def path(way: Way) -> list[tuple[str, Hand | None]]:
    return [(each.interface, each.hand) for each in way.sightings]


def test_a_packet_that_a_bridge_hands_on_is_switched() -> None:
    frame = ip("10.0.0.2", "10.0.0.3") / SYN
    (way,) = told(("web/eth0", 0, frame), ("veth1", 300, frame), ("br0", 300, frame), ("veth2", 900, frame)).ways
    assert path(way) == [
        ("web/eth0", None),
        ("veth1", Hand.SWITCHED),
        ("br0", Hand.SWITCHED),
        ("veth2", Hand.SWITCHED),
    ]
    assert [each.since and each.since.min for each in way.sightings] == [None, 300, 0, 600]
    assert (way.source, way.destination, way.packets, way.ended_early) == ("10.0.0.2", "10.0.0.3", 1, False)


def test_a_frame_comes_in_by_a_port_and_then_by_its_bridge() -> None:
    """Both have one stamp, and the bridge was met before."""
    frame, other = ip("10.0.0.3", "10.0.0.2") / SYN, ip("10.0.0.9", "10.0.0.8", id=8) / SYN
    met = ("br0", 1, other), ("br0", 500, frame), ("veth2", 500, frame), ("web/eth0", 800, frame)
    named = {each.source: path(each) for each in told(*met, bridges=("br0",)).ways}
    assert [name for name, _ in named["10.0.0.3"]] == ["veth2", "br0", "web/eth0"]


def test_a_smaller_ttl_is_routed_and_other_macs_alone_are_not() -> None:
    before = ip("10.0.0.2", "10.1.0.3", dst_mac=ROUTER, ttl=64) / SYN
    after = ip("10.0.0.2", "10.1.0.3", src_mac=ROUTER, ttl=63) / SYN
    (way,) = told(("in", 0, before), ("out", 5, after)).ways
    assert path(way)[1] == ("out", Hand.ROUTED)
    same_ttl = ip("10.0.0.2", "10.1.0.3", src_mac=ROUTER, ttl=64) / SYN
    (way,) = told(("in", 0, before), ("out", 5, same_ttl)).ways
    assert path(way)[1] == ("out", Hand.READDRESSED)


@pytest.mark.parametrize("layer", [SYN, UDP(sport=4000, dport=80) / b"a question"], ids=["tcp", "udp"])
@pytest.mark.parametrize("number", [7, 0], ids=["numbered", "unnumbered"])
def test_rewritten_addresses_are_known_by_the_rest(layer: object, number: int) -> None:
    before = ip("10.0.0.2", "192.0.2.1", id=number) / layer
    after = ip("198.51.100.1", "10.9.9.9", id=number, ttl=63) / layer
    after.getlayer(2).dport = 8080
    report = told(("in", 0, before), ("out", 5, after))
    (way,) = report.ways
    assert way.sightings[1].source == Endpoint("198.51.100.1")
    assert way.sightings[1].destination == Endpoint("10.9.9.9", 8080)


def test_two_senders_that_say_the_same_are_no_rewrite() -> None:
    """Both were at the first interface of their own."""
    one, other = (
        ip(each, "10.0.0.9", id=0) / UDP(sport=9, dport=8125) / b"up:1|c" for each in ("10.0.0.2", "10.0.0.3")
    )
    report = told(("a", 0, one), ("a", 1, other), ("b", 2, one), ("b", 3, other))
    assert {(each.source, each.packets, len(each.sightings)) for each in report.ways} == {
        ("10.0.0.2", 1, 2),
        ("10.0.0.3", 1, 2),
    }
    assert all(each.source is None for way in report.ways for each in way.sightings)


def test_where_one_ended_is_told_where_others_went_on() -> None:
    frames = [ip("10.0.0.2", "10.0.0.3", id=each) / TCP(sport=4000, dport=80, seq=each) for each in range(3)]
    seen = [(name, each * MS, frame) for each, frame in enumerate(frames) for name in ("a", "b", "c")]
    whole, early = told(*(each for each in seen if each[:2] != ("c", MS))).ways
    assert (whole.packets, len(whole.sightings), whole.ended_early) == (2, 3, False)
    assert (early.packets, [each.interface for each in early.sightings], early.ended_early) == (1, ["a", "b"], True)


def test_the_same_bytes_sent_again_are_another_packet() -> None:
    frame = ip("10.0.0.2", "10.0.0.3", id=0) / UDP(sport=9, dport=9) / b"tick"
    (way,) = told(*(each for at in range(3) for each in (("a", at * MS, frame), ("b", at * MS + 5, frame)))).ways
    assert (way.packets, [each.interface for each in way.sightings]) == (3, ["a", "b"])


def test_a_file_in_another_order_than_time_says_the_same() -> None:
    frame = ip("10.0.0.2", "10.0.0.3") / SYN
    (way,) = told(("b", 500, frame), ("a", 0, frame)).ways
    assert [each.interface for each in way.sightings] == ["a", "b"]


def test_a_time_that_is_equal_leaves_the_order_of_the_interfaces() -> None:
    frame = ip("10.0.0.2", "10.0.0.3") / SYN
    (way,) = told(("a", 0, frame / b"x"), ("b", 0, frame), ("c", 0, frame)).ways
    assert [each.interface for each in way.sightings] == ["b", "c"]


def test_packets_of_ip_version_6_are_known_again() -> None:
    def frame(limit: int, source: str) -> Ether:
        return Ether(src=A, dst=B) / IPv6(src=source, dst="fd00::3", hlim=limit) / SYN

    (way,) = told(("a", 0, frame(64, "fd00::2")), ("b", 7, frame(63, "fd99::1"))).ways
    assert path(way)[1] == ("b", Hand.ROUTED)
    assert way.sightings[1].source == Endpoint("fd99::1")
