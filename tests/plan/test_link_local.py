"""A link-local address is on the link that is named with it, whoever else has the same one."""

import pytest
from topologies import change_stack, planned, read, written

from inspector.errors import UsageError
from inspector.model.question import PathKind
from inspector.model.topology import HOST
from inspector.plan.link_local import is_scoped

WORLD = read("""
[host]
links = { eth0 = ["10.0.0.5/24", "fe80::5/64"] }

[networks.one]
bridge = "br-one"
subnets = ["fd00:1::1/64", "fe80::1/64"]

[networks.two]
bridge = "br-two"
subnets = ["fd00:2::1/64", "fe80::1/64"]

[containers.left]
networks = { one = ["fd00:1::2", "fe80::2"], two = ["fd00:2::2", "fe80::2"] }

[containers.near]
networks = { one = ["fd00:1::3", "fe80::3"] }

[containers.far]
networks = { two = ["fd00:2::3", "fe80::3"] }

[containers.gone]
state = "exited"
networks = { one = [] }
""")
TO_ONE = ["left/eth0 out", "host/veth-left in", "host/br-one in"]
TO_TWO = ["left/eth1 out", "host/veth-left1 in", "host/br-two in"]


@pytest.mark.parametrize(
    ("destination", "label", "steps"),
    [
        ("fe80::3%eth0", "near", [*TO_ONE, "host/veth-near out", "near/eth0 in"]),
        ("fe80::3%eth1", "far", [*TO_TWO, "host/veth-far out", "far/eth0 in"]),
        ("fe80::3%3", "far", [*TO_TWO, "host/veth-far out", "far/eth0 in"]),
        ("fe80::1%eth0", "host", TO_ONE),
        ("fe80::1%eth1", "host", TO_TWO),
        ("fe80::9%eth1", "fe80::9%eth1", TO_TWO),
        ("fe80::5%eth0", "fe80::5%eth0", TO_ONE),
    ],
)
def test_the_interface_says_which_link_is_meant(destination: str, label: str, steps: list[str]) -> None:
    plan = planned(WORLD, "left", destination)
    assert (plan.destination.label, plan.source.address) == (label, "fe80::2")
    assert written(plan.request) == steps
    assert plan.destination.scope == plan.request[0].point.link
    assert plan.destination.address == destination.partition("%")[0]
    assert plan.resolution.address == f"{plan.destination.address}%{plan.request[0].point.interface}"
    assert plan.neighbours == ("fe80::2", plan.destination.address)


def test_the_answer_comes_back_by_the_same_link() -> None:
    assert written(planned(WORLD, "left", "fe80::3%eth1").reply) == [
        "far/eth0 out",
        "host/veth-far in",
        "host/br-two in",
        "host/veth-left1 out",
        "left/eth1 in",
    ]
    assert written(planned(WORLD, "left", "fe80::1%eth1").reply) == [
        "host/br-two out",
        "host/veth-left1 out",
        "left/eth1 in",
    ]


def test_the_host_asks_by_one_of_its_bridges() -> None:
    plan = planned(WORLD, "host", "fe80::3%br-two")
    assert (plan.source.address, plan.kind) == ("fe80::1", PathKind.FROM_HOST)
    assert written(plan.request) == ["host/br-two out", "host/veth-far out", "far/eth0 in"]


def test_an_address_that_is_not_ready_yet_is_not_routed() -> None:
    """While an address is tentative (RFC 4862, 5.4) there is no route of the local table for it."""
    near = next(each for each in WORLD.sandboxes if each.id == "near")
    world = change_stack(WORLD, "near", routes=tuple(each for each in near.routes if not each.local))
    assert len(planned(world, "left", "fe80::3%eth0").request) == 5


def refused(destination: str, source: str = "left") -> str:
    with pytest.raises(UsageError) as raised:
        planned(WORLD, source, destination)
    assert raised.value.exit_status == 2
    return str(raised.value)


def test_without_an_interface_those_of_the_source_are_named() -> None:
    named = "write fe80::3%eth0 (left has eth0, eth1)"
    assert refused("fe80::3") == f"fe80::3 is on one link, and none is named; {named}"
    assert refused("fe80::3%eth7") == f"left has no interface 'eth7'; {named}"


def test_of_a_host_only_what_is_no_bridge_port_is_named() -> None:
    assert refused("fe80::3", "host").endswith("write fe80::3%eth0 (host has eth0, br-one, br-two)")


def test_other_addresses_take_no_interface() -> None:
    assert refused("fd00:1::3%eth0") == (
        "fd00:1::3 is not link-local, so it is not on one interface alone; write fd00:1::3"
    )


def test_one_s_own_address_is_oneself() -> None:
    assert refused("fe80::2%eth0").startswith("source and destination are the same: left")


def test_a_source_that_does_not_run_is_said_first() -> None:
    assert planned(WORLD, "gone", "fe80::3%eth0").obstacle == (
        "gone is not running (exited): it has no network stack to send from"
    )


def test_a_gateway_that_is_link_local_is_on_its_route_s_link() -> None:
    left = next(each for each in WORLD.sandboxes if each.id == "left")
    routes = [each for each in left.routes if each.gateway is None]
    default = next(each for each in left.routes if each.gateway)
    world = change_stack(WORLD, "left", routes=(*routes, type(default)(default.destination, "fe80::1", 3)))
    plan = planned(world, "left", "gateway")
    assert (plan.destination.sandbox, plan.resolution.address) == (HOST, "fe80::1%eth1")
    assert (plan.resolution.name, plan.resolution.mechanism) == ("gateway", "engine")
    assert written(plan.request) == TO_TWO


def test_a_source_address_may_carry_the_interface_too() -> None:
    plan = planned(WORLD, "left", "fe80::3%eth0", source_address="fe80::2%eth0")
    assert plan.source.address == "fe80::2"


@pytest.mark.parametrize(
    ("address", "scoped"),
    [("fe80::1", True), ("fe80::1%eth0", True), ("fd00::1%eth0", True), ("fd00::1", False), ("169.254.1.1", False)],
)
def test_which_addresses_are_scoped(address: str, scoped: bool) -> None:  # noqa: FBT001
    assert is_scoped(address) is scoped
