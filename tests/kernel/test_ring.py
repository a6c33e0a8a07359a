"""The ring hands out what the kernel wrote, and counts what it could not write."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab import Lab

from inspector import netns
from inspector.capture.ring import RawFrame, Ring, Shape
from inspector.capture.syscalls import bind_packet_socket

pytestmark = pytest.mark.kernel

TINY = Shape(block_size=4096, blocks=2, retire_ms=1)


@contextmanager
def ring_on(world: Lab, place: str, link: str, shape: Shape | None = None) -> Iterator[tuple[Ring, socket.socket]]:
    sock = netns.enter(world.fds[place], lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    ring = Ring(sock, shape)
    try:
        bind_packet_socket(sock, world.index(place, link), 3)
        yield ring, sock
    finally:
        ring.close()
        sock.close()


def udp(world: Lab, place: str, payloads: list[bytes], to: str = "127.0.0.1") -> None:
    with netns.enter(world.fds[place], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        for payload in payloads:
            sock.sendto(payload, (to, 9))


def read_all(ring: Ring, sock: socket.socket) -> list[RawFrame]:
    frames: list[RawFrame] = []
    limit = time.monotonic() + 2
    while time.monotonic() < limit:
        select.select([sock], [], [], 0.005)
        frames.extend(ring.read())
        if frames and ring.drained():
            break
    return frames


def test_frames_come_whole_in_order_and_stamped(world: Lab) -> None:
    with ring_on(world, "a", "lo") as (ring, sock):
        before = time.time_ns()
        udp(world, "a", [bytes([number]) * 100 for number in range(50)])
        frames = [frame for frame in read_all(ring, sock) if frame.data[23] == 17]
    out = [frame for frame in frames if frame.packet_type == 4]
    back = [frame for frame in frames if frame.packet_type == 0]
    assert [frame.data[42:] for frame in out] == [bytes([number]) * 100 for number in range(50)]
    assert [frame.data for frame in back] == [frame.data for frame in out]
    assert all(frame.wire_length == len(frame.data) == 142 for frame in out)
    assert all(before <= frame.at_ns <= time.time_ns() for frame in frames)
    assert any(frame.at_ns % 1000 for frame in frames)
    assert not any(frame.checksum_ready for frame in out)


def test_many_more_frames_than_blocks_are_read_without_loss(world: Lab) -> None:
    with ring_on(world, "a", "lo") as (ring, sock):
        seen = 0
        for _ in range(40):
            udp(world, "a", [bytes(100)] * 100)
            seen += sum(1 for frame in read_all(ring, sock) if frame.data[23] == 17)
        assert ring.count().dropped == 0
    assert seen == 40 * 200


def test_a_flooded_tiny_ring_tells_what_it_lost(world: Lab) -> None:
    with ring_on(world, "a", "lo", TINY) as (ring, sock):
        udp(world, "a", [bytes(1000)] * 200)
        frames = read_all(ring, sock)
        count = ring.count()
        assert ring.drained()
    assert count.dropped > 0
    assert count.received >= 400
    assert len(frames) == count.received - count.dropped


def test_counts_accumulate_over_looks(world: Lab) -> None:
    with ring_on(world, "a", "lo") as (ring, sock):
        udp(world, "a", [bytes(10)] * 5)
        read_all(ring, sock)
        first = ring.count().received
        udp(world, "a", [bytes(10)] * 5)
        assert not ring.drained()
        read_all(ring, sock)
        assert first >= 10
        assert ring.count().received >= first + 10


def test_a_frame_larger_than_a_block_keeps_its_wire_length(world: Lab) -> None:
    with ring_on(world, "a", "lo", TINY) as (ring, sock):
        udp(world, "a", [bytes(30000)])
        frame = read_all(ring, sock)[0]
    assert len(frame.data) < 4096
    assert frame.wire_length == 30042


def test_a_tag_that_the_kernel_took_out_is_told(world: Lab) -> None:
    frame = bytes.fromhex("ffffffffffff02000000000181000007") + b"\x88\xb5" + b"tagged" * 10
    sender = netns.enter(world.fds["a"], lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    with sender, ring_on(world, "s", "va") as (ring, sock):
        bind_packet_socket(sender, world.index("a", "eth0"), 0)
        sender.send(frame)
        tagged = [frame for frame in read_all(ring, sock) if frame.vlan]
    assert tagged[0].vlan is not None
    assert tagged[0].data[12:20] == b"\x88\xb5tagged"
    assert (tagged[0].vlan.tci & 0xFFF, tagged[0].vlan.tpid) == (7, 0x8100)
