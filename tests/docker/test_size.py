"""Packets that are too big: where they stopped, who said so, what mends it; and those that pass in fragments."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from commands import docker
from outside import FAR, ROUTER, Outside, in_host, mend, outside
from session_tag import undone

from inspector.discover.engine import Engine
from inspector.discover.survey import host_namespace

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
BIG = ("--df", "--size", "1472")
LEFT, RIGHT = "dn-size-left", "dn-size-right"


@pytest.fixture
def host(engine: Engine) -> Iterator[int]:
    """Return a descriptor of the network namespace of the engine's host."""
    with host_namespace(engine) as namespace:
        yield namespace.fd


@pytest.fixture
def beyond(host: int) -> Iterator[Outside]:
    with outside(host) as world:
        yield world


@pytest.fixture
def pair(extra: Callable[..., str]) -> None:
    for name in (LEFT, RIGHT):
        extra(name)


def pid(name: str) -> str:
    return docker("inspect", "-f", "{{.State.Pid}}", name)


def port(host: int, name: str) -> str:
    """Return the host's end of the container's veth pair."""
    (near,) = json.loads(in_host(host, f"nsenter -t {pid(name)} -n ip -j link show eth0"))
    links = json.loads(in_host(host, "ip -j link"))
    return str(next(each["ifname"] for each in links if each["ifindex"] == near["link_index"]))


def traced(run: Run, *words: str) -> tuple[int, Any]:
    ran = run("trace", *words, "--no-lookup", "-c", "2", "-W", "0.3", "--format", "json")
    return ran.status, ran.json


def finding(report: Any) -> Any:
    assert [each["id"] for each in report["findings"]] == ["mtu-too-big"], report["findings"]
    return report["findings"][0]


def is_mended(run: Run, host: int, told: Any, *words: str) -> None:
    """Do as the finding says; then the same trace succeeds, and so did each command of ours that it names."""
    assert [each.status for each in mend(host, told["remedy"]) if each.status] == []
    status, report = traced(run, *words)
    assert (status, report["verdict"]["outcome"], report["findings"]) == (0, "delivered", [])


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(("source", "destination", "last"), [(RIGHT, LEFT, "host/docker0"), (LEFT, RIGHT, None)])
def test_a_bridge_port_that_carries_less(run: Run, host: int, source: str, destination: str, last: str | None) -> None:
    narrow = port(host, LEFT)
    in_host(host, f"ip link set {narrow} mtu 1400")
    status, report = traced(run, source, destination, *BIG)
    assert status == 1
    assert report["verdict"]["last_seen"] == (last or f"{LEFT}/eth0")
    told = finding(report)
    assert told["title"] == f"host/{narrow} carries 1400 bytes, the packet has 1500, and nobody says so"
    is_mended(run, host, told, source, destination, *BIG)


@pytest.mark.usefixtures("pair")
def test_a_container_s_end_that_carries_less(run: Run, host: int) -> None:
    in_host(host, f"nsenter -t {pid(LEFT)} -n ip link set eth0 mtu 1400")
    status, report = traced(run, RIGHT, LEFT, *BIG)
    # The kernel may give its reason, and may not: the frame is dropped before any tap of the far end sees it.
    assert (status, report["verdict"]["reason"]) in {(1, None), (1, "PKT_TOO_BIG")}
    assert report["verdict"]["last_seen"] == f"host/{port(host, LEFT)}"
    assert finding(report)["title"].startswith(f"{LEFT}/eth0 carries 1400 bytes")
    status, report = traced(run, LEFT, RIGHT, *BIG)
    assert (status, report["verdict"]["outcome"], report["statistics"]["sent"]) == (1, "dropped", 0)
    told = finding(report)
    assert "the stack says that the way carries 1400 bytes" in told["evidence"][0]
    is_mended(run, host, told, LEFT, RIGHT, *BIG)


@pytest.mark.usefixtures("pair")
def test_fragments_are_one_packet(run: Run) -> None:
    status, report = traced(run, LEFT, RIGHT, "--size", "3000")
    assert (status, report["findings"]) == (0, [])
    for path in report["paths"]:
        pieces = [hop["fragments"] for hop in path["hops"]]
        # Where netfilter looks at ports the bridge itself has it in one piece.
        assert (pieces[0], pieces[-1]) == (3, 3)
        assert set(pieces) <= {1, 3}
        assert all(hop["whole"] for hop in path["hops"])


@pytest.mark.usefixtures("pair")
def test_a_datagram_in_fragments_is_one_packet(run: Run) -> None:
    """Nobody listens: its way there is whole all the same, and the refusal comes back."""
    _, report = traced(run, LEFT, f"{RIGHT}:9/udp", "--size", "3000")
    assert report["verdict"]["outcome"] == "rejected", report["verdict"]
    requests = [each for each in report["paths"] if each["direction"] == "request"]
    assert len(requests) == 2
    for path in requests:
        pieces = [hop["fragments"] for hop in path["hops"]]
        assert (pieces[0], pieces[-1]) == (3, 3)
        assert set(pieces) <= {1, 3}
        assert all(hop["whole"] for hop in path["hops"])


@pytest.mark.usefixtures("pair")
def test_the_host_s_own_uplink_says_so(run: Run, host: int, beyond: Outside) -> None:
    in_host(host, f"ip link set {beyond.link} mtu 1400")
    status, report = traced(run, LEFT, FAR, *BIG)
    assert (status, report["verdict"]["outcome"]) == (1, "rejected")
    told = finding(report)
    assert (told["severity"], told["confidence"]) == ("warning", "certain")
    assert told["title"].startswith(f"host/{beyond.link} carries 1400 bytes, the packet has 1500: ")
    is_mended(run, host, told, LEFT, FAR, *BIG)


@pytest.mark.usefixtures("pair")
def test_a_router_out_there_says_so_and_the_source_remembers(run: Run, host: int, beyond: Outside) -> None:
    beyond.carries(1400)
    status, report = traced(run, LEFT, FAR, *BIG)
    assert (status, report["verdict"]["outcome"]) == (1, "rejected")
    assert finding(report)["title"].startswith(f"a link behind {ROUTER} carries 1400 bytes")
    status, report = traced(run, LEFT, FAR, *BIG)
    told = finding(report)
    assert "was told earlier" in told["title"]
    beyond.carries(1500)
    is_mended(run, host, told, LEFT, FAR, *BIG)


@pytest.mark.usefixtures("pair")
def test_one_that_is_kept_from_the_source(run: Run, host: int, beyond: Outside) -> None:
    """The black hole: the error comes to the host, and a rule there drops it."""
    beyond.carries(1400)
    rule = "FORWARD -p icmp --icmp-type fragmentation-needed -j DROP"
    undo = f"iptables -D {rule}"
    with ExitStack() as after:
        after.enter_context(undone(undo))
        in_host(host, f"iptables -I {rule}")
        after.callback(in_host, host, undo)
        status, report = traced(run, LEFT, FAR, "--size", "1472")
        assert (status, report["verdict"]["outcome"]) == (1, "unanswered")
        told = finding(report)
        assert told["severity"] == "error"
        assert told["title"].endswith(f"{ROUTER} says so, and {LEFT} never heard it")
        assert f"first seen at host/{beyond.link}" in told["evidence"][0]
        assert told["evidence"][1] == (
            "the kernel's trace of that error ends there: ip filter FORWARD on host, "
            "rule 1: -p icmp -m icmp --icmp-type 3/4 -j DROP"
        )
        assert told["remedy"][0] == f"iptables -I {rule.replace('FORWARD', 'FORWARD 1').replace('DROP', 'ACCEPT')}"
        mended = f"iptables -D {rule.replace('DROP', 'ACCEPT')}"
        with undone(mended):
            is_mended(run, host, told, LEFT, FAR, "--size", "1472")
            in_host(host, mended)


@pytest.mark.usefixtures("pair")
def test_a_router_that_says_nothing_leaves_it_open(run: Run, beyond: Outside) -> None:
    beyond.carries(1400)
    rule = "OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"
    subprocess.run(["ip", "netns", "exec", beyond.router, "iptables", "-I", *rule.split()], check=True)
    status, report = traced(run, LEFT, FAR, *BIG)
    assert (status, report["verdict"]["outcome"]) == (1, "unanswered")
    told = finding(report)
    assert (told["severity"], told["confidence"]) == ("note", "possible")
    (line,) = told["remedy"]
    assert run(*line.partition("#")[0].split()[1:]).status == 0
