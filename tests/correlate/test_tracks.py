"""Frames are sorted by what they carry, whatever else was rewritten, and in whatever order they come."""

import random

import pytest
from topologies import TOKEN, arp, echo, refusal, seen

from inspector.correlate.tracks import Kind, Tracks, sort_frames
from inspector.model.recording import Observation
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, IPv6  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

A, B, GATEWAY, OTHER = "172.17.0.2", "172.17.0.3", "172.17.0.1", "172.17.0.9"
FOREIGN = bytes(16)
ETHER = Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02")


def sort(*frames: bytes, token: bytes = TOKEN, addresses: tuple[str, ...] = (A, B)) -> Tracks:
    return sort_frames([seen(0, frame, at=number) for number, frame in enumerate(frames)], token, addresses)


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (echo(A, B, 1), (Kind.REQUEST, 1)),
        (echo(B, A, 2, reply=True), (Kind.REPLY, 2)),
        (refusal(GATEWAY, A, B, 3), (Kind.ERROR, 3)),
        (echo(OTHER, GATEWAY, 65535), (Kind.REQUEST, 65535)),
        (bytes(ETHER / IPv6() / ICMPv6EchoRequest(seq=4, data=payload(TOKEN, 4, 56))), (Kind.REQUEST, 4)),
        (bytes(ETHER / IPv6() / ICMPv6EchoReply(seq=5, data=payload(TOKEN, 5, 56))), (Kind.REPLY, 5)),
    ],
    ids=["request", "reply", "error", "rewritten", "request6", "reply6"],
)
def test_what_carries_the_token_is_ours(frame: bytes, key: tuple[Kind, int]) -> None:
    assert list(sort(frame).packets) == [key]


@pytest.mark.parametrize(
    "frame",
    [
        echo(A, B, token=FOREIGN),
        echo(B, A, reply=True, token=FOREIGN),
        refusal(GATEWAY, A, B, token=FOREIGN),
        bytes(ETHER / IP(src=A, dst=B) / UDP() / Raw(payload(TOKEN, 1, 56))),
        echo(A, B)[:20],
        b"",
    ],
    ids=["request", "reply", "error", "udp", "cut", "empty"],
)
def test_what_does_not_is_passed_over(frame: bytes) -> None:
    tracks = sort(frame)
    assert tracks.packets == {}
    assert tracks.resolving == []


def test_a_probe_shorter_than_the_token_is_known_by_what_fits() -> None:
    assert list(sort(echo(A, B), token=TOKEN[:4]).packets) == [(Kind.REQUEST, 1)]


def test_requests_replies_and_errors_of_one_probe_are_three_packets() -> None:
    tracks = sort(echo(A, B), echo(B, A, reply=True), refusal(GATEWAY, A, B), echo(A, B, 2))
    assert tracks.sequences(Kind.REQUEST) == [1, 2]
    assert tracks.sequences(Kind.REPLY) == [1]
    assert tracks.sequences(Kind.ERROR) == [1]
    assert [each.index for each in tracks.sightings(Kind.ERROR, 1)] == [2]
    assert tracks.sightings(Kind.REPLY, 9) == []


def test_arp_about_our_addresses_is_kept_and_other_arp_is_not() -> None:
    tracks = sort(arp(A, B), arp(B, A, reply=True, mac="02:42:00:00:00:02"), arp(OTHER, GATEWAY))
    assert [(each.asks, each.target, each.sender, each.sender_mac) for each in tracks.neighbour_talk()] == [
        (True, B, A, "02:42:00:00:00:01"),
        (False, B, B, "02:42:00:00:00:02"),
    ]


def test_nd_is_the_same_in_ipv6() -> None:
    asks = bytes(ETHER / IPv6(src="fd00::2", dst="ff02::1:ff00:3") / ICMPv6ND_NS(tgt="fd00::3"))
    tells = bytes(ETHER / IPv6(src="fd00::3", dst="fd00::2") / ICMPv6ND_NA(tgt="fd00::3"))
    talk = sort(asks, tells, addresses=("fd00::2", "fd00::3")).neighbour_talk()
    assert [(each.asks, each.target) for each in talk] == [(True, "fd00::3"), (False, "fd00::3")]


def test_who_announces_its_own_address_asks_nobody() -> None:
    (announced,) = sort(arp(B, B, mac="02:42:00:00:00:02")).neighbour_talk()
    assert (announced.asks, announced.target, announced.sender_mac) == (False, B, "02:42:00:00:00:02")


def test_who_tries_whether_an_address_is_free_asks_nobody() -> None:
    solicitation = bytes(ETHER / IPv6(src="::", dst="ff02::1:ff00:3") / ICMPv6ND_NS(tgt="fd00::3"))
    assert sort(arp("0.0.0.0", B), solicitation, addresses=(B, "fd00::3")).neighbour_talk() == []


def test_the_order_of_arrival_is_of_no_account() -> None:
    frames = [echo(A, B), echo(A, B), arp(A, B), arp(B, A, reply=True), echo(B, A, reply=True), refusal(GATEWAY, A, B)]
    known = [seen(number % 3, frame, at=number // 2) for number, frame in enumerate(frames)]

    def told(observations: list[Observation]) -> object:
        tracks = sort_frames(observations, TOKEN, (A, B))
        packets = {key: [each.observation for each in tracks.sightings(*key)] for key in tracks.packets}
        return packets, [each.observation for each in tracks.neighbour_talk()]

    before = told(known)
    for seed in range(20):
        shuffled = list(known)
        random.Random(seed).shuffle(shuffled)
        assert told(shuffled) == before


def test_one_stamp_is_told_in_the_plan_s_order_of_points() -> None:
    tracks = sort_frames([seen(2, echo(A, B)), seen(0, echo(A, B)), seen(1, echo(A, B))], TOKEN, ())
    assert [each.observation.point for each in tracks.sightings(Kind.REQUEST, 1)] == [0, 1, 2]


def test_an_announcement_answers_and_a_probe_for_a_conflict_asks_nobody() -> None:
    """RFC 5227: Engine 28 makes each new container announce its addresses; nobody answers that."""
    (announced,) = sort(arp(A, A), arp("0.0.0.0", B)).neighbour_talk()
    assert (announced.asks, announced.target) == (False, A)
