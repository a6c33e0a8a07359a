"""Each finding is raised on its evidence, and on nothing else."""

import errno
import os
import pkgutil
import re
import sys
from collections.abc import Callable

import pytest
from firewalls import chain, passed, with_firewall
from kind_cases import CASES as KIND_CASES
from msgspec.structs import replace
from name_cases import CASES as NAME_CASES
from overlays import OVERLAY_CASES
from port_cases import FINDINGS as PORT_CASES
from state_cases import CASES as STATE_CASES
from topologies import (
    START,
    answered,
    arp,
    change_link,
    change_stack,
    delivered,
    planned,
    point_named,
    read,
    recorded,
    seen,
    sent,
)

from inspector.explain import findings
from inspector.explain.findings import DETECTORS
from inspector.model.question import Heading
from inspector.model.recording import Aftermath, Failed, Recording
from inspector.model.report import Finding, Severity
from inspector.model.rules import Backend, ChainRule, KernelDrop, Reception
from inspector.model.topology import HOST, Neighbour, Setting, Topology
from inspector.pipeline import review

WORLD = read("two-networks.toml")
MODULES = sorted(each.name for each in pkgutil.iter_modules(findings.__path__))


def found(recording: Recording) -> dict[str, Finding]:
    return {each.id: each for each in review(recording).findings}


def stopped(world: Topology, source: str, destination: str, request: int | None = 3) -> Recording:
    return recorded(world, planned(world, source, destination), probes=(sent(),), request=request, reply=0)


def unreachable(source: str, destination: str) -> Recording:
    probes = (Failed(1, START, errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),)
    return recorded(WORLD, planned(WORLD, source, destination), probes=probes, request=0, reply=0)


def healthy(source: str, destination: str) -> Recording:
    return delivered(WORLD, planned(WORLD, source, destination))


FORWARDED = {"inbound": "host/docker0", "outbound": "host/br-mynet"}
FORBIDS = chain("filter FORWARD", {1: "-j OWN", 2: "-d 192.168.0.2/32 -j DROP"})


def forbidden() -> Recording:
    told = passed(WORLD, "filter FORWARD", "FORWARD 2 drop", **FORWARDED)
    return with_firewall(stopped(WORLD, "web", "api"), [told], [FORBIDS])


def two_firewalls() -> Recording:
    told = passed(WORLD, "filter FORWARD", "FORWARD 1 accept", **FORWARDED)
    known = chain("filter FORWARD", {1: "-s 172.17.0.2/32 -j ACCEPT"})
    recording = with_firewall(stopped(WORLD, "web", "api"), [told], [known])
    key = replace(known.key, backend=Backend.LEGACY)
    before = replace(known, key=key, rules=(ChainRule(0, 1, "-p icmp -j DROP", "DROP", packets=0),))
    after = replace(before, rules=(replace(before.rules[0], packets=1),))
    firewall = replace(recording.firewall, legacy_before=(before,), legacy_after=(after,))
    return replace(recording, firewall=firewall)


def apart() -> Recording:
    networks = tuple(replace(each, icc=each.name != "bridge") for each in WORLD.networks)
    return stopped(replace(WORLD, networks=networks), "web", "db", request=2)


def nobody_answers() -> Recording:
    plan = planned(WORLD, "web", "172.17.0.99")
    asked = seen(point_named(plan, "web/eth0"), arp("172.17.0.2", "172.17.0.99"), heading=Heading.OUT)
    return recorded(WORLD, plan, probes=(sent(),), request=0, reply=0, extra=(asked,))


def refused() -> Recording:
    probes = (answered(1, "Packet filtered"),)
    return recorded(WORLD, planned(WORLD, "web", "api"), probes=probes, request=3, reply=0)


def unforwarding() -> Topology:
    return change_stack(WORLD, HOST, settings=(Setting("net.ipv4.ip_forward", "0"),))


def filtered(own: str = "1", everybody: str = "0") -> Recording:
    settings = (
        Setting("net.ipv4.conf.all.rp_filter", everybody),
        Setting("net.ipv4.conf.eth0.rp_filter", own),
    )
    world = change_stack(WORLD, "api", settings=settings)
    recording = stopped(world, "web", "api", request=None)
    last = recording.observations[-1]
    reception = Reception("eth0", last.at_ns + 9_000, last.wire_length - 14, alone_ns=1_000_000_000)
    drop = KernelDrop(last.at_ns + 15_000, "IP_RPFILTER", "ip_rcv_finish_core", 0x0800, reception)
    return replace(recording, drops=(drop,))


CASES: dict[str, tuple[Callable[[], Recording], str]] = {
    "container-not-running": (
        lambda: Recording(WORLD, planned(WORLD, "web", "gone"), b""),
        "gone is not running (exited), so it has no network stack and no address",
    ),
    "container-paused": (lambda: healthy("web", "frozen"), "frozen is paused"),
    "no-network": (lambda: unreachable("hermit", "web"), "hermit was started with --network none"),
    "interface-down": (
        lambda: stopped(change_link(WORLD, "host/veth-db", up=False), "web", "db"),
        "host/veth-db is down",
    ),
    "bridge-port-missing": (
        lambda: stopped(change_link(WORLD, "host/veth-db", bridge=None), "web", "db"),
        "host/veth-db is not a port of docker0, the bridge of bridge",
    ),
    "no-route": (
        lambda: unreachable("inner", "172.17.0.2"),
        "inner has no route to 172.17.0.2; quiet is internal: the engine gives it no gateway",
    ),
    "neighbour-unanswered": (nobody_answers, "nobody on the link answers for 172.17.0.99"),
    "ip-forward-off": (
        lambda: stopped(unforwarding(), "web", "api"),
        "the host does not route: net.ipv4.ip_forward is 0",
    ),
    "rp-filter-drop": (filtered, "api drops what comes in by eth0 from where it would not answer to by it"),
    "networks-isolated": (
        lambda: stopped(WORLD, "web", "api"),
        "web is on bridge, api on mynet: the engine keeps bridge networks apart",
    ),
    "firewall-reject": (refused, "a firewall on the way refuses the packet: Packet filtered"),
    "icc-disabled": (apart, "the engine keeps the containers of bridge apart: its option enable_icc is false"),
    "firewall-backends-mixed": (
        two_firewalls,
        "two firewalls on host: nf_tables accepts the packet, a legacy rule drops",
    ),
    "firewall-drop": (
        forbidden,
        "the user's firewall rule, 2 in filter FORWARD on host, drops the packet",
    ),
    "asymmetric-return": (
        lambda: healthy("web", "192.168.0.3"),
        "both got the request on eth1 and answered on eth0",
    ),
    "dual-homed": (lambda: healthy("web", "both"), "both is on 2 networks"),
    "host-network": (lambda: healthy("metal", "web"), "metal uses the host's own network stack"),
    "shared-sandbox": (lambda: healthy("sidecar", "db"), "sidecar uses the network stack of web"),
    **STATE_CASES,
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_raised_on_its_evidence(name: str) -> None:
    recording, title = CASES[name]
    finding = found(recording())[name]
    assert finding.title.startswith(title)
    assert finding.evidence
    assert finding.remedy or finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("source", "destination"), [("web", "db"), ("web", "api"), ("web", "8.8.8.8"), ("host", "web"), ("web", "host")]
)
def test_nothing_is_raised_where_all_is_well(source: str, destination: str) -> None:
    assert found(healthy(source, destination)) == {}


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("interface-down", {"interface-down"}),
        ("bridge-port-missing", {"bridge-port-missing"}),
        ("ip-forward-off", {"ip-forward-off"}),
        ("networks-isolated", {"networks-isolated"}),
        ("firewall-reject", {"firewall-reject"}),
        ("firewall-drop", {"firewall-drop"}),
        ("firewall-backends-mixed", {"firewall-backends-mixed"}),
        ("icc-disabled", {"icc-disabled"}),
        ("no-network", {"no-network", "no-route"}),
        ("asymmetric-return", {"asymmetric-return", "dual-homed"}),
    ],
)
def test_no_other_is_raised_with_it(name: str, alone: set[str]) -> None:
    assert set(found(CASES[name][0]())) == alone


def test_a_port_that_does_not_forward() -> None:
    finding = found(stopped(change_link(WORLD, "host/veth-db", forwarding=False), "web", "db", 4))[
        "bridge-port-missing"
    ]
    assert finding.title == "host/veth-db does not forward on docker0, the bridge of bridge"
    assert finding.remedy == ("ip link set veth-db type bridge_slave state 3",)


@pytest.mark.parametrize(
    ("link", "port"),
    [("host/veth-db", {"up": False}), ("db/eth0", {}), ("host/docker0", {"running": True})],
)
def test_a_port_that_is_disabled_because_a_link_is_down_is_told_by_that_link(link: str, port: dict[str, bool]) -> None:
    world = change_link(WORLD, "host/veth-db", forwarding=False, **{"running": False, **port})
    raised = found(stopped(change_link(world, link, up=False), "web", "db", None))
    assert set(raised) == {"interface-down"}
    assert raised["interface-down"].title == f"{link} is down"


def test_the_link_on_the_way_is_named_before_others() -> None:
    world = change_link(change_link(WORLD, "host/veth-both", up=False), "host/veth-api", up=False)
    raised = found(stopped(world, "both", "api", None))
    assert raised["interface-down"].title == "host/veth-api is down"


def test_who_is_on_the_network_already_is_not_told_to_connect() -> None:
    assert found(unreachable("web", "db"))["no-route"].remedy == ()


def test_networks_with_a_common_member_are_not_isolated() -> None:
    assert "networks-isolated" not in found(stopped(WORLD, "web", "192.168.0.3"))


def test_an_answer_that_is_kept_back_leaves_no_place_unseen() -> None:
    recording = recorded(WORLD, planned(WORLD, "web", "api"), probes=(sent(),), request=None, reply=3)
    finding = found(recording)["networks-isolated"]
    assert review(recording).verdict.never_seen == ()
    assert [each for each in finding.evidence if each.startswith("never seen")] == []


def test_a_packet_that_left_by_the_other_bridge_was_not_kept_apart() -> None:
    assert "networks-isolated" not in found(stopped(WORLD, "web", "api", None))


def test_a_refusal_by_the_destination_itself_is_no_firewall_s() -> None:
    plan = planned(WORLD, "web", "db")
    recording = recorded(WORLD, plan, probes=(answered(1, "Destination Port Unreachable"),), reply=0)
    assert "firewall-reject" not in found(recording)


def test_the_engine_s_word_on_an_address_that_does_not_answer() -> None:
    plan = planned(WORLD, "web", "db")
    asked = seen(point_named(plan, "web/eth0"), arp("172.17.0.2", "172.17.0.3"), heading=Heading.OUT)
    recording = recorded(WORLD, plan, probes=(sent(),), request=0, reply=0, extra=(asked,))
    assert "the engine says it is db's" in found(recording)["neighbour-unanswered"].evidence


def test_the_cache_s_word_on_an_address_that_does_not_answer() -> None:
    plan = planned(WORLD, "web", "172.17.0.99")
    waiting = Neighbour(plan.request[0].point.link, "172.17.0.99", None, "incomplete")
    recording = recorded(WORLD, plan, probes=(sent(),), request=0, reply=0, aftermath=Aftermath(neighbours=(waiting,)))
    assert found(recording)["neighbour-unanswered"].evidence == (
        "the neighbour cache has no MAC address for 172.17.0.99 on web/eth0",
        "the engine knows nobody with it",
    )


def test_remedies_are_lines_to_type() -> None:
    assert found(CASES["networks-isolated"][0]())["networks-isolated"].remedy == ("docker network connect mynet web",)
    assert found(CASES["no-route"][0]())["no-route"].remedy == ("docker network connect quiet web",)
    down = change_link(WORLD, "db/eth0", up=False)
    assert found(stopped(down, "web", "db", None))["interface-down"].remedy == (
        "nsenter -t $(docker inspect -f '{{.State.Pid}}' db) -n ip link set eth0 up",
        "docker restart db",
    )
    assert found(CASES["ip-forward-off"][0]())["ip-forward-off"].remedy == ("sysctl -w net.ipv4.ip_forward=1",)


def test_a_host_mode_destination_answers_by_the_way_the_request_came() -> None:
    assert set(found(healthy("web", "metal"))) == {"host-network"}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_why_and_the_remedy(name: str) -> None:
    text = sys.modules[f"{findings.__name__}.{name}"].__doc__ or ""
    assert re.search(r"\A\S.*\.\n\nWhat: .+\nWhy: .+\nRemedy: .+", text, re.DOTALL)


def test_every_module_is_looked_for_and_tested() -> None:
    assert sorted(each.__module__.rpartition(".")[2] for each in DETECTORS) == MODULES
    elsewhere = {name.replace("-", "_") for name in (*NAME_CASES, *KIND_CASES, *PORT_CASES, *OVERLAY_CASES)}
    assert sorted({name.replace("-", "_") for name in CASES} | elsewhere) == MODULES


@pytest.mark.parametrize(("own", "everybody"), [("0", "0"), ("2", "1"), ("1", "2")])
def test_the_reverse_path_filter_is_no_cause_where_it_is_not_strict(own: str, everybody: str) -> None:
    """The larger of the two values counts (ip-sysctl.rst)."""
    assert "rp-filter-drop" not in found(filtered(own, everybody))


def test_the_way_into_a_container_is_part_of_the_remedy() -> None:
    assert found(filtered())["rp-filter-drop"].remedy == (
        "nsenter -t $(docker inspect -f '{{.State.Pid}}' api) -n sysctl -w net.ipv4.conf.eth0.rp_filter=2",
    )
