"""A link on the way is down: the cause is named, nothing is called unknown, and the whole way is shown."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from private_engine import PrivateEngine, checked, private_engine

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
WAY = ["left/eth0", "host/PORT of left", "host/docker0", "host/PORT of right", "right/eth0"]


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    """Give an engine of which any link may be set down."""
    with private_engine() as made:
        made.start("left", "right")
        yield made


def inside(private: PrivateEngine, name: str, *words: str) -> str:
    """Run `ip` in the container's network namespace."""
    pid = private.docker("inspect", "-f", "{{.State.Pid}}", name)
    return checked("nsenter", "-t", pid, "-n", "ip", *words)


def port_of(private: PrivateEngine, name: str) -> str:
    """Return the host side of the container's veth pair."""
    (near,) = json.loads(inside(private, name, "-j", "link", "show", "eth0"))
    links = json.loads(private.ip("-j link"))
    return str(next(each["ifname"] for each in links if each["ifindex"] == near["link_index"]))


@contextmanager
def changed(private: PrivateEngine, change: str) -> Iterator[None]:
    """Set a link down, or a port listening (1) for a while; `left` and `right` stand for their ports."""
    for name in ("left", "right"):
        change = change.replace(name, port_of(private, name))
    back = change.replace("down", "up").replace("state 1", "state 3")
    private.ip(f"link set {change}")
    try:
        yield
    finally:
        private.ip(f"link set {back}")


@pytest.mark.parametrize(
    ("change", "barrier", "finding"),
    [
        ("left down", 1, "interface-down"),
        ("docker0 down", 2, "interface-down"),
        ("right down", 3, "interface-down"),
        ("left type bridge_slave state 1", 2, "bridge-port-missing"),
        ("right type bridge_slave state 1", 3, "bridge-port-missing"),
    ],
)
def test_it_is_named_and_the_way_behind_it_is_shown(
    run: Run, private: PrivateEngine, change: str, barrier: int, finding: str
) -> None:
    ports = {f"host/PORT of {name}": f"host/{port_of(private, name)}" for name in ("left", "right")}
    trace = ("--host", private.url, "trace", "left", "right", "--no-lookup", "-c", "1", "--format", "json")
    with changed(private, change):
        ran = run(*trace, "-W", "0.2")
        for line in ran.json["findings"][0]["remedy"]:
            private.type(line)
        mended = run(*trace, "-W", "3").json
    report = ran.json
    assert (ran.status, report["verdict"]["outcome"]) == (1, "dropped"), ran.out
    assert report["blind_spots"] == []
    assert report["prediction"]["outcome"] == "dropped"
    assert (mended["verdict"]["outcome"], mended["findings"]) == ("delivered", [])
    assert report["findings"][0]["id"] == finding
    assert report["verdict"]["never_seen"][-1] == "right/eth0"
    hops = report["paths"][0]["hops"]
    assert [hop["point"] for hop in hops] == [ports.get(each, each) for each in WAY]
    assert [number for number, hop in enumerate(hops) if hop["why"] not in {None, "it stopped before"}] == [barrier]
