"""The table is read as the kernel reads it."""

from ipaddress import ip_network

import pytest
from topologies import change_link, read

from inspector.model.topology import Route, Sandbox, SandboxId
from inspector.plan.routes import addresses_of, find_route, link_of, route_source

WORLD = read("two-networks.toml")


def stack(*routes: Route, name: str = "both") -> Sandbox:
    known = WORLD.sandbox(SandboxId(name))
    assert known
    return Sandbox(known.id, known.inode, known.links, routes=routes)


def route(prefix: str, gateway: str | None = None, ifindex: int = 2, **more: object) -> Route:
    return Route(ip_network(prefix), gateway, ifindex, **more)  # type: ignore[arg-type]


DEFAULT, WIDE, LONG = route("0.0.0.0/0", "172.17.0.1"), route("10.0.0.0/8"), route("10.1.0.0/16", ifindex=3)


@pytest.mark.parametrize(
    ("destination", "expected"), [("10.1.2.3", LONG), ("10.2.0.1", WIDE), ("8.8.8.8", DEFAULT), ("fd00::1", None)]
)
def test_the_longest_prefix_wins(destination: str, expected: Route | None) -> None:
    assert find_route(stack(DEFAULT, WIDE, LONG), destination) == expected
    assert find_route(stack(LONG, WIDE, DEFAULT), destination) == expected


def test_the_lowest_metric_wins_among_equals() -> None:
    dear, cheap = route("0.0.0.0/0", "172.17.0.1", metric=100), route("0.0.0.0/0", "192.168.0.1", 3, metric=10)
    assert find_route(stack(dear, cheap), "8.8.8.8") == cheap


def test_a_longer_prefix_wins_over_a_lower_metric() -> None:
    assert (
        find_route(stack(route("10.0.0.0/8", metric=0), dear := route("10.1.0.0/16", metric=900)), "10.1.0.1") == dear
    )


def test_the_local_table_is_asked_first() -> None:
    local, main = route("172.17.0.0/16", local=True), route("172.17.0.4/32", ifindex=3)
    assert find_route(stack(main, local), "172.17.0.4") == local


def test_a_route_by_a_link_that_is_down_is_none() -> None:
    down = change_link(WORLD, "web/eth0", up=False).sandbox(SandboxId("web"))
    assert down
    assert find_route(down, "172.17.0.3") is None


def test_no_table_has_no_route() -> None:
    assert find_route(stack(), "172.17.0.3") is None


def test_the_source_is_the_route_s_own() -> None:
    assert route_source(stack(), route("10.0.0.0/8", source="192.168.0.3"), "10.0.0.1") == "192.168.0.3"


def test_the_source_is_on_the_interface_of_the_next_hop() -> None:
    assert route_source(stack(), DEFAULT, "8.8.8.8") == "172.17.0.4"
    assert route_source(stack(), LONG, "10.1.0.1") == "192.168.0.3"


def test_to_an_own_address_one_sends_from_it() -> None:
    assert route_source(stack(), route("172.17.0.4/32", local=True), "172.17.0.4") == "172.17.0.4"


def test_without_an_address_of_the_family_there_is_no_source() -> None:
    assert route_source(stack(), route("fd00::/64"), "fd00::1") is None


def test_links_and_addresses_are_found() -> None:
    assert link_of(stack(), 99) is None
    assert (found := link_of(stack(), 3))
    assert found.name == "eth1"
    assert [str(each.ip) for each in addresses_of(stack())] == ["127.0.0.1", "172.17.0.4", "192.168.0.3"]
    assert addresses_of(None) == ()
