"""A kernel's refusal to route a packet counts where that packet was last seen, and nowhere else."""

import errno

import pytest
from msgspec.structs import replace
from topologies import echo, link_named, planned, read, recorded, sent

from inspector.model.path import Direction
from inspector.model.recording import Recording
from inspector.model.report import Outcome
from inspector.model.routing import RouteAnswer, RouteQuery, RoutingRecord
from inspector.model.topology import HOST, SandboxId
from inspector.pipeline import review

WORLD = read("two-networks.toml")
PLAN = planned(WORLD, "web", "api")


def refused(request: int, query: RouteQuery, error: int = errno.EHOSTUNREACH) -> Recording:
    routing = RoutingRecord((RouteAnswer(query, error=error, why="No route to host" if error else ""),))
    return recorded(WORLD, PLAN, probes=(sent(),), request=request, reply=0, routing=routing)


def entering(link: str) -> RouteQuery:
    key = link_named(WORLD, link).key
    return RouteQuery(Direction.REQUEST, key.sandbox, "192.168.0.2", "172.17.0.2", key, link.partition("/")[2])


BACK = RouteQuery(Direction.REPLY, SandboxId("api"), "172.17.0.2", "192.168.0.2")


@pytest.mark.parametrize(
    ("request_seen", "query", "said"),
    [
        (3, entering("host/docker0"), "it came to host/docker0, and host has no way for it: No route to host"),
        (6, BACK, "it came to api/eth0, and api has no way for its answer: No route to host"),
    ],
)
def test_the_stack_that_it_came_to_has_no_way(request_seen: int, query: RouteQuery, said: str) -> None:
    verdict = review(refused(request_seen, query)).verdict
    assert (verdict.outcome, verdict.reason, verdict.summary) == (Outcome.DROPPED, "No route to host", said)


@pytest.mark.parametrize(
    ("request_seen", "query", "error"),
    [
        (3, entering("host/docker0"), 0),
        (3, entering("host/br-mynet"), errno.EHOSTUNREACH),
        (2, entering("host/docker0"), errno.EHOSTUNREACH),
        (3, BACK, errno.ENETUNREACH),
    ],
    ids=["a way", "by another interface", "it never came there", "the answer's way, before it arrived"],
)
def test_a_refusal_of_another_packet_is_no_cause(request_seen: int, query: RouteQuery, error: int) -> None:
    assert review(refused(request_seen, query, error)).verdict.outcome is Outcome.LOST


def test_no_way_back_is_a_finding_with_the_gateway_that_the_engine_meant() -> None:
    stack = WORLD.sandbox(SandboxId("api"))
    assert stack
    bare = replace(stack, routes=tuple(each for each in stack.routes if each.gateway is None))
    world = replace(WORLD, sandboxes=tuple(bare if each.id == "api" else each for each in WORLD.sandboxes))
    recording = replace(refused(6, BACK, errno.ENETUNREACH), topology=world)
    (finding,) = review(recording).findings
    assert finding.id == "no-route"
    assert finding.title == "api has no route back to 172.17.0.2"
    assert finding.remedy[0].endswith("ip route add default via 192.168.0.1 dev eth0")
    assert HOST not in finding.title


@pytest.mark.parametrize(("request_seen", "query"), [(3, entering("host/docker0")), (6, BACK)])
def test_a_translated_packet_is_another_than_the_one_asked_about(request_seen: int, query: RouteQuery) -> None:
    plain = refused(request_seen, query)
    *before, last = plain.observations
    masqueraded = replace(last, frame=echo("192.168.0.1", "192.168.0.2"))
    assert review(replace(plain, observations=(*before, masqueraded))).verdict.reason is None
