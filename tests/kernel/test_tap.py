"""A tap is a socket that scapy can sniff on, and that tells more than scapy does."""

import os
import select
import signal
import socket
import subprocess
import time
from contextlib import closing

import pytest
from lab import Lab

from inspector import netns
from inspector.capture.ring import RawFrame, Shape
from inspector.capture.tap import Tap, UnsuitableLinkError, packet_socket
from inspector.plan.bpf import pack
from inspector.plan.filters import program

pytestmark = pytest.mark.kernel

A, B = "10.99.0.2", "10.99.0.3"
ECHO = pack(program(family=4, addresses=(A, B), neighbours=(A, B), identifier=0x4321))


def tap(world: Lab, place: str, link: str, *, promiscuous: bool = False, shape: Shape | None = None) -> Tap:
    sock = netns.enter(world.fds[place], packet_socket)
    return Tap(sock, world.index(place, link), program=ECHO, promiscuous=promiscuous, shape=shape)


def ping(world: Lab, count: int = 1, identifier: int = 0x4321) -> None:
    from scapy.layers.inet import ICMP

    opened = netns.enter(world.fds["a"], lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    with opened as sock:
        for sequence in range(1, count + 1):
            sock.sendto(bytes(ICMP(id=identifier, seq=sequence) / b"payload"), (B, 0))
            select.select([sock], [], [], 1)
            sock.recv(4096)


def echoes(one: Tap) -> list[RawFrame]:
    frames: list[RawFrame] = []
    limit = time.monotonic() + 2
    while time.monotonic() < limit:
        select.select([one], [], [], 0.005)
        frames.extend(one.read())
        if frames and one.drained():
            break
    return [frame for frame in frames if frame.data[12:14] == b"\x08\x00"]


def test_every_tap_sees_the_request_and_the_reply(world: Lab) -> None:
    ping(world)
    with tap(world, "a", "eth0") as near, tap(world, "s", "va") as port, tap(world, "b", "eth0") as far:
        ping(world)
        assert [frame.packet_type for frame in echoes(near)] == [4, 0]
        assert [frame.packet_type for frame in echoes(port)] == [3, 4]
        assert [frame.packet_type for frame in echoes(far)] == [0, 4]


def test_a_port_and_its_promiscuous_bridge_share_one_stamp(world: Lab) -> None:
    ping(world)
    with (
        tap(world, "a", "eth0") as near,
        tap(world, "s", "va") as port,
        tap(world, "s", "br0", promiscuous=True) as bridge,
        tap(world, "b", "eth0") as far,
    ):
        ping(world)
        sent, entered, switched, arrived = (echoes(each)[0] for each in (near, port, bridge, far))
    assert entered.at_ns == switched.at_ns
    assert sent.at_ns < entered.at_ns < arrived.at_ns
    assert any(frame.at_ns % 1000 for frame in (sent, entered, arrived))


def test_promiscuity_ends_with_the_tap(world: Lab) -> None:
    before = world.promiscuity("s", "br0")
    with tap(world, "s", "br0", promiscuous=True) as bridge:
        assert world.promiscuity("s", "br0") == before + 1
        assert bridge.promiscuous
    assert world.promiscuity("s", "br0") == before
    with tap(world, "s", "br0"):
        assert world.promiscuity("s", "br0") == before


def test_promiscuity_ends_with_a_killed_process(world: Lab) -> None:
    before = world.promiscuity("s", "br0")
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        held = tap(world, "s", "br0", promiscuous=True)
        os.write(told, b"x" if not held.closed else b"-")
        signal.pause()
    try:
        assert os.read(ready, 1) == b"x"
        assert world.promiscuity("s", "br0") == before + 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(told)
    assert world.promiscuity("s", "br0") == before


def test_a_flood_beside_the_trace_does_not_enter(world: Lab) -> None:
    ping(world)
    with tap(world, "a", "eth0") as near:
        with netns.enter(world.fds["a"], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            for _ in range(5000):
                sock.sendto(bytes(500), (B, 9999))
        ping(world, identifier=0x1111)
        ping(world)
        frames = echoes(near)
        count = near.count()
    probes = [frame for frame in frames if frame.data[34] in {0, 8}]
    assert [frame.data[34] for frame in probes] == [8, 0]
    assert count.dropped == 0
    assert count.received < 50


def test_scapy_sniffs_on_it(world: Lab) -> None:
    from scapy.layers.inet import ICMP
    from scapy.layers.l2 import Ether
    from scapy.sendrecv import sniff

    with tap(world, "s", "va") as port:
        ping(world, count=3)
        packets = sniff(opened_socket=port, count=6, timeout=2, lfilter=lambda each: ICMP in each)
    assert [each[ICMP].seq for each in packets] == [1, 1, 2, 2, 3, 3]
    assert all(isinstance(each, Ether) for each in packets)
    assert abs(float(packets[0].time) - time.time()) < 10


def test_scapy_sniffs_on_it_in_its_own_thread_and_with_a_session(world: Lab) -> None:
    from scapy.layers.inet import ICMP
    from scapy.sendrecv import AsyncSniffer
    from scapy.sessions import IPSession

    with tap(world, "s", "va") as port:
        sniffer = AsyncSniffer(
            opened_socket=port, count=4, session=IPSession, store=True, lfilter=lambda each: ICMP in each
        )
        sniffer.start()
        ping(world, count=2)
        sniffer.join(timeout=3)
        assert sniffer.results is not None
        assert [each[ICMP].type for each in sniffer.results] == [8, 0, 8, 0]


def test_scapy_labels_taps_of_several_namespaces(world: Lab) -> None:
    from scapy.layers.inet import ICMP
    from scapy.sendrecv import sniff

    with tap(world, "a", "eth0") as near, tap(world, "b", "eth0") as far:
        ping(world)
        packets = sniff(
            opened_socket={near: "a/eth0", far: "b/eth0"}, count=4, timeout=2, lfilter=lambda each: ICMP in each
        )
    assert sorted(each.sniffed_on for each in packets) == ["a/eth0", "a/eth0", "b/eth0", "b/eth0"]


def test_a_link_that_goes_down_ends_the_tap(world: Lab) -> None:
    world.ip("s", "link add pa type veth peer name pb")
    world.ip("s", "link set pa up")
    world.ip("s", "link set pb up")
    with tap(world, "s", "pa") as doomed:
        assert list(doomed.read()) == []
        assert doomed.ended is None
        world.ip("s", "link del pa")
        assert select.select([doomed], [], [], 1)[0]
        list(doomed.read())
        assert doomed.ended == "Network is down"
        with pytest.raises(EOFError):
            doomed.recv()


def test_an_interface_that_is_not_there_is_an_error(world: Lab) -> None:
    sock = netns.enter(world.fds["a"], packet_socket)
    with pytest.raises(OSError, match="No such device"):
        Tap(sock, 9999)
    assert sock.fileno() == -1


def test_a_link_without_ethernet_frames_is_refused(world: Lab) -> None:
    world.ip("a", "tuntap add dev tn0 mode tun")
    try:
        with pytest.raises(UnsuitableLinkError, match="tn0"):
            tap(world, "a", "tn0")
    finally:
        world.ip("a", "link del tn0")


def test_a_link_that_is_called_anything_is_named_harmlessly(world: Lab) -> None:
    """As a container may call its own."""
    world.ip("a", "tuntap add dev tn0 mode tun")
    world.ip("a", "link add dn0 type veth peer name dn1")
    refused, taken = world.index("a", "tn0"), world.index("a", "dn0")
    for number, name in ((refused, b"t\x1b[2J"), (taken, b"\xff\xfe\x07")):
        command = [b"ip", b"netns", b"exec", world.names["a"].encode(), b"ip", b"link", b"set"]
        old = b"tn0" if number == refused else b"dn0"
        subprocess.run([*command, old, b"name", name], check=True)
    with pytest.raises(UnsuitableLinkError, match=r"^t\\x1b\[2J has no Ethernet frames"):
        Tap(netns.enter(world.fds["a"], packet_socket), refused)
    with closing(Tap(netns.enter(world.fds["a"], packet_socket), taken)) as found:
        assert found.iface == "\\xff\\xfe\\x07"
    for name in (b"t\x1b[2J", b"\xff\xfe\x07"):
        subprocess.run([*command[:-1], b"del", name], check=True)


def test_a_closed_tap_is_quiet(world: Lab) -> None:
    with closing(tap(world, "a", "eth0")) as one:
        one.close()
        assert list(one.read()) == []
        assert one.drained()
