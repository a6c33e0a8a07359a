"""State that misleads a packet: each fault is made on the engine, found, and mended by the lines that are printed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from commands import docker
from docker import from_env
from session_tag import new_tag, undone

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
Typed = Callable[..., str]
Extra = Callable[..., str]
Network = Callable[..., str]
NOBODY = "02:00:00:00:00:99"
QUIET = ("-o", "com.docker.network.advertise_addr_nmsgs=0")
"""Engine 28 announces a new container's addresses for seconds: a cache that waits for an answer takes those, too."""


def traced(run: Run, *words: str, timeout: str = "0.5") -> dict[str, Any]:
    ran = run("trace", *words, "--no-lookup", "-c", "1", "-W", timeout, "--format", "json")
    assert ran.out, ran.err
    report: dict[str, Any] = ran.json
    return report


def findings(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


def address_of(name: str, network: str = "bridge", key: str = "IPAddress") -> str:
    return docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{network}").{key}}}}}', name)


def inside(name: str, command: str) -> str:
    """Return the line that runs a command of the host in a container's network namespace."""
    return f"nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {name}) -n {command}"


def mended(run: Run, typed: Typed, finding: dict[str, Any], *words: str) -> dict[str, Any]:
    """Execute the remedy as it was printed; the next trace has to succeed, without the finding."""
    assert finding["evidence"]
    assert finding["remedy"]
    for line in finding["remedy"]:
        typed(line)
    report = traced(run, *words, timeout="3")
    assert report["verdict"]["outcome"] == "delivered", report["verdict"]
    assert finding["id"] not in findings(report)
    return report


@pytest.fixture
def pair(extra: Extra) -> tuple[str, str]:
    """Run two containers on the default network."""
    for name in ("dn-left", "dn-right"):
        extra(name)
    return "dn-left", "dn-right"


def port_of(typed: Typed, name: str) -> str:
    """Return the host side of a container's veth pair."""
    (near,) = json.loads(typed(inside(name, "ip -j link show eth0")))
    links = json.loads(typed("ip -j link"))
    return str(next(each["ifname"] for each in links if each["ifindex"] == near["link_index"]))


def test_a_permanent_entry_with_a_mac_that_nobody_has(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    left, right = pair
    address = address_of(right)
    typed(inside(left, f"ip neigh replace {address} lladdr {NOBODY} dev eth0 nud permanent"))
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "dropped", report
    assert report["verdict"]["last_seen"] == f"{right}/eth0", "the bridge flooded it"
    assert report["prediction"]["outcome"] == "dropped"
    assert NOBODY in report["prediction"]["why"]
    finding = report["findings"][0]
    assert (finding["id"], finding["severity"], finding["confidence"]) == ("stale-neighbour", "error", "certain")
    assert any(NOBODY in each for each in finding["evidence"])
    mended(run, typed, finding, left, right)


def test_the_host_s_own_cache(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    right = pair[1]
    address = address_of(right)
    remedy = f"ip neigh del {address} dev docker0"
    with undone(remedy):
        typed(f"ip neigh replace {address} lladdr {NOBODY} dev docker0 nud permanent")
        try:
            finding = traced(run, "host", right)["findings"][0]
            assert finding["id"] == "stale-neighbour"
            assert finding["remedy"] == [remedy]
            mended(run, typed, finding, "host", right)
        finally:
            typed(remedy, may_fail=True)


def test_the_way_back_is_looked_at_too(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    left, right = pair
    typed(inside(right, f"ip neigh replace {address_of(left)} lladdr {NOBODY} dev eth0 nud permanent"))
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "dropped", report
    finding = report["findings"][0]
    assert finding["id"] == "stale-neighbour"
    assert finding["title"].startswith(f"{right} sends to {NOBODY}")
    mended(run, typed, finding, left, right)


def test_a_bridge_s_table_that_names_the_wrong_port(
    run: Run, typed: Typed, pair: tuple[str, str], extra: Extra
) -> None:
    left, right = pair
    extra("dn-other")
    mac, wrong = address_of(right, key="MacAddress"), port_of(typed, "dn-other")
    typed(inside(left, f"ip neigh replace {address_of(right)} lladdr {mac} dev eth0 nud permanent"))
    typed(f"bridge fdb replace {mac} dev {wrong} master sticky static")
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "lost"
    finding = report["findings"][0]
    assert (finding["id"], finding["confidence"]) == ("stale-neighbour", "certain")
    assert finding["remedy"] == [f"bridge fdb del {mac} dev {wrong} master"]
    assert {each["kind"] for each in report["disagreements"]} == {"outcome", "not-seen"}
    mended(run, typed, finding, left, right)


def test_two_containers_with_one_address(run: Run, typed: Typed, pair: tuple[str, str], extra: Extra) -> None:
    left, right = pair
    extra("dn-twin")
    address = address_of(right)
    prefix = docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "bridge").split("/")[1]
    typed(inside("dn-twin", f"ip addr add {address}/{prefix} dev eth0"))
    finding = findings(traced(run, left, right))["duplicate-address"]
    assert finding["confidence"] == "certain"
    assert f"{right}/eth0, dn-twin/eth0" in finding["title"]
    assert "ip addr del" in finding["remedy"][0]
    assert "dn-twin" in finding["remedy"][0]
    mended(run, typed, finding, left, right)


@pytest.fixture
def twins(course: str) -> Iterator[str]:
    """Run two containers with one MAC address."""
    mac = "02:42:00:00:0a:0b"
    client = from_env()
    made: list[Any] = []
    try:
        made.extend(
            client.containers.run(course, name=name, mac_address=mac, detach=True, network="bridge")
            for name in ("dn-right", "dn-twin")
        )
        yield mac
    finally:
        for each in made:
            each.remove(force=True)
        client.close()


def test_two_containers_with_one_mac(run: Run, typed: Typed, extra: Extra, twins: str) -> None:
    mac = twins
    extra("dn-left")
    address = address_of("dn-right")
    typed(inside("dn-left", f"ip neigh replace {address} lladdr {mac} dev eth0 nud permanent"))
    docker("exec", "dn-twin", "ping", "-c", "1", address_of("dn-left"))
    # Which of them gets it depends on who spoke last: on Engine 28 a new container goes on announcing itself.
    finding = findings(traced(run, "dn-left", "dn-right"))["duplicate-address"]
    assert mac in finding["title"]
    for line in finding["remedy"][:1]:
        typed(line)
    # The table still names the other port until somebody speaks, or the entry ages.
    docker("exec", "dn-right", "ping", "-c", "1", address_of("dn-left"))
    report = traced(run, "dn-left", "dn-right", timeout="3")
    assert report["verdict"]["outcome"] == "delivered"
    assert "duplicate-address" not in findings(report)


@contextmanager
def lan(typed: Typed, near: str, far: str) -> Iterator[None]:
    """Lay a link from the engine's host to a namespace that answers to an address."""
    tag = new_tag()
    name, link = f"dn-lan-{tag}", f"dnlan{tag}"
    typed(f"ip netns add {name}")
    try:
        typed(f"ip link add {link} type veth peer name eth0 netns {name}")
        typed(f"ip addr add {near} dev {link} && ip link set {link} up")
        typed(f"ip -n {name} addr add {far} dev eth0 && ip -n {name} link set eth0 up")
        typed(f"ip -n {name} route add default via {near.partition('/')[0]}")
        yield
    finally:
        typed(f"ip link del {link}", may_fail=True)
        typed(f"ip netns del {name}")


def test_a_subnet_that_covers_a_host_of_the_lan(run: Run, typed: Typed, extra: Extra, network: Network) -> None:
    network("dn-wide", "--subnet", "10.213.0.0/16")
    extra("dn-in", "--network", "dn-wide")
    with lan(typed, "10.213.5.1/24", "10.213.5.9/24"):
        report = traced(run, "dn-in", "10.213.5.9")
        assert report["verdict"]["outcome"] == "dropped", report
        finding = report["findings"][0]
        assert finding["id"] == "subnet-overlap"
        assert "10.213.0.0/16 of dn-wide" in finding["title"]
        mended(run, typed, finding, "dn-in", "10.213.5.9")


def test_an_address_that_nobody_has_is_no_overlap(run: Run, typed: Typed, extra: Extra, network: Network) -> None:
    network("dn-wide", "--subnet", "10.213.0.0/16")
    extra("dn-in", "--network", "dn-wide")
    with lan(typed, "10.213.5.1/24", "10.213.5.9/24"):
        assert set(findings(traced(run, "dn-in", "10.213.6.9"))) == {"neighbour-unanswered"}


@pytest.fixture
def six(extra: Extra, network: Network) -> tuple[str, str]:
    """Run two containers on a network with IPv6."""
    network("dn-six", "--ipv6", "--subnet", "fd00:d0c:6::/64", *QUIET)
    for name in ("dn-left", "dn-right"):
        extra(name, "--network", "dn-six")
    return "dn-left", "dn-right"


NATIVE = "sh -c 'echo \"table ip6 mine {{ chain c {{ type filter hook {}; icmpv6 type {} drop; }}; }};\" | nft -f -'"


@pytest.mark.parametrize(
    ("where", "change", "message", "remedy"),
    [
        (
            "dn-right",
            "ip6tables -A INPUT -p icmpv6 --icmpv6-type neighbour-solicitation -j DROP",
            "neighbour-solicitation",
            "ip6tables -I INPUT 1 -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT",
        ),
        (
            "dn-right",
            "ip6tables -A OUTPUT -p icmpv6 --icmpv6-type neighbour-advertisement -j DROP",
            "neighbour-advertisement",
            "ip6tables -I OUTPUT 1 -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT",
        ),
        (
            "dn-left",
            NATIVE.format("output priority 5", "nd-neighbor-solicit"),
            "neighbour-solicitation",
            "nft insert rule ip6 mine c handle 2 icmpv6 type nd-neighbor-solicit accept",
        ),
        (
            "dn-left",
            NATIVE.format("input priority 5", "nd-neighbor-advert"),
            "neighbour-advertisement",
            "nft insert rule ip6 mine c handle 2 icmpv6 type nd-neighbor-solicit accept",
        ),
    ],
)
def test_neighbour_discovery_is_filtered(
    run: Run, typed: Typed, six: tuple[str, str], *, where: str, change: str, message: str, remedy: str
) -> None:
    left, right = six
    typed(inside(where, change))
    report = traced(run, left, right, "-6")
    assert report["verdict"]["outcome"] == "dropped", report
    (finding,) = report["findings"]
    assert (finding["id"], finding["confidence"]) == ("ipv6-neighbour-filtered", "certain"), finding
    assert finding["title"].endswith(f"a rule in {where} drops the {message} about it")
    assert finding["remedy"][0].endswith(remedy)
    mended(run, typed, finding, left, right, "-6")


def test_an_answer_that_takes_the_other_interface(run: Run, typed: Typed, extra: Extra, network: Network) -> None:
    network("dn-second")
    extra("dn-left")
    extra("dn-both")
    docker("network", "connect", "dn-second", "dn-both")
    left, gateway = address_of("dn-left"), address_of("dn-both", "dn-second", "Gateway")
    typed(inside("dn-both", f"ip route add {left}/32 via {gateway} dev eth1"))
    report = traced(run, "dn-left", address_of("dn-both"))
    finding = findings(report)["asymmetric-return"]
    assert finding["title"] == "dn-both got the request on eth0 and answered on eth1"
    assert any(f"ip route get {left}" in each and "dev eth1" in each for each in finding["evidence"])
    assert any("policy rule" in each for each in finding["evidence"])
    mended(run, typed, finding, "dn-left", address_of("dn-both"))


def test_a_route_that_is_missing(run: Run, typed: Typed, pair: tuple[str, str], upstream: Any) -> None:
    left, _right = pair
    typed(inside(left, "ip route del default"))
    report = traced(run, left, upstream.address)
    assert report["verdict"]["outcome"] == "dropped", report
    assert report["prediction"]["outcome"] == "no-route"
    finding = report["findings"][0]
    assert finding["id"] == "no-route"
    mended(run, typed, finding, left, upstream.address)


def test_an_internal_network_has_no_route(run: Run, typed: Typed, extra: Extra, network: Network) -> None:
    network("dn-inner", "--internal")
    network("dn-outer")
    extra("dn-in", "--network", "dn-inner")
    extra("dn-out", "--network", "dn-outer")
    report = traced(run, "dn-in", "dn-out")
    # Engine 20.10 gives an internal network's containers a default route, and keeps them in by rules.
    finding = report["findings"][0]
    assert finding["id"] in {"no-route", "networks-isolated"}
    assert finding["remedy"] == ["docker network connect dn-outer dn-in"]
    mended(run, typed, finding, "dn-in", "dn-out")


def test_a_container_that_is_paused(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    left, right = pair
    docker("pause", right)
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "delivered", "its kernel answers"
    assert "paused" in report["prediction"]["why"]
    finding = findings(report)["container-paused"]
    mended(run, typed, finding, left, right)


def test_a_container_that_is_not_running(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    left, right = pair
    docker("stop", "-t", "0", right)
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "unresolved"
    assert report["prediction"] is None
    mended(run, typed, report["findings"][0], left, right)


def test_a_container_that_lost_its_address(run: Run, typed: Typed, extra: Extra, network: Network) -> None:
    network("dn-quiet", *QUIET)
    left, right = "dn-left", "dn-right"
    for name in (left, right):
        extra(name, "--network", "dn-quiet")
    typed(inside(right, f"ip addr del {address_of(right, 'dn-quiet')} dev eth0"))
    report = traced(run, left, right)
    assert report["verdict"]["outcome"] == "dropped", report
    assert report["prediction"]["outcome"] == "dropped"
    finding = report["findings"][0]
    assert finding["id"] == "neighbour-unanswered"
    assert finding["remedy"] == [f"docker restart {right}"]
    mended(run, typed, finding, left, right)


def test_an_address_that_nobody_has(run: Run, typed: Typed, pair: tuple[str, str]) -> None:
    report = traced(run, pair[0], "172.17.255.77")
    assert report["prediction"]["outcome"] == "dropped"
    assert report["disagreements"] == []
    (finding,) = report["findings"]
    assert finding["id"] == "neighbour-unanswered"
    assert "dn-left" in typed(finding["remedy"][0])
