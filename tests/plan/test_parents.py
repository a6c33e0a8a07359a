"""The way over a shared parent: sibling to sibling, out past the host, and never to the host."""

import pytest
from msgspec.structs import replace
from topologies import change_link, change_stack, link_named, planned, read, written

from inspector.model.question import PathKind
from inspector.model.topology import HOST, LinkKey, LinkKind, Route, Topology
from inspector.plan.parents import child_with, sibling_with

WORLD = read("shared-parent.toml")


@pytest.mark.parametrize(
    ("source", "destination", "steps", "kind"),
    [
        ("web", "db", ["web/eth0 out", "db/eth0 in"], PathKind.SIBLINGS),
        ("left", "right", ["left/eth0 out", "right/eth0 in"], PathKind.SIBLINGS),
        ("alone", "other", ["alone/eth0 out", "host/eth1 out"], PathKind.PAST_HOST),
        ("web", "192.0.2.77", ["web/eth0 out", "host/eth0 out"], PathKind.PAST_HOST),
        ("web", "gateway", ["web/eth0 out", "host/eth0 out"], PathKind.PAST_HOST),
        ("web", "host", ["web/eth0 out", "host/eth0 out"], PathKind.PAST_HOST),
        ("web", "inside", ["web/eth0 out", "host/eth0 out"], PathKind.PAST_HOST),
        ("host", "web", ["host/eth0 out"], PathKind.OUTSIDE),
    ],
)
def test_the_way(source: str, destination: str, steps: list[str], kind: PathKind) -> None:
    plan = planned(WORLD, source, destination)
    assert (written(plan.request), plan.kind) == (steps, kind)


def test_the_answer_comes_back_by_the_parent() -> None:
    plan = planned(WORLD, "web", "192.0.2.77")
    assert written(plan.reply) == ["host/eth0 in", "web/eth0 in"]


def test_the_host_is_asked_by_its_address_on_the_parent() -> None:
    assert planned(WORLD, "web", "host").destination.address == "192.0.2.100"


def with_own_link(world: Topology) -> Topology:
    """Give the host a macvlan link on eth0, without an address, and a route over it."""
    host = world.sandbox(HOST)
    assert host
    own = replace(
        link_named(world, "web/eth0"), key=LinkKey(HOST, 50), name="macvlan-host", addresses=(), mac="02:00:00:00:00:50"
    )
    only_web = Route(link_named(world, "web/eth0").addresses[0].network, None, 50, source="192.0.2.100", metric=-1)
    return change_stack(world, HOST, links=(*host.links, own), routes=(only_web, *host.routes))


def test_a_link_of_the_host_s_own_joins_them() -> None:
    world = with_own_link(WORLD)
    there, back = planned(world, "host", "web"), planned(world, "web", "host")
    assert written(there.request) == ["host/macvlan-host out", "web/eth0 in"]
    assert written(back.request) == ["web/eth0 out", "host/macvlan-host in"]
    assert (there.kind, back.kind) == (PathKind.FROM_HOST, PathKind.TO_HOST)


def test_a_sibling_that_is_down_takes_nothing() -> None:
    world = change_link(WORLD, "db/eth0", up=False)
    assert sibling_with(world, link_named(world, "web/eth0"), "192.0.2.2") is None


def test_what_comes_in_by_the_parent_is_the_link_s() -> None:
    parent = link_named(WORLD, "host/eth0").key
    found = child_with(WORLD, parent, "192.0.2.2")
    assert found == link_named(WORLD, "db/eth0")
    assert child_with(WORLD, parent, "192.0.2.100") is None


def on_a_bridge(world: Topology) -> Topology:
    """Move web's link onto docker0: a macvlan network may have a bridge as its parent."""
    return change_link(world, "web/eth0", parent=link_named(world, "host/docker0").key)


def test_a_bridge_as_parent_leads_to_its_ports_and_back() -> None:
    world = on_a_bridge(WORLD)
    web, inside = link_named(world, "web/eth0"), link_named(world, "inside/eth0")
    near = Route(inside.addresses[0].network, None, web.key.ifindex, source="192.0.2.1")
    world = change_stack(world, "web", routes=(near,))
    assert written(planned(world, "web", "inside").request) == [
        "web/eth0 out",
        "host/docker0 out",
        "host/veth-inside out",
        "inside/eth0 in",
    ]


def test_a_vlan_link_leaves_by_the_one_below() -> None:
    host = WORLD.sandbox(HOST)
    below = link_named(WORLD, "host/eth2")
    assert host
    tagged = replace(below, key=LinkKey(HOST, 60), name="eth2.10", kind=LinkKind.VLAN, parent=below.key)
    world = change_stack(WORLD, HOST, links=(*host.links, tagged))
    world = change_link(world, "left/eth0", parent=tagged.key)
    assert written(planned(world, "left", "203.0.113.77").request) == [
        "left/eth0 out",
        "host/eth2.10 out",
        "host/eth2 out",
    ]
    assert planned(world, "left", "203.0.113.77").kind is PathKind.PAST_HOST
