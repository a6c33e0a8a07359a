"""The container behind a port of the host, and the way there."""

import pytest
from msgspec.structs import replace
from port_cases import BY_HOST, FROM_AFAR, ON_LOOPBACK, PUBLISHING, WORLD, port_plan
from topologies import change_container, written

from inspector.model.question import Protocol
from inspector.model.topology import Published
from inspector.plan.target import words_of


def test_who_is_behind_and_how_it_is_reached() -> None:
    publication = BY_HOST.publication
    assert publication
    assert (publication.container, publication.address, publication.port) == ("db", "172.17.0.3", 80)
    assert written(publication.request) == ["host/docker0 out", "host/veth-db out", "db/eth0 in"]
    assert written(publication.reply) == ["db/eth0 out", "host/veth-db in", "host/docker0 in"]


@pytest.mark.parametrize("plan", [BY_HOST, FROM_AFAR, ON_LOOPBACK])
def test_the_container_s_part_is_watched(plan: object) -> None:
    assert {"host/docker0", "host/veth-db", "db/eth0"} <= {str(each) for each in plan.points}  # type: ignore[attr-defined]
    assert not any(each.promiscuous for each in plan.points), "it would change what becomes of a translated frame"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "destination", "asked"),
    [
        ("web", "172.17.0.1", {"port": 8081}),
        ("web", "172.17.0.1", {"protocol": Protocol.UDP}),
        ("web", "db", {}),
        ("web", "127.0.0.1", {}),
        ("web", "8.8.8.8", {}),
    ],
)
def test_what_is_no_published_port(source: str, destination: str, asked: dict[str, object]) -> None:
    assert port_plan(PUBLISHING, source, destination, **asked).publication is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bound", "destination", "found"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "172.17.0.1", False),
        ("172.17.0.1", "172.17.0.1", True),
        ("0.0.0.0", "10.0.0.5", True),
        ("::", "172.17.0.1", False),
    ],
)
def test_it_is_published_at_an_address(bound: str, destination: str, found: bool) -> None:  # noqa: FBT001
    world = change_container(WORLD, "db", published=(Published(bound, 8080, 80, "tcp"),))
    assert (port_plan(world, "host", destination).publication is not None) is found


def test_a_container_that_stopped_publishes_nothing() -> None:
    world = change_container(PUBLISHING, "db", state="exited")
    assert port_plan(world, "host", "127.0.0.1").publication is None


def test_whoever_publishes_the_port_is_looked_into() -> None:
    assert words_of(BY_HOST.question) == ("web", "172.17.0.1", "8080/tcp")
    assert words_of(replace(BY_HOST.question, port=None)) == ("web", "172.17.0.1")
