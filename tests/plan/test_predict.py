"""What is expected before anything is sent, and why; on worlds written by hand."""

import pytest
from topologies import change_link, change_stack, link_named, planned, read

from inspector.model.prediction import Expected, Prediction
from inspector.model.question import Protocol
from inspector.model.topology import HOST, Neighbour, Setting, Topology

WORLD = read("two-networks.toml")


def predicted(world: Topology, source: str, destination: str) -> Prediction:
    prediction = planned(world, source, destination).prediction
    assert prediction is not None
    return prediction


@pytest.mark.parametrize(
    ("source", "destination", "why"),
    [
        ("web", "db", "same network: docker0 would switch it"),
        ("web", "api", "different networks: the host would route it"),
        ("host", "web", "the host is on the network itself"),
        ("web", "host", "the host has the address"),
        ("web", "127.0.0.1", "web has the address itself"),
        ("web", "frozen", "frozen is paused: its kernel answers ping, its programs nothing"),
    ],
)
def test_routes_and_bridges_let_it_pass(source: str, destination: str, why: str) -> None:
    prediction = predicted(WORLD, source, destination)
    assert prediction.outcome is Expected.DELIVERED
    assert why in prediction.why
    assert prediction.why.endswith("firewall rules not consulted")


@pytest.mark.parametrize(
    ("protocol", "outcome", "why"),
    [
        (Protocol.TCP, Expected.DELIVERED, "its kernel takes a connection for a program that listens"),
        (Protocol.UDP, Expected.UNKNOWN, "a program that listens says nothing"),
    ],
)
def test_a_paused_container_and_a_port(protocol: Protocol, outcome: Expected, why: str) -> None:
    prediction = planned(WORLD, "web", "frozen", protocol=protocol, port=80).prediction
    assert prediction is not None
    assert prediction.outcome is outcome
    assert why in prediction.why
    ordinary = planned(WORLD, "web", "db", protocol=protocol, port=80).prediction
    assert ordinary is not None
    assert ordinary.outcome is Expected.DELIVERED


def test_what_is_beyond_the_uplink_is_not_known() -> None:
    prediction = predicted(WORLD, "web", "8.8.8.8")
    assert prediction.outcome is Expected.UNKNOWN
    assert "leaves by host/eth0" in prediction.why


@pytest.mark.parametrize(
    ("link", "change", "why"),
    [
        ("host/docker0", {"up": False}, "host/docker0 is down"),
        ("host/veth-db", {"forwarding": False}, "host/veth-db does not forward"),
    ],
)
def test_a_barrier_stops_it(link: str, change: dict[str, bool], why: str) -> None:
    assert predicted(change_link(WORLD, link, **change), "web", "db") == Prediction(Expected.DROPPED, why)


def test_a_host_that_does_not_route() -> None:
    world = change_stack(WORLD, HOST, settings=(Setting("net.ipv4.ip_forward", "0"),))
    assert predicted(world, "web", "api").why == "the host would have to route it, and net.ipv4.ip_forward is 0"
    assert predicted(world, "web", "db").outcome is Expected.DELIVERED, "a switch needs no routing"


def test_an_address_that_nobody_has() -> None:
    expected = Prediction(Expected.DROPPED, "nobody known on host/docker0 has 172.17.0.99")
    assert predicted(WORLD, "web", "172.17.0.99") == expected


def test_a_container_that_has_lost_its_address() -> None:
    world = change_link(WORLD, "db/eth0", addresses=())
    assert predicted(world, "web", "db") == Prediction(
        Expected.DROPPED, "db does not have 172.17.0.3, whatever the engine says"
    )


def test_no_route_there() -> None:
    prediction = predicted(WORLD, "inner", "172.17.0.2")
    assert prediction == Prediction(Expected.NO_ROUTE, "inner has no route to 172.17.0.2")


def test_no_route_back() -> None:
    stack = WORLD.sandbox(planned(WORLD, "web", "api").destination.sandbox or HOST)
    assert stack
    world = change_stack(WORLD, "api", routes=tuple(each for each in stack.routes if each.gateway is None))
    why = "the answer: api has no route to 172.17.0.2; translations not consulted"
    assert predicted(world, "web", "api") == Prediction(Expected.UNKNOWN, why)
    world = change_stack(WORLD, "db", routes=())
    why = "the answer: db has no route to 172.17.0.2"
    assert predicted(world, "web", "db") == Prediction(Expected.NO_ROUTE, why)


@pytest.mark.parametrize(("state", "outcome"), [("permanent", Expected.DROPPED), ("stale", Expected.DELIVERED)])
def test_a_permanent_neighbour_that_nobody_is(state: str, outcome: Expected) -> None:
    entry = Neighbour(link_named(WORLD, "web/eth0").key, "172.17.0.3", "02:00:00:00:00:99", state)
    assert predicted(change_stack(WORLD, "web", neighbours=(entry,)), "web", "db").outcome is outcome


def test_a_permanent_neighbour_that_is_right() -> None:
    entry = Neighbour(link_named(WORLD, "web/eth0").key, "172.17.0.3", link_named(WORLD, "db/eth0").mac, "permanent")
    assert predicted(change_stack(WORLD, "web", neighbours=(entry,)), "web", "db").outcome is Expected.DELIVERED


def test_nothing_is_expected_where_nothing_is_sent() -> None:
    assert planned(WORLD, "web", "gone").prediction is None
