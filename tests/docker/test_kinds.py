"""Every kind of network: what `ls` shows of it, and the way that a trace takes through it."""

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from commands import docker
from msgspec import Struct
from outside import FAR, in_host, mend, outside
from private_engine import private_engine
from session_tag import new_tag
from upstream_place import ip, on_host

from inspector.discover.engine import Engine
from inspector.discover.survey import host_namespace

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
MACHINE, HOST_THERE = "198.18.77.9", "198.18.77.100"
SUBNET = "198.18.77.0/24"
"""Of the range for benchmarks (RFC 2544)."""


@pytest.fixture
def host(engine: Engine) -> Iterator[int]:
    """Return a descriptor of the network namespace of the engine's host."""
    with host_namespace(engine) as namespace:
        yield namespace.fd


class Lan(Struct, frozen=True):
    """A link of the host that leads to a machine on the same network."""

    parent: str
    namespace: str


@pytest.fixture
def lan(host: int) -> Iterator[Lan]:
    tag = new_tag()
    made = Lan(parent=f"dnlan{tag}", namespace=f"dn-lan-{tag}")
    ip("netns", "add", made.namespace)
    try:
        on_host(host, "link", "add", made.parent, "type", "veth", "peer", "name", "eth0", "netns", made.namespace)
        on_host(host, "addr", "add", f"{HOST_THERE}/24", "dev", made.parent)
        on_host(host, "link", "set", made.parent, "addrgenmode", "none", "up")
        ip("-n", made.namespace, "addr", "add", f"{MACHINE}/24", "dev", "eth0")
        ip("-n", made.namespace, "link", "set", "eth0", "addrgenmode", "none", "up")
        yield made
    finally:
        # What was put on top of it goes with it.
        on_host(host, "link", "del", made.parent)
        ip("netns", "del", made.namespace)


@pytest.fixture
def shared(lan: Lan, extra: Callable[..., str], network: Callable[..., str]) -> Lan:
    """Make a macvlan network on the link, with two containers."""
    network("dn-mv", "-d", "macvlan", "--subnet", SUBNET, "--gateway", MACHINE, "-o", f"parent={lan.parent}")
    for number, name in enumerate(("dn-mv1", "dn-mv2"), start=1):
        extra(name, "--network", "dn-mv", "--ip", f"198.18.77.{number}")
    return lan


def traced(run: Run, *words: str) -> tuple[int, Any]:
    ran = run("trace", *words, "--no-lookup", "-c", "1", "-W", "0.5", "--format", "json")
    assert ran.status in {0, 1}, ran.err
    return ran.status, ran.json


def way(report: Any, direction: str = "request") -> list[str]:
    """Return the points of a direction in order; each of them has to be on the planned way."""
    path = next(each for each in report["paths"] if each["direction"] == direction)
    return [f"{hop['point']} {hop['heading']}" for hop in path["hops"]]


def delivered(run: Run, *words: str) -> Any:
    """Trace, expect an answer over a way that was all foreseen and all seen, and no complaint."""
    status, report = traced(run, *words)
    assert (status, report["verdict"]["outcome"]) == (0, "delivered"), report["verdict"]
    assert [each for each in report["findings"] if each["severity"] != "note"] == []
    assert all(hop["seen"] for path in report["paths"] for hop in path["hops"])
    assert "not on the planned way" not in run("trace", *words, "--no-lookup", "-c", "1").out
    return report


def test_macvlan_is_listed_on_its_parent(run: Run, shared: Lan) -> None:
    listed = run("ls").out
    rows = listed[listed.index("dn-mv  macvlan") :].splitlines()
    assert rows[0] == f"dn-mv  macvlan  {SUBNET} gateway {MACHINE}"
    assert f": {shared.parent}  {HOST_THERE}/24  mtu 1500" in rows[1]
    assert rows[1].endswith("2 links")
    assert [("dn-mv" in row, "macvlan bridge" in row) for row in rows[2:4]] == [(True, True)] * 2
    topology = run("ls", "--format", "json").json
    (named,) = [each for each in topology["networks"] if each["name"] == "dn-mv"]
    assert named["parent"]["sandbox"] == "host"
    assert named["bridge"] is None


def test_macvlan_from_link_to_link_and_out_past_the_host(run: Run, shared: Lan) -> None:
    report = delivered(run, "dn-mv1", "dn-mv2")
    assert report["path_kind"] == "siblings"
    assert way(report) == ["dn-mv1/eth0 out", "dn-mv2/eth0 in"]
    for target in (MACHINE, "gateway"):
        report = delivered(run, "dn-mv1", target)
        assert report["path_kind"] == "past-host"
        assert way(report) == ["dn-mv1/eth0 out", f"host/{shared.parent} out"]
        assert way(report, "reply") == [f"host/{shared.parent} in", "dn-mv1/eth0 in"]


@pytest.mark.parametrize(("source", "destination"), [("host", "dn-mv1"), ("dn-mv1", "host")])
def test_macvlan_and_the_host_are_apart_until_the_host_has_a_link(
    run: Run, host: int, shared: Lan, source: str, destination: str
) -> None:
    status, report = traced(run, source, destination)
    assert (status, report["verdict"]["outcome"]) == (1, "dropped")
    assert way(report)[-1] == f"host/{shared.parent} out"
    told = report["findings"][0]
    assert (told["id"], told["confidence"]) == ("macvlan-host-isolation", "certain")
    mend(host, told["remedy"])
    report = delivered(run, source, destination)
    ends = ["host/macvlan-host out", "dn-mv1/eth0 in"]
    assert way(report) == (ends if source == "host" else ["dn-mv1/eth0 out", "host/macvlan-host in"])


def test_macvlan_in_private_mode_sends_even_to_its_siblings_past_the_host(
    run: Run, lan: Lan, extra: Callable[..., str], network: Callable[..., str]
) -> None:
    options = ("-o", f"parent={lan.parent}", "-o", "macvlan_mode=private")
    network("dn-pv", "-d", "macvlan", "--subnet", SUBNET, *options)
    for name in ("dn-pv1", "dn-pv2"):
        extra(name, "--network", "dn-pv")
    status, report = traced(run, "dn-pv1", "dn-pv2")
    assert (status, report["verdict"]["outcome"]) == (1, "dropped")
    assert way(report) == ["dn-pv1/eth0 out", f"host/{lan.parent} out"]


def test_ipvlan_where_the_kernel_has_it(
    run: Run, host: int, lan: Lan, extra: Callable[..., str], network: Callable[..., str]
) -> None:
    """Where it has none, the engine makes no container on such a network, and there is nothing to trace."""
    words = [
        "nsenter",
        f"--net=/proc/self/fd/{host}",
        "ip",
        "link",
        "add",
        "dnip",
        "link",
        lan.parent,
        "type",
        "ipvlan",
    ]
    made = subprocess.run(words, check=False, capture_output=True, text=True, pass_fds=[host])
    if "Unknown device type" in made.stderr or "not supported" in made.stderr:
        with pytest.raises(AssertionError, match=r"ipvlan|not supported"):
            _two_on_ipvlan(lan, extra, network)
        return
    in_host(host, "ip link del dnip")
    _two_on_ipvlan(lan, extra, network)
    assert way(delivered(run, "dn-iv1", "dn-iv2")) == ["dn-iv1/eth0 out", "dn-iv2/eth0 in"]


def _two_on_ipvlan(lan: Lan, extra: Callable[..., str], network: Callable[..., str]) -> None:
    network("dn-iv", "-d", "ipvlan", "--subnet", SUBNET, "-o", f"parent={lan.parent}")
    for name in ("dn-iv1", "dn-iv2"):
        extra(name, "--network", "dn-iv")


def test_an_internal_network_inside_and_to_the_outside(
    run: Run, host: int, extra: Callable[..., str], network: Callable[..., str]
) -> None:
    network("dn-int", "--internal")
    for name in ("dn-int1", "dn-int2"):
        extra(name, "--network", "dn-int")
    assert len(way(delivered(run, "dn-int1", "dn-int2"))) == 5
    with outside(host):
        status, report = traced(run, "dn-int1", FAR)
        assert status == 1
        told = report["findings"][0]
        # Newer engines give no default route; older ones do, and drop what takes it.
        assert told["id"] in {"no-route", "internal-network"}
        assert told["remedy"] == ["docker network connect bridge dn-int1"]
        mend(host, told["remedy"])
        delivered(run, "dn-int1", FAR)


def test_a_bridge_of_any_name_without_icc(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    name = f"odd{secrets.token_hex(3)}"
    options = ("com.docker.network.bridge.enable_icc=false", f"com.docker.network.bridge.name={name}")
    network("dn-odd", *(word for each in options for word in ("-o", each)))
    for each in ("dn-odd1", "dn-odd2"):
        extra(each, "--network", "dn-odd")
    status, report = traced(run, "dn-odd1", "dn-odd2")
    assert status == 1
    assert report["path_kind"] == "switched"
    points = way(report)
    assert (points[0], points[2], points[-1]) == ("dn-odd1/eth0 out", f"host/{name} in", "dn-odd2/eth0 in")
    assert report["verdict"]["last_seen"] == f"host/{name}"
    assert report["verdict"]["never_seen"][-1] == "dn-odd2/eth0"
    assert f": {name}  " in run("ls").out
    delivered(run, "dn-odd1", "gateway")


def test_two_containers_in_one_stack(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-own")
    extra("dn-guest", "--network", "container:dn-own")
    extra("dn-else")
    for source in ("dn-own", "dn-guest"):
        report = delivered(run, source, "dn-else")
        assert way(report)[0] == "dn-own/eth0 out"
    assert way(delivered(run, "dn-else", "dn-guest"))[-1] == "dn-own/eth0 in"
    assert way(delivered(run, "dn-guest", "dn-own")) == ["dn-own/lo out", "dn-own/lo in"]


def test_both_families(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    ula = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:77::/64"
    network("dn-dual", "--ipv6", "--subnet", "198.18.78.0/24", "--subnet", ula)
    for name in ("dn-dual1", "dn-dual2"):
        extra(name, "--network", "dn-dual")
    four, six = delivered(run, "dn-dual1", "dn-dual2", "-4"), delivered(run, "dn-dual1", "dn-dual2", "-6")
    assert way(four) == way(six)
    assert ula[:-3] in six["paths"][0]["hops"][0]["source"] or six["paths"][0]["hops"][0]["source"].startswith("fd")
    delivered(run, "dn-dual1", "gateway", "-6")
    listed = run("ls").out
    assert ula.replace(":0", ":") in listed or ula in listed or "dn-dual  bridge" in listed
    report = delivered(run, "dn-dual1", "dn-dual2", "-6", "--size", "3000")
    assert {hop["fragments"] for path in report["paths"] for hop in path["hops"]} <= {1, 3}


def test_the_same_subnet_on_two_engines(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-here1")
    extra("dn-here2")
    with private_engine() as other:
        other.start("there1", "there2")
        theirs = {each["ifname"] for each in json.loads(other.ip("-j link"))}
        ran = run("--host", other.url, "trace", "there1", "there2", "--no-lookup", "-c", "1", "--format", "json")
        assert ran.json["verdict"]["outcome"] == "delivered"
        hops = [hop for path in ran.json["paths"] for hop in path["hops"]]
        assert {hop["interface"] for hop in hops if hop["sandbox"] == "host"} <= theirs
        assert "dn-here1" not in run("--host", other.url, "ls").out
        mine = delivered(run, "dn-here1", "dn-here2")
    ports = {hop["interface"] for path in mine["paths"] for hop in path["hops"] if hop["sandbox"] == "host"}
    assert ports & theirs <= {"docker0"}


def test_a_route_of_the_host_that_overlaps_a_network(run: Run, host: int, extra: Callable[..., str]) -> None:
    """The host follows its longer route, past the bridge; the plan says so, and the wire agrees."""
    extra("dn-hidden")
    extra("dn-near")
    address = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "dn-hidden")
    with outside(host) as world:
        in_host(host, f"ip route add {address}/32 via 203.0.113.2")
        status, report = traced(run, "host", "dn-hidden")
        assert status == 1
        assert way(report) == [f"host/{world.link} out"]
        assert report["verdict"]["outcome"] in {"unanswered", "rejected"}
        delivered(run, "dn-near", "dn-hidden")
    assert way(delivered(run, "host", "dn-hidden"))[0] == "host/docker0 out"
