"""A plan says what to watch and what to expect, and why not where nothing can be sent."""

import pytest
from topologies import change_container, change_link, planned, read, written

from inspector.errors import UsageError
from inspector.model.question import PathKind

WORLD = read("two-networks.toml")
SIX = read("dual-stack.toml")


def test_one_network() -> None:
    plan = planned(WORLD, "web", "db")
    assert plan.kind is PathKind.SWITCHED
    assert (plan.source.address, plan.destination.address, plan.family) == ("172.17.0.2", "172.17.0.3", 4)
    assert written(plan.request) == [
        "web/eth0 out",
        "host/veth-web in",
        "host/docker0 in",
        "host/veth-db out",
        "db/eth0 in",
    ]
    assert written(plan.reply) == [
        "db/eth0 out",
        "host/veth-db in",
        "host/docker0 in",
        "host/veth-web out",
        "web/eth0 in",
    ]
    assert plan.neighbours == ("172.17.0.2", "172.17.0.3")
    assert plan.obstacle is None


def test_two_networks() -> None:
    plan = planned(WORLD, "web", "api")
    assert plan.kind is PathKind.ROUTED
    assert written(plan.request)[2:4] == ["host/docker0 in", "host/br-mynet out routed"]
    assert written(plan.reply)[2:4] == ["host/br-mynet in", "host/docker0 out routed"]
    assert plan.neighbours == ("172.17.0.2", "192.168.0.2", "172.17.0.1", "192.168.0.1")


def test_the_answer_takes_the_destination_s_own_route() -> None:
    plan = planned(WORLD, "web", "192.168.0.3")
    assert written(plan.request)[-1] == "both/eth1 in"
    assert written(plan.reply)[0] == "both/eth0 out"
    assert not any(step.routed for step in plan.reply)


def test_the_answer_from_outside_is_the_way_turned_round() -> None:
    plan = planned(WORLD, "web", "8.8.8.8")
    assert plan.kind is PathKind.OUTSIDE
    assert plan.destination.sandbox is None
    assert written(plan.reply) == ["host/eth0 in", "host/docker0 out routed", "host/veth-web out", "web/eth0 in"]


def test_to_and_from_the_host() -> None:
    there, back = planned(WORLD, "web", "host"), planned(WORLD, "host", "web")
    assert (there.kind, back.kind) == (PathKind.TO_HOST, PathKind.FROM_HOST)
    assert written(there.reply) == ["host/docker0 out", "host/veth-web out", "web/eth0 in"]
    assert back.source.address == "172.17.0.1"


def test_a_container_that_shares_a_stack_is_that_stack() -> None:
    assert planned(WORLD, "sidecar", "db").request == planned(WORLD, "web", "db").request
    assert planned(WORLD, "sidecar", "web").kind is PathKind.LOOPBACK


def test_bystander_ports_are_watched_and_the_switching_bridge_is_promiscuous() -> None:
    plan = planned(WORLD, "web", "db")
    roles = {str(each): (each.role, each.promiscuous) for each in plan.points}
    assert roles["host/docker0"] == ("network bridge", True)
    assert roles["host/veth-both"] == ("port 3 of docker0", False)
    assert roles["host/veth-web"] == ("port 1 of docker0", False)
    assert "host/veth-api" not in roles


def test_passive_asks_for_nothing_of_others() -> None:
    assert not any(each.promiscuous for each in planned(WORLD, "web", "db", passive=True).points)


def test_a_port_that_is_down_is_not_watched() -> None:
    plan = planned(change_link(WORLD, "host/veth-both", up=False), "web", "db")
    assert "host/veth-both" not in {str(each) for each in plan.points}


def test_behind_a_barrier_nothing_is_expected_and_no_link_that_is_down_is_watched() -> None:
    plan = planned(change_link(WORLD, "host/veth-db", up=False), "web", "db")
    assert plan.barrier == "host/veth-db is down"
    assert written(plan.request)[-1] == "host/docker0 in"
    assert written(plan.beyond) == ["host/veth-db out", "db/eth0 in"]
    assert "host/veth-db" not in {str(each) for each in plan.points}


def test_without_a_barrier_there_is_nothing_beyond() -> None:
    plan = planned(WORLD, "web", "api")
    assert (plan.barrier, plan.beyond) == ("", ())


def test_every_interface_of_both_ends_is_watched() -> None:
    assert {"both/eth0", "both/eth1"} <= {str(each) for each in planned(WORLD, "web", "both").points}


@pytest.mark.parametrize("pair", [("web", "db"), ("web", "api"), ("web", "8.8.8.8"), ("host", "both")])
def test_every_step_is_at_a_point_and_no_point_is_there_twice(pair: tuple[str, str]) -> None:
    plan = planned(WORLD, *pair)
    assert {step.point for step in (*plan.request, *plan.reply)} <= set(plan.points)
    assert len({each.link for each in plan.points}) == len(plan.points)


def test_ipv6() -> None:
    plan = planned(SIX, "left", "right", family=6)
    assert (plan.family, plan.source.address, plan.destination.address) == (6, "fd00:6::2", "fd00:6::3")


@pytest.mark.parametrize(
    ("source", "destination", "obstacle"),
    [
        ("web", "gone", "gone is not running (exited): it has no address to probe"),
        ("gone", "web", "gone is not running (exited): it has no network stack to send from"),
        ("web", "hermit", "hermit has no network (mode none): it has no address to probe"),
    ],
)
def test_an_obstacle_leaves_nothing_to_watch(source: str, destination: str, obstacle: str) -> None:
    plan = planned(WORLD, source, destination)
    assert plan.obstacle == obstacle
    assert (plan.points, plan.request, plan.reply) == ((), (), ())


def test_a_stack_that_was_not_opened_is_an_obstacle() -> None:
    plan = planned(change_container(WORLD, "web", sandbox=None), "web", "db")
    assert plan.obstacle == "the network stack of web could not be opened"


def test_an_unknown_address_is_unresolved() -> None:
    assert planned(WORLD, "web", "gone").resolution.mechanism == "unresolved"


def test_without_a_route_the_source_is_left_to_say_so() -> None:
    plan = planned(WORLD, "hermit", "web")
    assert (plan.kind, plan.obstacle, plan.request) == (PathKind.NO_ROUTE, None, ())


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        ("web", "web", "source and destination are the same: web"),
        ("web", "172.17.0.2", "source and destination are the same: web"),
        ("host", "host", "the same: the host"),
        ("host", "172.17.0.1", "the same: the host"),
        ("metal", "host", "the same: the host"),
        ("web", "nobody", "there is no container 'nobody'"),
    ],
)
def test_a_question_that_fits_nothing(source: str, destination: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        planned(WORLD, source, destination)


def test_no_ipv6() -> None:
    with pytest.raises(UsageError, match="old has no IPv6 address"):
        planned(SIX, "left", "old", family=6)


def test_the_source_address_has_to_be_one_s_own() -> None:
    assert planned(WORLD, "both", "web", source_address="192.168.0.3").source.address == "192.168.0.3"
    with pytest.raises(UsageError, match="web does not have the address") as raised:
        planned(WORLD, "web", "db", source_address="10.9.9.9")
    assert raised.value.hint == "it has 172.17.0.2"
    with pytest.raises(UsageError, match="'eth0' is no address"):
        planned(WORLD, "web", "db", source_address="eth0")
