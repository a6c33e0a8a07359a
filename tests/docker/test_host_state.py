"""Faults of the host itself, and several faults at once, on an engine of the tests' own; all mended as printed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from private_engine import IMAGE, PrivateEngine, checked, private_engine
from session_tag import new_tag

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
GATEWAY, FAR = "198.51.100.2", "198.51.100.129"
NOBODY = "02:00:00:00:00:99"


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    """Give an engine with an uplink, and networks on which nobody announces himself."""
    far = f"dntest-far-{new_tag()}"
    with private_engine() as made:
        checked("ip", "netns", "add", far)
        try:
            made.ip(f"link add up0 type veth peer name eth0 netns {far}")
            made.ip("addr add 198.51.100.1/25 dev up0")
            made.ip("link set up0 up")
            for words in (f"addr add {GATEWAY}/25 dev eth0", f"addr add {FAR}/32 dev lo", "link set lo up"):
                checked("ip", "-n", far, *words.split())
            checked("ip", "-n", far, "link", "set", "eth0", "up")
            made.ip(f"route add default via {GATEWAY}")
            made.docker("network", "create", "one")
            made.docker("network", "create", "two")
            made.docker("network", "create", "--ipv6", "--subnet", "fd00:d0c:7::/64", "six")
            yield made
        finally:
            checked("ip", "netns", "del", far)


@pytest.fixture
def start(private: PrivateEngine) -> Iterator[Callable[[str, str], str]]:
    """Start containers on a network; they are gone afterwards."""
    made: list[str] = []

    def run(name: str, network: str) -> str:
        made.append(name)
        private.docker(
            "run", "-d", "--dns", "127.0.0.1", "--network", network, "--stop-signal", "KILL", "--name", name, IMAGE
        )
        return name

    yield run
    if made:
        private.docker("rm", "-f", *made)


def traced(run: Run, private: PrivateEngine, *words: str, timeout: str = "0.4") -> Any:
    ran = run("--host", private.url, "trace", *words, "--no-lookup", "-c", "1", "-W", timeout, "--format", "json")
    assert ran.out, ran.err
    return ran.json


def raised(report: Any) -> list[str]:
    """Return the findings that are no mere notes, in their order."""
    return [each["id"] for each in report["findings"] if each["severity"] != "note"]


def inside(name: str, command: str) -> str:
    return f"nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {name}) -n {command}"


def address_of(private: PrivateEngine, name: str, network: str) -> str:
    return private.docker("inspect", "-f", f"{{{{.NetworkSettings.Networks.{network}.IPAddress}}}}", name)


def port_of(private: PrivateEngine, name: str) -> str:
    index = private.type(inside(name, "ip -o link show eth0") + " | sed 's/.*@if\\([0-9]*\\):.*/\\1/'")
    return private.type(f"ip -o link | sed -n 's/^{index}: \\([^@]*\\)@.*/\\1/p'")


def mended(run: Run, private: PrivateEngine, report: Any, *words: str) -> Any:
    """Type the remedy of every finding, in their order; the next trace has to succeed without any of them."""
    for finding in report["findings"]:
        assert finding["evidence"]
        for line in finding["remedy"]:
            private.type(line)
    after = traced(run, private, *words, timeout="3")
    assert after["verdict"]["outcome"] == "delivered", after["verdict"]
    assert raised(after) == []
    return after


@pytest.mark.parametrize("to", ["outside", "two"])
def test_a_host_that_does_not_route(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str], to: str
) -> None:
    web = start("web", "one")
    target = FAR if to == "outside" else start("api", "two")
    private.type("sysctl -qw net.ipv4.ip_forward=0")
    try:
        report = traced(run, private, web, target)
        assert report["verdict"]["outcome"] == "dropped"
        assert report["findings"][0]["id"] == "ip-forward-off"
        assert "net.ipv4.ip_forward is 0" in report["prediction"]["why"]
        assert any("ip_forward 0" in each["text"] for each in report["state"])
        assert any("iif" in each and "no way" in each for each in report["findings"][0]["evidence"])
        for line in report["findings"][0]["remedy"]:
            private.type(line)
    finally:
        private.type("sysctl -qw net.ipv4.ip_forward=1")
    after = traced(run, private, web, target, timeout="2")
    if to == "outside":
        assert after["verdict"]["outcome"] == "delivered"
    else:
        mended(run, private, after, web, target)


def test_a_destination_that_has_no_way_back(run: Run, private: PrivateEngine, start: Callable[[str, str], str]) -> None:
    web, api = start("web", "one"), start("api", "two")
    # The engine keeps networks apart, and masquerades: the destination would answer to its own gateway.
    private.type("iptables -I DOCKER-USER -j ACCEPT && iptables -t nat -I POSTROUTING -j ACCEPT")
    try:
        private.type(inside(api, "ip route del default"))
        report = traced(run, private, web, api)
        assert (report["verdict"]["outcome"], report["verdict"]["last_seen"]) == ("dropped", "api/eth0")
        assert report["prediction"]["outcome"] == "unknown"
        assert "api has no route" in report["prediction"]["why"]
        assert raised(report) == ["no-route"]
        mended(run, private, report, web, api)
    finally:
        private.type("iptables -D DOCKER-USER -j ACCEPT && iptables -t nat -D POSTROUTING -j ACCEPT")


@pytest.mark.parametrize("message", ["neighbour-solicitation", "neighbour-advertisement"])
def test_neighbour_discovery_is_filtered_on_the_host(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str], message: str
) -> None:
    left, right = start("left", "six"), start("right", "six")
    private.type("sysctl -qw net.bridge.bridge-nf-call-ip6tables=1")
    private.type(f"ip6tables -I FORWARD -p icmpv6 --icmpv6-type {message} -j DROP")
    try:
        report = traced(run, private, left, right, "-6")
        assert report["verdict"]["outcome"] == "dropped"
        assert [each["id"] for each in report["findings"]] == ["ipv6-neighbour-filtered"], report["findings"]
        assert report["findings"][0]["confidence"] == "certain", report["findings"]
        for line in report["findings"][0]["remedy"]:
            private.type(line)
        assert traced(run, private, left, right, "-6", timeout="3")["verdict"]["outcome"] == "delivered"
    finally:
        private.type("ip6tables -F FORWARD")


def test_a_port_that_is_down_and_a_container_that_is_paused(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str]
) -> None:
    left, right = start("left", "one"), start("right", "one")
    private.type(f"ip link set {port_of(private, right)} down")
    private.docker("pause", right)
    report = traced(run, private, left, right)
    assert raised(report) == ["interface-down", "container-paused"]
    mended(run, private, report, left, right)


def test_a_port_that_does_not_forward_and_a_stale_cache(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str]
) -> None:
    left, right = start("left", "one"), start("right", "one")
    address = address_of(private, right, "one")
    private.type(inside(left, f"ip neigh replace {address} lladdr {NOBODY} dev eth0 nud permanent"))
    private.type(f"ip link set {port_of(private, right)} type bridge_slave state 1")
    report = traced(run, private, left, right)
    assert raised(report) == ["bridge-port-missing", "stale-neighbour"]
    mended(run, private, report, left, right)


def test_networks_apart_and_a_container_that_is_paused(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str]
) -> None:
    web, api = start("web", "one"), start("api", "two")
    private.docker("pause", api)
    report = traced(run, private, web, api)
    assert raised(report) == ["networks-isolated", "container-paused"]
    mended(run, private, report, web, api)


def test_an_address_that_two_have_and_a_cache_that_misleads_the_answer(
    run: Run, private: PrivateEngine, start: Callable[[str, str], str]
) -> None:
    left, right, twin = start("left", "one"), start("right", "one"), start("twin", "one")
    mine, theirs = address_of(private, left, "one"), address_of(private, right, "one")
    private.type(inside(twin, f"ip addr add {theirs}/16 dev eth0"))
    for each in (right, twin):
        private.type(inside(each, f"ip neigh replace {mine} lladdr {NOBODY} dev eth0 nud permanent"))
    # Its question is answered all the same: a permanent entry is for packets, and ARP is answered to who asks.
    report = traced(run, private, left, right)
    assert {"duplicate-address"} <= set(raised(report))
    for finding in report["findings"]:
        for line in finding["remedy"]:
            private.type(line)
    report = traced(run, private, left, right)
    assert raised(report) == ["stale-neighbour"]
    mended(run, private, report, left, right)
