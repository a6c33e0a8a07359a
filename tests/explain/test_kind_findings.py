"""Findings about sizes and shared parents are raised on their evidence, and say what can be typed."""

import errno
from ipaddress import ip_interface, ip_network

import pytest
from kind_cases import (
    CASES,
    SHARED,
    WORLD,
    big,
    big_plan,
    isolated,
    kept_in,
    narrow,
    refused,
    stopped_at,
    swallowed,
    told,
    too_long,
    undecided,
)
from msgspec.structs import replace
from topologies import START, answered, change_link, change_stack, delivered, planned, recorded, sightings

from inspector.model.question import Protocol
from inspector.model.recording import Failed, Recording
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.rules import KernelDrop
from inspector.model.topology import HOST, Route
from inspector.pipeline import review

CHECK = "dnetsniff trace web db --df --size 1372   # fits: shows what passes"


def found(recording: Recording, name: str = "mtu-too-big") -> Finding | None:
    return next((each for each in review(recording).findings if each.id == name), None)


@pytest.mark.parametrize("name", CASES)
def test_each_is_raised_on_its_case(name: str) -> None:
    finding = found(CASES[name](), name)
    assert finding
    assert finding.evidence


def test_a_port_that_carries_less_swallows_it() -> None:
    finding = found(swallowed())
    assert finding
    assert finding.title == "host/veth-db carries 1400 bytes, the packet has 1500, and nobody says so"
    assert (finding.severity, finding.confidence) == (Severity.ERROR, Confidence.LIKELY)
    assert finding.remedy == ("ip link set dev veth-db mtu 1500", CHECK)


def test_the_kernel_s_own_reason_makes_it_certain() -> None:
    drop = KernelDrop(at_ns=START, reason="PKT_TOO_BIG", where="br_dev_queue_push_xmit", ethertype=0x0800)
    finding = found(replace(swallowed(), drops=(drop,)))
    assert finding
    assert finding.confidence is Confidence.CERTAIN
    assert any("PKT_TOO_BIG" in each for each in finding.evidence)


def test_the_line_that_shows_what_passes_asks_as_the_probe_did() -> None:
    world = narrow("host/veth-db")
    plan = big_plan(world, protocol=Protocol.UDP, port=53)
    finding = found(replace(stopped_at(world, big_plan(world), 0, probe=too_long(1400)), plan=plan))
    assert finding
    assert finding.evidence[-1].startswith("the probe has 1500 bytes (--size 1472)")
    assert finding.remedy[-1].startswith("dnetsniff trace web db:53/udp --df --size 1372 ")


def test_a_syn_has_no_size_to_choose() -> None:
    world = narrow("host/veth-db")
    plan = replace(big_plan(world), question=replace(big_plan(world).question, protocol=Protocol.TCP, port=80))
    finding = found(replace(stopped_at(world, big_plan(world), 0, probe=too_long(30)), plan=plan))
    assert finding
    assert "at least 40 bytes (a SYN and its options)" in finding.evidence[-1]
    assert finding.remedy[-1].startswith("dnetsniff trace web db --df --size ")


def test_who_cannot_be_reached_by_design_is_not_told_that_nobody_answers() -> None:
    assert {each.id for each in review(isolated()).findings} == {"macvlan-host-isolation"}


def test_a_container_s_own_end_is_mended_in_its_stack() -> None:
    world = narrow("db/eth0")
    finding = found(stopped_at(world, big_plan(world), 4))
    assert finding
    assert finding.remedy[0] == "nsenter -t $(docker inspect -f '{{.State.Pid}}' db) -n ip link set dev eth0 mtu 1500"


@pytest.mark.parametrize(
    ("link", "reached", "size"),
    [("host/veth-db", 2, 1472), ("host/veth-db", 3, 1372), ("host/veth-db", 5, 1472), ("web/eth0", 3, 1472)],
    ids=["stopped elsewhere", "small enough", "arrived", "behind it"],
)
def test_a_narrow_link_that_it_did_not_stop_at_is_no_cause(link: str, reached: int, size: int) -> None:
    world = narrow(link)
    assert found(stopped_at(world, big_plan(world, size=size), reached, size=size)) is None


def test_what_a_router_would_cut_up_is_not_too_big() -> None:
    world = narrow("host/eth0")
    plan = big_plan(world, "web", "203.0.113.7", dont_fragment=False)
    assert found(stopped_at(world, plan, 3)) is None
    strict = big_plan(world, "web", "203.0.113.7")
    assert found(stopped_at(world, strict, 3))


def test_the_source_s_own_interface() -> None:
    finding = found(refused())
    assert finding
    assert finding.title == "the packet has 1500 bytes and may not be cut up, and web/eth0 carries 1400"
    assert finding.confidence is Confidence.CERTAIN
    assert finding.remedy[1:] == (CHECK,)


def test_what_the_source_was_told_earlier() -> None:
    finding = found(refused("host/veth-db"))
    assert finding
    assert "was told earlier" in finding.title
    inside = "nsenter -t $(docker inspect -f '{{.State.Pid}}' web) -n"
    assert finding.remedy == (
        "ip link set dev veth-db mtu 1500",
        f"{inside} ip route flush cache   # forgets what it learned",
        CHECK,
    )


def test_a_router_that_says_so_and_is_heard() -> None:
    finding = found(told("host/docker0", "host/veth-web", "web/eth0"))
    assert finding
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.CERTAIN)
    assert finding.title == "host/eth0 carries 1400 bytes, the packet has 1500: 172.17.0.1 says so"
    assert finding.evidence[0].endswith("first seen at host/docker0, last at web/eth0")


def test_one_that_is_kept_from_the_source() -> None:
    recording = told("host/eth0", by="192.0.2.9", link="db/eth0")
    finding = found(recording)
    assert review(recording).verdict.outcome is Outcome.LOST
    assert finding
    assert finding.severity is Severity.ERROR
    assert finding.title.endswith("192.0.2.9 says so, and web never heard it")
    assert finding.title.startswith("a link behind 192.0.2.9 carries 1400 bytes")


def test_out_there_only_a_smaller_one_can_tell() -> None:
    finding = found(undecided())
    assert finding
    assert (finding.severity, finding.confidence) == (Severity.NOTE, Confidence.POSSIBLE)
    assert finding.remedy == ("dnetsniff trace web 203.0.113.7 --df --size 1252   # fits: shows what passes",)


def test_it_left_and_was_not_handed_over() -> None:
    world = narrow("host/veth-web")
    probe = replace(too_long(None), errno=105, why="No buffer space available")
    report = review(stopped_at(world, big_plan(world), 1, probe=probe))
    assert report.verdict.outcome is Outcome.DROPPED
    assert report.verdict.summary == "it left by web/eth0, which could not hand it over: No buffer space available"
    assert [each.id for each in report.findings] == ["mtu-too-big"]


def test_a_big_one_that_arrived_is_no_problem() -> None:
    assert found(delivered(WORLD, big_plan(WORLD))) is None


@pytest.mark.parametrize(("source", "destination"), [("host", "web"), ("web", "host")])
def test_the_host_and_a_macvlan_container(source: str, destination: str) -> None:
    finding = found(isolated(source, destination), "macvlan-host-isolation")
    assert finding
    assert finding.confidence is Confidence.CERTAIN
    assert finding.remedy == (
        "ip link add macvlan-host link eth0 type macvlan mode bridge",
        "ip link set macvlan-host up",
        "ip route add 192.0.2.1/32 dev macvlan-host src 192.0.2.100",
    )


def test_two_macvlan_containers_are_not_the_host() -> None:
    assert found(isolated("alone", "other"), "macvlan-host-isolation") is None
    assert found(delivered(SHARED, planned(SHARED, "web", "db")), "macvlan-host-isolation") is None


def test_an_internal_network_keeps_what_would_leave_it() -> None:
    finding = found(kept_in(), "internal-network")
    assert finding
    assert finding.title == "quiet is internal: the engine lets nothing out, and inner sent it that way"
    assert finding.remedy == ("docker network connect bridge inner",)


def test_no_route_from_an_internal_network_to_outside() -> None:
    probe = Failed(1, START, errno.ENETUNREACH, "Network is unreachable")
    plan = planned(WORLD, "inner", "203.0.113.7")
    finding = found(recorded(WORLD, plan, probes=(probe,), request=0, reply=0), "no-route")
    assert finding
    assert finding.remedy == ("docker network connect bridge inner",)


def test_a_source_that_has_the_address_itself_asked_nobody() -> None:
    world = change_link(SHARED, "host/eth0", addresses=(ip_interface("192.0.2.1/24"),))
    own = Route(ip_network("192.0.2.1/32"), None, 1, local=True)
    host = world.sandbox(HOST)
    assert host
    world = change_stack(world, HOST, routes=(own, *host.routes))
    report = review(delivered(world, planned(world, "host", "web")))
    assert report.verdict.summary == (
        "1 of 1 answered by host itself: it has the address 192.0.2.1, too, and web was never asked"
    )


def test_a_big_one_that_went_through_shows_what_the_way_carries() -> None:
    world = narrow("host/docker0", 1480)
    plan = big_plan(world)
    frames = sightings(plan, plan.request, big(plan))
    report = review(recorded(world, plan, probes=(answered(),), request=0, extra=frames))
    (told,) = [each for each in report.story if "in one piece" in each.text]
    assert told.text == (
        "1500 bytes that may not be cut up went through in one piece: the way carries at least that; "
        "of its links that are known host/docker0 carries least, 1480"
    )
    assert not [each for each in review(delivered(WORLD, planned(WORLD, "web", "db"))).story if "piece" in each.text]
