"""A frame for another node goes into the tunnel, and its datagram out by the uplink; what is not known ends the way."""

from ipaddress import ip_network

import pytest
from msgspec.structs import replace
from overlays import NODE, OVER, OWN, away, world
from topologies import change_stack, planned, written

from inspector.model.prediction import Expected
from inspector.model.question import PathKind
from inspector.model.topology import HOST, Route
from inspector.model.tunnel import Passage, Remote

INTO = ["n1/eth0 out", f"{OVER}/veth3 in", f"{OVER}/br0 in"]


def test_the_way_to_another_node() -> None:
    plan = away()
    assert plan.kind is PathKind.TUNNELLED
    assert written(plan.request) == [*INTO, f"{OVER}/vxlan0 out", "host/up0 out"]
    assert written(plan.reply) == [
        "host/up0 in",
        f"{OVER}/vxlan0 in",
        f"{OVER}/br0 in",
        f"{OVER}/veth3 out",
        "n1/eth0 in",
    ]
    assert plan.passage == Passage(4097, 4789, NODE, OWN)
    assert NODE in plan.neighbours
    assert plan.prediction
    assert plan.prediction.outcome is Expected.UNKNOWN


def test_the_way_on_one_node_has_no_part_in_the_tunnel() -> None:
    plan = planned(world(), "n1", "n2")
    assert plan.kind is PathKind.SWITCHED
    assert written(plan.request) == [*INTO, f"{OVER}/veth4 out", "n2/eth0 in"]
    assert plan.passage is None
    assert f"{OVER}/vxlan0" in {str(each) for each in plan.points}


def test_a_gateway_between_the_nodes_is_asked_for() -> None:
    routes = (Route(ip_network("0.0.0.0/0"), "192.0.2.254", 2, source=OWN),)
    plan = away(change_stack(world(), HOST, routes=routes))
    assert "192.0.2.254" in plan.neighbours
    assert NODE not in plan.neighbours


def test_an_encrypted_tunnel_ends_the_way_at_its_mouth() -> None:
    plan = away(world(encrypted=True))
    assert plan.kind is PathKind.TUNNELLED
    assert written(plan.request) == [*INTO, f"{OVER}/vxlan0 out"]


@pytest.mark.parametrize(
    "changes",
    [{"remotes": ()}, {"neighbours": ()}, {"remotes": (Remote(6, "02:42:0a:00:09:05", NODE),)}],
    ids=["no node", "no MAC", "another link's"],
)
def test_what_the_tunnel_was_not_told_ends_at_the_bridge(changes: dict[str, tuple[()]]) -> None:
    plan = away(change_stack(world(), OVER, **changes))
    assert written(plan.request) == INTO
    assert plan.passage is None


def test_one_node_to_flood_to_is_a_way_and_several_are_none() -> None:
    flood = Remote(5, "00:00:00:00:00:00", NODE)
    assert away(change_stack(world(), OVER, remotes=(flood,))).passage
    assert not away(change_stack(world(), OVER, remotes=(flood, replace(flood, node="192.0.2.3")))).passage
