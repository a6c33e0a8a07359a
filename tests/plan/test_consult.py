"""Who is asked about routing, and about which packet."""

import pytest
from topologies import planned, read

from inspector.model.path import Direction
from inspector.plan.consult import route_queries, settings_to_read

WORLD = read("two-networks.toml")


def asked(source: str, destination: str, direction: Direction, **more: str) -> list[str]:
    queries = route_queries(WORLD, planned(WORLD, source, destination, **more))
    return [f"{each.sandbox}: {each}" for each in queries if each.direction is direction]


@pytest.mark.parametrize(
    ("source", "destination", "there", "back"),
    [
        (
            "web",
            "db",
            ["web: ip route get 172.17.0.3", "db: ip route get 172.17.0.3 from 172.17.0.2 iif eth0"],
            [
                "db: ip route get 172.17.0.2 from 172.17.0.3",
                "web: ip route get 172.17.0.2 from 172.17.0.3 iif eth0",
            ],
        ),
        (
            "web",
            "api",
            [
                "web: ip route get 192.168.0.2",
                "host: ip route get 192.168.0.2 from 172.17.0.2 iif docker0",
                "api: ip route get 192.168.0.2 from 172.17.0.2 iif eth0",
            ],
            [
                "api: ip route get 172.17.0.2 from 192.168.0.2",
                "host: ip route get 172.17.0.2 from 192.168.0.2 iif br-mynet",
                "web: ip route get 172.17.0.2 from 192.168.0.2 iif eth0",
            ],
        ),
    ],
)
def test_each_stack_is_asked_for_what_it_gets(source: str, destination: str, there: list[str], back: list[str]) -> None:
    assert asked(source, destination, Direction.REQUEST) == there
    assert asked(source, destination, Direction.REPLY) == back


def test_a_bridge_that_only_switches_is_asked_nothing() -> None:
    assert not any(each.startswith("host") for each in asked("web", "172.17.0.99", Direction.REQUEST))


def test_a_sender_is_bound_to_an_address_only_where_the_user_says_so() -> None:
    (first, *_) = asked("web", "db", Direction.REQUEST, source_address="172.17.0.2")
    assert first == "web: ip route get 172.17.0.3 from 172.17.0.2"


@pytest.mark.parametrize("destination", ["gone", "127.0.0.1"])
def test_nobody_is_asked_where_nothing_travels(destination: str) -> None:
    assert route_queries(WORLD, planned(WORLD, "web", destination)) == ()


def test_settings_are_those_of_the_interfaces_that_routing_sees() -> None:
    wanted = settings_to_read(WORLD, planned(WORLD, "web", "api"))
    assert ("host", "net.ipv4.ip_forward") in wanted
    assert ("host", "net/ipv4/conf/docker0/rp_filter") in wanted
    assert ("api", "net/ipv4/conf/eth0/rp_filter") in wanted
    assert not any("veth" in name for _, name in wanted)
