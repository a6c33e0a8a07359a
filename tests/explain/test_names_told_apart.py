"""Lookups that look alike and are not: each measured on an engine, or a name that only seems to be known."""

from typing import Any

import pytest
from dns_frames import EMBEDDED, UPSTREAM, answer, lookup, on_loopback, query, question, replied, seen, silent
from msgspec.structs import replace
from name_cases import WORLD, denied, dropped, found, half, line, linked, refused, resolved, searched, traced
from topologies import arp, change_container, point_named
from topologies import seen as sighted

from inspector.model.lookup import HostsLine, Libc, Nameservers, ResolverSetup
from inspector.model.question import Heading
from inspector.model.recording import Lookup
from inspector.model.report import Confidence
from inspector.model.topology import BlindSpot, Container, Mode, Network, SandboxId, Subnet, Topology

OWN_NAMES, NO_NAME = "embedded-dns-forwards-own-names", "name-not-resolvable"
SILENT_DNS, UNREACHABLE = "embedded-dns-silent", "upstream-dns-unreachable"
STALE = "hosts-file-stale"
WEB = ("172.18.0.2", 6000)


def beside(name: str, mode: Mode, shares_with: str | None = None) -> Topology:
    """Return the world with one container more, without a network of its own."""
    sandbox = SandboxId(shares_with or name)
    return replace(
        WORLD, containers=(*WORLD.containers, Container("f" * 64, name, "running", mode, sandbox, shares_with))
    )


def asked_on(name: str, kind: str = "A", said: int = 3, *records: str, types: tuple[str, ...] | None = None) -> Lookup:
    """Return a question to the embedded DNS that it asks upstream."""
    asked = query(1, kind, name=name)
    data = answer(asked, *records, rcode=said)
    there = seen(1, WEB, (UPSTREAM, 53), question(asked), at=50_000)
    back = seen(1, (UPSTREAM, 53), WEB, data, at=90_000)
    return lookup(replied(asked, data), frames=(*on_loopback(asked, data), there, back), types=types or (kind,))


def waiting(server: str = "172.18.0.99", **more: Any) -> Lookup:
    """Return a question to the embedded DNS whose own question waits for a MAC address, as measured on Engine 20.10."""
    asked = query(name="www.example")
    whom = sighted(1, arp("172.18.0.2", server), at=60_000, heading=Heading.OUT)
    frames = (*on_loopback(asked, None), whom)
    return lookup(silent(asked), frames=frames, types=("A",), neighbours=(server,), **more)


# embedded-dns-forwards-own-names


@pytest.mark.parametrize("name", ["db", "DB", "db.app", "db."])
def test_every_name_of_a_container_on_a_common_network_is_its_own(name: str) -> None:
    finding = found(resolved(asked_on(name.rstrip(".")), name))[OWN_NAMES]
    assert finding.remedy == ("docker network disconnect app db", "docker network connect app db")


def test_other_types_of_a_known_name_are_forwarded_by_design() -> None:
    assert set(found(resolved(asked_on("db", "TXT")))) == set()


def test_a_search_domain_makes_another_name() -> None:
    first, second = query(1, "AAAA"), query(2, "AAAA", name="db.corp.example")
    known, unknown = answer(first), answer(second, rcode=3)
    frames = (
        *on_loopback(first, known),
        *on_loopback(second, unknown, at=500_000),
        seen(1, WEB, (UPSTREAM, 53), question(second), at=550_000),
        seen(1, (UPSTREAM, 53), WEB, unknown, at=590_000),
    )
    asked = lookup(replied(first, known), replied(second, unknown, at=499_000), frames=frames, types=("AAAA",))
    assert set(found(resolved(asked))) == set(), "it is known, and has no IPv6 address"


def test_the_name_with_a_network_that_is_not_in_common_is_unknown_by_design() -> None:
    assert OWN_NAMES not in found(resolved(asked_on("both.other"), "both.other"))
    assert OWN_NAMES in found(resolved(asked_on("both.app"), "both.app"))


def test_a_container_that_uses_anothers_stack_has_no_name() -> None:
    world = beside("helper", Mode.SHARED, "db")
    findings = found(resolved(asked_on("helper"), "helper", "web", world))
    assert OWN_NAMES not in findings
    assert "has no name of its own" in findings[NO_NAME].title
    assert findings[NO_NAME].remedy == ("ask for db, whose address is the same",)


def test_a_name_that_somebody_outside_answers_was_forwarded_all_the_same() -> None:
    assert OWN_NAMES in found(resolved(asked_on("db", "A", 0, "203.0.113.7")))


# name-not-resolvable


@pytest.mark.parametrize(
    ("mode", "remedy"),
    [
        (Mode.HOST, "docker run --add-host metal:host-gateway"),
        (Mode.NONE, "start metal again without --network none"),
    ],
)
def test_no_network_is_connected_to_a_stack_that_takes_none(mode: Mode, remedy: str) -> None:
    finding = found(resolved(denied("metal"), "metal", "plain", beside("metal", mode)))[NO_NAME]
    assert finding.remedy == (remedy,)


def test_the_host_is_on_no_network_with_names() -> None:
    asked = query(name="db", server=UPSTREAM)
    by_host = lookup(replied(asked, answer(asked, rcode=3)), types=("A",), sandbox="host")
    finding = found(resolved(by_host, "db", "host"))[NO_NAME]
    assert finding.title.endswith("the host's resolver does not ask the engine")
    assert finding.remedy == ("use its address: dnetsniff ls",)


def test_a_mounted_resolv_conf_is_no_fault_of_the_engine() -> None:
    finding = found(resolved(denied("db")))[NO_NAME]
    assert "does not name the embedded DNS" in finding.title
    assert finding.remedy


def test_the_engine_s_own_server_on_a_gateway_is_no_mounted_file() -> None:
    asked = denied("db")
    setup = replace(asked.plan.setup, own_servers=(UPSTREAM,))
    finding = found(resolved(replace(asked, plan=replace(asked.plan, setup=setup))))[NO_NAME]
    assert finding.title.endswith("its resolver does not know it")
    elsewhere = replace(asked.plan.setup, own_servers=("172.18.0.1",))
    finding = found(resolved(replace(asked, plan=replace(asked.plan, setup=elsewhere))))[NO_NAME]
    assert "write `nameserver 172.18.0.1` there" in finding.remedy[0]


def test_an_answer_that_was_dropped_on_the_way_is_no_denial() -> None:
    assert set(found(resolved(dropped(), "big.example"))) == {"dns-truncated"}


def test_no_record_of_another_type_is_no_missing_address() -> None:
    asked = query(1, "MX", name="www.example", server=UPSTREAM)
    assert found(resolved(lookup(replied(asked, answer(asked)), types=("MX",)), "www.example", "plain")) == {}


def test_evidence_says_who_said_what_to_which_name() -> None:
    (first,) = found(resolved(denied("plain2"), "plain2", "plain"))[NO_NAME].evidence
    assert first.startswith(f"{UPSTREAM}, asked for plain2 A: NXDOMAIN")


# link-one-way


def test_the_network_that_mends_a_link_has_a_name_that_is_free() -> None:
    remedy = found(resolved(denied("plain2"), "plain2", "plain", linked()))["link-one-way"].remedy
    assert remedy[0] == "docker network create app2"
    assert "docker network connect app2 plain" in remedy


# hosts-file-stale


def test_a_line_for_a_container_in_anothers_stack_is_right() -> None:
    world = beside("helper", Mode.SHARED, "db")
    assert found(resolved(line("172.18.0.3", "helper"), "helper", "web", world)) == {}


def test_a_line_for_the_host_is_right() -> None:
    world = beside("metal", Mode.HOST)
    assert STALE not in found(resolved(line("172.17.0.1", "metal"), "metal", "web", world))


def test_its_own_line_is_right_whoever_else_is_called_so() -> None:
    assert found(resolved(line("172.18.0.2", "db"))) == {}


def test_a_neighbour_in_the_lan_of_a_macvlan_is_nobody_of_the_engines() -> None:
    def driven(driver: str) -> Topology:
        from ipaddress import ip_network

        lan = Network("e" * 64, "lan", driver, (Subnet(ip_network("10.1.0.0/24"), "10.1.0.1"),))
        return replace(WORLD, networks=(*WORLD.networks, lan))

    assert found(resolved(line("10.1.0.7", "printer"), "printer", "web", driven("macvlan"))) == {}
    assert found(resolved(line("10.1.0.1", "router"), "router", "web", driven("bridge"))) == {}
    assert set(found(resolved(line("10.1.0.7", "printer"), "printer", "web", driven("bridge")))) == {STALE}


def test_the_second_line_may_be_the_stale_one() -> None:
    lines = (HostsLine(7, "172.18.0.3", ("db",)), HostsLine(8, "172.18.0.99", ("db",)))
    finding = found(resolved(lookup(hosts=lines, asks=False)))[STALE]
    assert finding.evidence[0] == "/etc/hosts line 8: 172.18.0.99 db"


def test_the_mac_that_answers_says_whose_the_address_is() -> None:
    recording = traced(line("172.18.0.4"))
    mac = next(each.mac for each in WORLD.container("both").endpoints if each.network == "app")  # type: ignore[union-attr]
    at = point_named(recording.plan, "web/eth0")
    frames = (
        sighted(at, arp("172.18.0.2", "172.18.0.4"), heading=Heading.OUT),
        sighted(at, arp("172.18.0.4", "172.18.0.2", reply=True, mac=mac or ""), at=1_000),
    )
    finding = found(replace(recording, observations=frames))[STALE]
    assert finding.confidence is Confidence.CERTAIN
    assert f"both ({mac}) answered" in finding.evidence[-1]
    assert finding.remedy[-1] == "or with the right one: --add-host db:172.18.0.3"


# embedded-dns-silent, upstream-dns-unreachable


def test_a_question_that_waits_for_a_mac_address_is_no_silence_of_the_embedded_dns() -> None:
    findings = found(resolved(waiting(), "www.example"))
    assert set(findings) == {UNREACHABLE}
    assert findings[UNREACHABLE].title.startswith("172.18.0.99 has no MAC address on web/eth0")
    assert "172.18.0.99 was asked for on web/eth0, and nobody answered" in findings[UNREACHABLE].evidence


def test_silence_is_certain_where_everything_was_watched() -> None:
    asked = query()
    quiet = lookup(silent(asked), frames=on_loopback(asked, None), types=("A",))
    assert found(resolved(quiet))[SILENT_DNS].confidence is Confidence.CERTAIN
    blind = replace(quiet, blind_spots=(BlindSpot("host/lo", "not allowed"),))
    assert found(resolved(blind))[SILENT_DNS].confidence is Confidence.LIKELY
    lossy = replace(quiet, counts=tuple(replace(each, dropped=1) for each in quiet.counts))
    assert found(resolved(lossy))[SILENT_DNS].confidence is Confidence.LIKELY
    unwatched = replace(refused(translated=True), blind_spots=blind.blind_spots)
    assert found(resolved(unwatched))[SILENT_DNS].confidence is Confidence.CERTAIN, "refused is refused inside"


def test_a_loopback_server_of_its_own_is_not_the_engines() -> None:
    asked = query(server="127.0.0.1")
    frames = (seen(0, ("127.0.0.1", 5000), ("127.0.0.1", 53), question(asked)),)
    setup = ResolverSetup(Libc.GLIBC, "assumed", nameservers=Nameservers(("127.0.0.1",)))
    findings = found(resolved(lookup(silent(asked), frames=frames, types=("A",), setup=setup)))
    assert set(findings) == {UNREACHABLE}
    assert "127.0.0.1 means web itself" in findings[UNREACHABLE].title


# slow-lookup


def test_what_is_asked_behind_the_answer_is_not_waited_for() -> None:
    """`resolve --all` asks the other search domains, too."""
    late = query(9, name="db.9.example", server=UPSTREAM)
    more = replied(late, answer(late, rcode=3), at=5_000_000_000)
    before = searched(ms=30, names=1)
    assert found(resolved(replace(before, queries=(*before.queries, more)), "db.1.example")) == {}


def test_an_option_that_only_glibc_knows_is_not_advised_to_musl() -> None:
    asked = half()
    musl = replace(asked, plan=replace(asked.plan, setup=replace(asked.plan.setup, libc=Libc.MUSL)))
    assert "--dns-option single-request-reopen" in found(resolved(asked))["slow-lookup"].remedy
    assert "--dns-option single-request-reopen" not in found(resolved(musl))["slow-lookup"].remedy


# dns-truncated


def test_an_answer_too_large_for_the_embedded_dns_is_asked_for_by_tcp() -> None:
    finding = found(resolved(dropped(), "big.example"))["dns-truncated"]
    assert finding.remedy[0] == "docker run --dns-option use-vc"


def test_a_stopped_container_is_not_on_the_engines_mind() -> None:
    world = change_container(WORLD, "db", state="exited", endpoints=())
    assert found(resolved(asked_on("db"), "db", "web", world))[NO_NAME].remedy == ("docker start db",)
    assert EMBEDDED not in found(resolved(asked_on("db"), "db", "web", world))[NO_NAME].title


def test_a_container_cut_off_from_its_network_still_asks_the_embedded_dns() -> None:
    local = found(resolved(asked_on("plain2"), "plain2", "plain"))[NO_NAME]
    upstream = found(resolved(denied("plain2"), "plain2", "plain"))[NO_NAME]
    assert local.title.endswith("the embedded DNS knows no names of the default network")
    assert upstream.title.endswith("on the default network there is no embedded DNS")
