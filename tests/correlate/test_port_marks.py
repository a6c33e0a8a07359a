"""The packets of TCP and UDP probes are known again after translation, and others are not taken for them."""

import pytest
from port_cases import (
    ISN,
    NEAR,
    PEER_ISN,
    PORT,
    SOURCE_PORT,
    WORLD,
    accepted,
    back,
    datagram,
    ends,
    framed,
    port_plan,
    port_recording,
    refused,
    rejected,
    reset,
    rst,
    syn,
    syn_ack,
    there,
    unreachable,
)
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw
from topologies import TOKEN, seen

from inspector.correlate.port_marks import port_marks
from inspector.correlate.tracks import Kind
from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.pipeline import review
from inspector.wire import headers
from inspector.wire.craft import payload

MINE, THEIRS = ends(NEAR)
DATAGRAMS = port_plan(WORLD, "web", "db", 53, protocol=Protocol.UDP)


def known(recording: Recording, frame: bytes) -> tuple[Kind, int] | None:
    read = headers.read(frame)
    assert read
    return port_marks(recording)(read)


CASES = [
    ((Kind.REQUEST, 1), "translated", framed("10.0.0.5", "172.17.0.9", syn(NEAR, sport=1025, dport=80))),
    ((Kind.REPLY, 1), "accepted", framed(THEIRS, MINE, syn_ack(NEAR))),
    ((Kind.REPLY, 1), "accepted, translated", framed("172.17.0.9", "10.0.0.5", syn_ack(NEAR, sport=80, dport=1025))),
    ((Kind.REPLY, 1), "refused", framed(THEIRS, MINE, rst(NEAR))),
    ((Kind.RESET, 1), "broken", framed(THEIRS, MINE, TCP(flags="R", seq=PEER_ISN + 1))),
    ((Kind.RESET, 1), "broken, acknowledging", framed(THEIRS, MINE, TCP(flags="RA", seq=PEER_ISN + 1, ack=0))),
    ((Kind.ERROR, 1), "error", framed("10.0.0.1", MINE, ICMP(type=3, code=1) / IP(src=MINE, dst=THEIRS) / syn(NEAR))),
    (None, "another number", framed(MINE, THEIRS, syn(NEAR, seq=ISN - 1))),
    (None, "another acknowledgement", framed(THEIRS, MINE, syn_ack(NEAR, ack=ISN))),
    (None, "our own RST", framed(MINE, THEIRS, TCP(flags="R", seq=0))),
    (None, "another protocol", framed(MINE, THEIRS, UDP(sport=SOURCE_PORT, dport=PORT))),
]


@pytest.mark.parametrize(("expected", "name", "frame"), CASES, ids=[each[1] for each in CASES])
def test_segments(expected: tuple[Kind, int] | None, name: str, frame: bytes) -> None:
    assert known(accepted(WORLD, NEAR), frame) == expected, name


def test_a_foreign_connection_from_our_port_is_not_ours() -> None:
    """Another container may use the same port; the source's own interface tells which number is ours."""
    other = seen(2, framed("172.17.0.9", THEIRS, syn(NEAR, seq=5)), at=-9_000)
    recording = port_recording(WORLD, NEAR, (other,), there(NEAR, syn(NEAR)))
    assert known(recording, framed("172.17.0.9", THEIRS, syn(NEAR, seq=5))) is None
    assert known(recording, framed(MINE, THEIRS, syn(NEAR))) == (Kind.REQUEST, 1)


def udp(source: tuple[str, int], destination: tuple[str, int], data: bytes) -> bytes:
    return framed(source[0], destination[0], UDP(sport=source[1], dport=destination[1]) / Raw(data))


DATA, ME, SERVICE = payload(TOKEN, 1, 56), (MINE, SOURCE_PORT), (THEIRS, 53)
UDP_CASES = [
    ((Kind.REQUEST, 1), "sent", udp(ME, SERVICE, DATA)),
    ((Kind.REQUEST, 1), "translated", udp(("10.0.0.5", SOURCE_PORT), ("172.17.0.9", 5353), DATA)),
    ((Kind.REPLY, 1), "answered", udp(SERVICE, ME, b"anything")),
    ((Kind.REPLY, 1), "echoed", udp(SERVICE, ME, DATA)),
    ((Kind.ERROR, 1), "error", framed(THEIRS, MINE, unreachable(DATAGRAMS, datagram(DATAGRAMS)))),
    (None, "another token", udp(ME, SERVICE, payload(bytes(16), 1, 56))),
    (None, "another probe's number", udp(ME, SERVICE, payload(TOKEN, 2, 56))),
    (None, "another port", udp((MINE, 5), SERVICE, DATA)),
    (None, "an answer of somebody else", udp(("172.17.0.9", 53), ME, b"anything")),
]


@pytest.mark.parametrize(("expected", "name", "frame"), UDP_CASES, ids=[each[1] for each in UDP_CASES])
def test_datagrams(expected: tuple[Kind, int] | None, name: str, frame: bytes) -> None:
    recording = port_recording(WORLD, DATAGRAMS, there(DATAGRAMS, datagram(DATAGRAMS)))
    assert known(recording, frame) == expected, name


def test_a_syn_sent_again_is_the_same_packet() -> None:
    again = tuple(
        type(each)(**{**{name: getattr(each, name) for name in each.__slots__}, "at_ns": each.at_ns + 10**9})
        for each in there(NEAR, syn(NEAR))
    )
    report = review(port_recording(WORLD, NEAR, there(NEAR, syn(NEAR)), again))
    (path,) = report.paths
    assert len(path.hops) == len(NEAR.request)
    assert any("sent it again" in fact.text for fact in report.story)


def test_hops_name_ports_and_paths_the_segment() -> None:
    request, reply = review(accepted(WORLD, NEAR)).paths
    assert (request.segment, reply.segment) == ("SYN", "SYN-ACK")
    assert (request.seen[0].source, request.seen[0].destination) == ("172.17.0.2:40001", "172.17.0.3:8080")
    assert [each.segment for each in review(refused(WORLD, NEAR)).paths] == ["SYN", "RST"]
    assert [each.segment for each in review(reset(WORLD, NEAR)).paths] == ["SYN", "SYN-ACK", "RST"]


def test_the_error_about_a_datagram_is_followed_back() -> None:
    said = back(DATAGRAMS, unreachable(DATAGRAMS, datagram(DATAGRAMS)))
    report = review(port_recording(WORLD, DATAGRAMS, there(DATAGRAMS, datagram(DATAGRAMS)), said))
    assert [each.segment for each in report.paths] == ["UDP", "Destination Port Unreachable"]


def test_a_refusal_made_on_the_way_did_not_pass_what_lies_beyond() -> None:
    (_, back_path) = review(rejected(WORLD, port_plan(WORLD, "web", "api"))).paths
    assert [str(hop.point) for hop in back_path.hops] == ["host/docker0", "host/veth-web", "web/eth0"]
