"""The walk sees what a packet would pass, in its order, and invents nothing beyond."""

import pytest
from msgspec.structs import replace
from topologies import change_link, change_stack, read, written

from inspector.model.question import PathKind
from inspector.model.topology import HOST, SandboxId
from inspector.plan.way import MAX_ROUTERS, find_way

WORLD = read("two-networks.toml")
SIX = read("dual-stack.toml")
TO_DOCKER0 = ["web/eth0 out", "host/veth-web in", "host/docker0 in"]

WAYS = {
    "one network": ("web", "172.17.0.3", PathKind.SWITCHED, [*TO_DOCKER0, "host/veth-db out", "db/eth0 in"]),
    "two networks": (
        "web",
        "192.168.0.2",
        PathKind.ROUTED,
        [*TO_DOCKER0, "host/br-mynet out routed", "host/veth-api out", "api/eth0 in"],
    ),
    "the other interface": (
        "both",
        "192.168.0.2",
        PathKind.SWITCHED,
        ["both/eth1 out", "host/veth-both1 in", "host/br-mynet in", "host/veth-api out", "api/eth0 in"],
    ),
    "to the gateway": ("web", "172.17.0.1", PathKind.TO_HOST, TO_DOCKER0),
    "to another bridge's address": ("web", "192.168.0.1", PathKind.TO_HOST, TO_DOCKER0),
    "from the host": (
        "host",
        "172.17.0.2",
        PathKind.FROM_HOST,
        ["host/docker0 out", "host/veth-web out", "web/eth0 in"],
    ),
    "outside": ("web", "8.8.8.8", PathKind.OUTSIDE, [*TO_DOCKER0, "host/eth0 out routed"]),
    "the host to outside": ("host", "8.8.8.8", PathKind.OUTSIDE, ["host/eth0 out"]),
    "itself": ("web", "172.17.0.2", PathKind.LOOPBACK, ["web/lo out", "web/lo in"]),
    "loopback": ("web", "127.0.0.1", PathKind.LOOPBACK, ["web/lo out", "web/lo in"]),
    "nobody there": ("web", "172.17.0.99", PathKind.SWITCHED, TO_DOCKER0),
    "internal to outside": ("inner", "8.8.8.8", PathKind.NO_ROUTE, []),
    "no interface": ("hermit", "172.17.0.2", PathKind.NO_ROUTE, []),
    "not surveyed": ("nowhere", "172.17.0.2", PathKind.NO_ROUTE, []),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_way_is_the_expected_one(name: str) -> None:
    start, destination, kind, steps = WAYS[name]
    way = find_way(WORLD, SandboxId(start), destination)
    assert written(way.steps) == steps
    assert way.kind is kind


def test_ipv6_is_switched_by_its_own_table() -> None:
    way = find_way(SIX, SandboxId("left"), "fd00:6::3")
    assert written(way.steps)[-1] == "right/eth0 in"
    assert way.kind is PathKind.SWITCHED


def test_only_a_bridge_that_forwards_is_switched_and_gateways_are_told() -> None:
    switched = find_way(WORLD, SandboxId("web"), "172.17.0.3")
    routed = find_way(WORLD, SandboxId("web"), "192.168.0.2")
    assert [key.ifindex for key in switched.switched] == [10]
    assert switched.gateways == []
    assert routed.switched == []
    assert [key.ifindex for key in routed.bridges] == [10, 11]
    assert routed.gateways == ["172.17.0.1"]


def test_the_walk_ends_at_a_port_that_is_on_no_bridge() -> None:
    world = change_link(WORLD, "host/veth-db", bridge=None)
    assert written(find_way(world, SandboxId("web"), "172.17.0.3").steps) == TO_DOCKER0


def test_the_walk_ends_where_the_far_side_is_unknown() -> None:
    world = change_link(WORLD, "web/eth0", peer=None)
    assert written(find_way(world, SandboxId("web"), "172.17.0.3").steps) == ["web/eth0 out"]


def test_a_stack_that_was_not_entered_is_known_by_the_engine() -> None:
    world = change_stack(change_link(WORLD, "db/eth0", addresses=()), "db", routes=())
    assert written(find_way(world, SandboxId("web"), "172.17.0.3").steps)[-1] == "db/eth0 in"


def test_a_loop_in_the_tables_ends() -> None:
    api = WORLD.sandbox(SandboxId("api"))
    assert api
    stray = tuple(replace(each, local=False) for each in api.routes)
    world = change_stack(WORLD, "api", routes=tuple(each for each in stray if each.gateway))
    way = find_way(world, SandboxId("web"), "192.168.0.2")
    assert sum(step.routed for step in way.steps) < MAX_ROUTERS
    assert way.steps[-1].point.sandbox == HOST or way.steps[-1].point.sandbox == "api"


BARRIERS = {
    "the source's port is down": ("host/veth-web", {"up": False}, TO_DOCKER0[:1], "host/veth-web is down"),
    "the source's port does not forward": (
        "host/veth-web",
        {"forwarding": False},
        TO_DOCKER0[:2],
        "host/veth-web does not forward",
    ),
    "the bridge is down": ("host/docker0", {"up": False}, TO_DOCKER0[:2], "host/docker0 is down"),
    "the destination's port is down": ("host/veth-db", {"up": False}, TO_DOCKER0, "host/veth-db is down"),
    "the destination's port does not forward": (
        "host/veth-db",
        {"forwarding": False},
        TO_DOCKER0,
        "host/veth-db does not forward",
    ),
    "the destination is down": ("db/eth0", {"up": False}, TO_DOCKER0, "db/eth0 is down"),
}


@pytest.mark.parametrize("name", BARRIERS)
def test_the_steps_end_at_a_barrier_and_what_lies_beyond_is_kept_apart(name: str) -> None:
    link, change, steps, barrier = BARRIERS[name]
    way = find_way(change_link(WORLD, link, **change), SandboxId("web"), "172.17.0.3")
    assert written(way.steps) == steps
    assert way.barrier == barrier
    assert way.whole == find_way(WORLD, SandboxId("web"), "172.17.0.3").steps
    assert way.kind is PathKind.SWITCHED


def test_the_first_of_two_barriers_is_the_one() -> None:
    world = change_link(change_link(WORLD, "host/veth-db", up=False), "host/veth-web", up=False)
    assert find_way(world, SandboxId("web"), "172.17.0.3").barrier == "host/veth-web is down"


def test_a_barrier_beside_the_way_is_none() -> None:
    world = change_link(WORLD, "host/veth-both", up=False)
    assert find_way(world, SandboxId("web"), "172.17.0.3") == find_way(WORLD, SandboxId("web"), "172.17.0.3")
