"""An overlay network between two nodes, followed through the engine's hidden namespace and into the tunnel."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from swarm import HERE, THERE, UPLINK, Swarm, swarm

pytestmark = pytest.mark.docker

Trace = Callable[..., Any]
OUT, IN = "iptables -I OUTPUT -p udp --dport 4789 -j DROP", "iptables -I INPUT -p udp --dport 4789 -j DROP"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Swarm]:
    with swarm() as made:
        yield made
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    for engine in (made.manager, made.worker):
        assert not engine.folder.exists()
        assert not Path("/run/netns", engine.name).exists()
        assert str(engine.folder) not in processes


@pytest.fixture
def trace(nodes: Swarm, run: Any) -> Trace:
    """Trace on the manager's node, or on the worker's."""

    def asked(source: str, target: str, *options: str) -> Any:
        engine = nodes.worker if source.startswith("m") else nodes.manager
        words = ("--host", engine.url, "trace", source, target, "-c", "1", "-W", "0.5", "--format", "json", *options)
        return run(*words).json

    return asked


def hops(report: Any, direction: str = "request") -> list[str]:
    path = next(each for each in report["paths"] if each["direction"] == direction)
    return [
        f"{each['sandbox']} {each['interface'].rstrip('0123456789')} {each['heading']}"
        for each in path["hops"]
        if each["seen"]
    ]


def findings(report: Any) -> dict[str, Any]:
    return {each["id"]: each for each in report["findings"]}


def test_on_one_node_it_is_switched_in_the_hidden_namespace(trace: Trace) -> None:
    report = trace("n1", "n2")
    assert report["verdict"]["outcome"] == "delivered"
    inside = [f"overlay over {each}" for each in ("veth in", "br in", "veth out")]
    assert hops(report) == ["n1 eth out", *inside, "n2 eth in"]
    assert hops(report, "reply") == ["n2 eth out", *inside, "n1 eth in"]
    assert not report["blind_spots"]
    assert not report["disagreements"]


@pytest.mark.parametrize(("source", "target", "there", "here"), [("n1", "m1", THERE, HERE), ("m1", "n2", HERE, THERE)])
def test_to_the_other_node_it_leaves_as_vxlan(trace: Trace, source: str, target: str, there: str, here: str) -> None:
    report = trace(source, target)
    assert report["verdict"]["outcome"] == "delivered"
    assert report["resolution"]["mechanism"] == "embedded-dns"
    inside = [f"overlay over {each}" for each in ("veth in", "br in", "vxlan out")]
    assert hops(report) == [f"{source} eth out", *inside, "host up out"]
    back = [f"overlay over {each}" for each in ("vxlan in", "br in", "veth out")]
    assert hops(report, "reply") == ["host up in", *back, f"{source} eth in"]
    carriers = [hop["carrier"] for path in report["paths"] for hop in path["hops"] if hop["sandbox"] == "host"]
    assert [each.split(" to ")[1] for each in carriers] == [there, here]
    assert not report["blind_spots"]
    assert not report["disagreements"]


def test_a_port_of_the_other_node_s_container(trace: Trace, nodes: Swarm) -> None:
    report = trace("n1", f"{nodes.address('m1')}:81")
    assert report["verdict"]["outcome"] == "rejected"
    assert hops(report)[-1] == "host up out"
    assert hops(report, "reply")[0] == "host up in"
    datagram = trace("n1", f"{nodes.address('m1')}:81/udp")
    assert hops(datagram)[-1] == "host up out"


def test_a_packet_in_fragments_is_seen_in_fragments(trace: Trace, nodes: Swarm) -> None:
    report = trace("n1", nodes.address("m1"), "--size", "3000")
    assert report["verdict"]["outcome"] == "delivered"
    request = next(each for each in report["paths"] if each["direction"] == "request")
    assert {hop["fragments"] for hop in request["hops"]} == {3}


def test_the_other_node_lets_nothing_in(trace: Trace, nodes: Swarm) -> None:
    nodes.worker.type(IN)
    try:
        report = trace("n1", nodes.address("m1"))
    finally:
        nodes.worker.type(IN.replace("-I", "-D"))
    assert report["verdict"]["outcome"] == "unanswered"
    assert report["verdict"]["last_seen"] == f"host/{UPLINK}"
    finding = findings(report)["overlay-peer-silent"]
    assert finding["remedy"][0].startswith(f"on {THERE}: let UDP 4789 in from {HERE}")


@pytest.mark.parametrize(("fault", "last"), [(OUT, "overlay over/vxlan0"), (IN, f"host/{UPLINK}")], ids=["out", "in"])
def test_a_rule_of_this_node_is_named_and_taken_out(trace: Trace, nodes: Swarm, fault: str, last: str) -> None:
    nodes.manager.type(fault)
    taken_out = False
    try:
        report = trace("n1", nodes.address("m1"))
        finding = findings(report)["overlay-port-blocked"]
        for line in finding["remedy"]:
            nodes.manager.type(line)
            taken_out = True
    finally:
        if not taken_out:
            nodes.manager.type(fault.replace("-I", "-D"))
    assert report["verdict"]["outcome"] == "dropped"
    assert report["verdict"]["last_seen"] == last
    assert report["verdict"]["rule"]["chain"] == fault.split()[2]
    assert finding["confidence"] == "certain"
    assert "firewall-drop" not in findings(report)
    assert trace("n1", nodes.address("m1"))["verdict"]["outcome"] == "delivered"


def test_the_network_beneath_is_too_narrow(trace: Trace, nodes: Swarm) -> None:
    big = ("--df", "--size", "1400")
    target = nodes.address("m1")
    nodes.manager.ip(f"link set {UPLINK} mtu 1400")
    try:
        report = trace("n1", target, *big)
        finding = findings(report)["overlay-mtu"]
        for line in finding["remedy"][:2]:
            nodes.manager.type(line)
        assert trace("n1", target, *big)["verdict"]["outcome"] == "delivered"
    finally:
        nodes.manager.ip(f"link set {UPLINK} mtu 1500")
    assert report["verdict"]["outcome"] == "rejected"
    assert "mtu-too-big" not in findings(report)
    assert f"host/{UPLINK} carries 1400 bytes; a packet of 1428 needs 1478" in finding["title"]


def test_ls_shows_the_members_and_the_nodes(nodes: Swarm, run: Any) -> None:
    text = run("--host", nodes.manager.url, "ls").out
    _, _, part = text.partition("\nover  overlay")
    lines = part.splitlines()
    assert any("VXLAN" in each and THERE in each and "UDP 4789" in each for each in lines)
    for name in ("n1", "n2"):
        assert any(name in each.split() and nodes.address(name) in each for each in lines)
    assert "could not see" not in text


def test_nothing_listens_after_it(nodes: Swarm, trace: Trace) -> None:
    trace("n1", nodes.address("m1"))
    links = nodes.manager.type(f"ip -d link show {UPLINK}")
    assert "promiscuity 0" in links
    assert "dnetsniff" not in nodes.manager.type("nft list tables")
