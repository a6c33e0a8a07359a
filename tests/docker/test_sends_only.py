"""A command sends what it says and nothing more: every frame in every stack of an engine is accounted for.

The tests' own sockets see all interfaces (`all_frames`). Nothing else talks there: the containers sleep, and the name
server answers only. What stacks say of their own accord about an interface that came up is told apart by what it is.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from all_frames import Crossed, all_frames, of_the_stack_itself
from commands import docker
from services import serving
from upstream_answers import Behaviour
from upstream_place import Upstream

from inspector import netns
from inspector.discover.engine import Engine
from inspector.discover.survey import host_namespace
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.dns import DNS  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, IPv6  # noqa: E402
from scapy.layers.l2 import ARP  # noqa: E402

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Any]
Kind = Callable[[Any], bool]
SIX = ("dn-six-a", "dn-six-b")
NAME = "known.example"
ADDRESSES = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{.Gateway}} {{end}}"
LEARNT = "what the stacks on the way learnt from it (neighbours, FDB, conntrack) is theirs, and ages out"


@pytest.fixture
def crossed(engine: Engine) -> Iterator[Callable[[], list[Crossed]]]:
    """Hand out what crossed any interface of the engine's host and of all its containers.

    What the stacks know of their neighbours is forgotten before: they ask again, some seconds later, whether it still
    holds, and that would be ours.
    """
    with ExitStack() as stack:
        stacks = {"host": stack.enter_context(host_namespace(engine)).fd}
        for name in docker("ps", "--format", "{{.Names}}").split():
            pid = int(docker("inspect", "-f", "{{.State.Pid}}", name))
            stacks[name] = stack.enter_context(netns.open_of(pid)).fd
        for each in stacks.values():
            subprocess.run(
                ["nsenter", f"--net=/proc/{os.getpid()}/fd/{each}", "ip", "neigh", "flush", "all"],
                check=True,
                capture_output=True,
            )
        yield stack.enter_context(all_frames(stacks))


def addresses(*names: str) -> set[str]:
    return {each for name in names for each in docker("inspect", "-f", ADDRESSES, name).split()}


def kinds(frames: list[Crossed], **known: Kind) -> dict[str, int]:
    """Count the frames by kind; one that is of no kind fails."""
    counts = dict.fromkeys(known, 0)
    for each in frames:
        if of_the_stack_itself(each.frame):
            continue
        kind = next((name for name, fits in known.items() if fits(each.frame)), None)
        assert kind, f"nobody accounts for {each}\n" + "\n".join(map(str, frames))
        counts[kind] += 1
    return counts


def arp(*names: str) -> Kind:
    known = addresses(*names)
    return lambda frame: ARP in frame and {frame[ARP].psrc, frame[ARP].pdst} <= known


def between(layer: Any, a: str, b: str, **fields: Any) -> Kind:
    ends = addresses(a), addresses(b)
    network = IPv6 if layer in {ICMPv6EchoRequest, ICMPv6EchoReply} else IP

    def fits(frame: Any) -> bool:
        if layer not in frame or network not in frame:
            return False
        one, other = frame[network].src, frame[network].dst
        there = one in ends[0] and other in ends[1]
        back = one in ends[1] and other in ends[0]
        return (there or back) and all(getattr(frame[layer], key) == value for key, value in fields.items())

    return fits


def out_of(frames: list[Crossed], stack: str, fits: Kind) -> int:
    return sum(each.outgoing and each.stack == stack and fits(each.frame) for each in frames)


def traced(run: Run, *words: str) -> dict[str, Any]:
    ran = run("trace", *words, "--format", "json")
    assert ran.out, ran.err
    report: dict[str, Any] = ran.json
    assert LEARNT in report["side_effects"]
    return report


@pytest.mark.parametrize("more", [(), ("--passive",)])
def test_echoes_and_what_they_need(run: Run, crossed: Callable[[], list[Crossed]], more: tuple[str, ...]) -> None:
    report = traced(run, "tomcat01", "tomcat02", "--no-lookup", *more)
    frames = crossed()
    request, reply = (between(ICMP, "tomcat01", "tomcat02", type=kind) for kind in (8, 0))
    kinds(frames, request=request, reply=reply, arp=arp("tomcat01", "tomcat02"))
    assert out_of(frames, "tomcat01", request) == report["statistics"]["sent"] == 3
    assert out_of(frames, "tomcat02", reply) == report["statistics"]["received"] == 3


@pytest.mark.parametrize("served", [True, False])
def test_connections_are_opened_and_closed_and_nothing_is_said_over_them(
    run: Run, crossed: Callable[[], list[Crossed]], *, served: bool
) -> None:
    with ExitStack() as stack:
        if served:
            stack.enter_context(serving("tomcat02", 9_100))
        report = traced(run, "tomcat01", "tomcat02:9100", "--no-lookup", "-c", "2")
        frames = crossed()
    segment = between(TCP, "tomcat01", "tomcat02")
    kinds(frames, segment=segment, arp=arp("tomcat01", "tomcat02"))
    ports = [each.frame[TCP] for each in frames if TCP in each.frame]
    assert all(9_100 in {each.sport, each.dport} and not bytes(each.payload).strip(b"\0") for each in ports)
    assert out_of(frames, "tomcat01", lambda frame: segment(frame) and frame[TCP].flags == "S") == 2
    assert report["statistics"]["sent"] == 2


def test_datagrams_and_their_refusals(run: Run, crossed: Callable[[], list[Crossed]]) -> None:
    report = traced(run, "tomcat01", "tomcat02:9101/udp", "--no-lookup", "-c", "2")
    frames = crossed()
    refusal = between(ICMP, "tomcat01", "tomcat02", type=3, code=3)
    datagram = between(UDP, "tomcat01", "tomcat02", dport=9_101)
    kinds(frames, refusal=refusal, datagram=datagram, arp=arp("tomcat01", "tomcat02"))
    assert out_of(frames, "tomcat01", datagram) == report["statistics"]["sent"] == 2


def test_a_name_is_asked_as_often_as_is_said(
    run: Run, crossed: Callable[[], list[Crossed]], upstream: Upstream
) -> None:
    # Not tomcat01: who was on a network of names once keeps its embedded DNS (Engine 28), and is asked through it.
    upstream.serve({NAME: Behaviour(records=(("A", "203.0.113.7"),))})
    ran = run("resolve", "tomcat02", NAME, "--format", "json")
    assert LEARNT in ran.json["side_effects"]
    frames = crossed()

    def query(frame: Any) -> bool:
        return DNS in frame and frame[IP].dst == upstream.address and not frame[DNS].qr

    def answer(frame: Any) -> bool:
        return DNS in frame and frame[IP].src == upstream.address and bool(frame[DNS].qr)

    def near(frame: Any) -> bool:
        return ARP in frame and bool({frame[ARP].psrc, frame[ARP].pdst} & {upstream.address, *addresses("tomcat02")})

    kinds(frames, query=query, answer=answer, arp=near)
    said = ran.json["resolution"]["queries"]
    assert out_of(frames, "tomcat02", query) == len(said) > 0
    assert len(upstream.queries()) == len(said)


def test_nothing_is_sent_where_nothing_is_to_be_sent(
    run: Run, crossed: Callable[[], list[Crossed]], tmp_path: Path
) -> None:
    file = str(tmp_path / "all.pcapng")
    for words in (
        ("ls",),
        ("doctor",),
        ("lab", "status"),
        ("capture", "host", "mynet", "-w", file, "--duration", "0.1"),
    ):
        assert run(*words).status == 0
        assert kinds(crossed()) == {}, words


def test_ipv6_asks_for_neighbours_and_no_more(
    run: Run, extra: Callable[..., str], network: Callable[..., str], request: pytest.FixtureRequest
) -> None:
    network("dn-six-net", "--ipv6", "--subnet", "fd00:d0c:7::/64")
    for name in SIX:
        extra(name, "--network", "dn-six-net")
    crossed = request.getfixturevalue("crossed")
    report = traced(run, *SIX, "-6", "-W", "3", "--no-lookup")
    frames = crossed()
    echo, answer = (between(each, *SIX) for each in (ICMPv6EchoRequest, ICMPv6EchoReply))
    known = addresses(*SIX)

    def neighbours(frame: Any) -> bool:
        layer = next((each for each in (ICMPv6ND_NS, ICMPv6ND_NA) if each in frame), None)
        return layer is not None and (frame[layer].tgt in known or frame[layer].tgt.startswith("fe80:"))

    kinds(frames, request=echo, reply=answer, neighbours=neighbours)
    assert out_of(frames, SIX[0], echo) == report["statistics"]["sent"] == 3
    assert out_of(frames, SIX[1], answer) == report["statistics"]["received"] == 3
