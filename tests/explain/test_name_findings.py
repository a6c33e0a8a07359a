"""Findings about names: each on its evidence, told apart from its neighbours, and none on a healthy lookup."""

from collections.abc import Callable

import pytest
from dns_frames import EMBEDDED, UPSTREAM, answer, lookup, query, replied, silent
from msgspec.structs import replace
from name_cases import (
    CASES,
    HEALTHY,
    WORLD,
    denied,
    dropped,
    found,
    known,
    line,
    linked,
    refused,
    resolved,
    searched,
    traced,
    unanswered,
)
from topologies import arp, point_named, seen

from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.report import Confidence, Severity

CONNECT = "docker network connect"


@pytest.mark.parametrize("name", list(CASES))
def test_each_is_found_with_evidence_and_a_remedy(name: str) -> None:
    finding = found(CASES[name]())[name]
    assert finding.evidence
    assert finding.remedy
    assert finding.severity in {Severity.ERROR, Severity.WARNING}


@pytest.mark.parametrize("name", list(HEALTHY))
def test_none_is_found_on_a_healthy_lookup(name: str) -> None:
    make, expected = HEALTHY[name]
    assert set(found(make())) == expected


@pytest.mark.parametrize(
    ("source", "name", "remedy"),
    [
        (
            "plain",
            "plain2",
            ("docker network create app2", f"{CONNECT} app2 plain", f"{CONNECT} app2 plain2"),
        ),
        ("plain", "db", ("docker network connect app plain",)),
        ("web", "far", ("docker network connect other web",)),
        ("web", "plain", ("docker network connect app plain",)),
        ("web", "gone", ("docker start gone",)),
        ("web", "dbb", ("did you mean db?",)),
        ("web", "www.example", ("check how the name is written, and who should know it",)),
    ],
)
def test_a_name_that_is_denied_has_the_remedy_of_its_cause(source: str, name: str, remedy: tuple[str, ...]) -> None:
    assert found(resolved(denied(name), name, source))["name-not-resolvable"].remedy == remedy


def test_where_the_path_is_shown_all_the_same_it_is_a_warning() -> None:
    assert found(traced(denied("plain2"), "plain2", "plain"))["name-not-resolvable"].severity is Severity.WARNING
    assert found(resolved(denied("plain2"), "plain2", "plain"))["name-not-resolvable"].severity is Severity.ERROR


def test_no_data_is_a_denial_and_silence_is_none() -> None:
    asked = query(name="plain2", server=UPSTREAM)
    nothing, quiet = lookup(replied(asked, answer(asked)), types=("A",)), lookup(silent(asked), types=("A",))
    assert "name-not-resolvable" in found(resolved(nothing, "plain2", "plain"))
    assert "name-not-resolvable" not in found(resolved(quiet, "plain2", "plain"))


def test_a_link_is_found_by_the_engines_word_and_not_where_the_name_is_known() -> None:
    assert "link-one-way" not in found(resolved(denied("plain2"), "plain2", "plain"))
    assert "link-one-way" not in found(resolved(line("172.17.0.3", "plain2"), "plain2", "plain", linked()))


def test_a_stale_line_is_certain_where_the_wire_says_so() -> None:
    stale = found(resolved(line("172.18.0.99")))["hosts-file-stale"]
    assert (stale.confidence, "nobody has it" in stale.title) == (Confidence.LIKELY, True)
    assert "172.18.0.3" in stale.title, "where the engine knows the name, the right address is said"
    assert found(resolved(line("172.18.0.4")))["hosts-file-stale"].confidence is Confidence.LIKELY
    recording = traced(line("172.18.0.99"))
    asked = seen(point_named(recording.plan, "web/eth0"), arp("172.18.0.2", "172.18.0.99"), heading=Heading.OUT)
    assert found(replace(recording, observations=(asked,)))["hosts-file-stale"].confidence is Confidence.CERTAIN


def test_rules_that_are_gone_and_a_resolver_that_is_gone_are_two_things() -> None:
    gone = found(resolved(refused(translated=False)))["embedded-dns-silent"]
    assert (gone.remedy, gone.confidence) == (("docker restart web",), Confidence.CERTAIN)
    nobody = found(resolved(refused(translated=True)))["embedded-dns-silent"]
    assert "systemctl restart docker" in nobody.remedy[0]


def test_what_is_asked_on_its_behalf_is_no_silence_of_the_embedded_dns() -> None:
    assert set(found(resolved(unanswered(forwarded=True), "www.example"))) == {"upstream-dns-unreachable"}


def test_where_there_is_no_embedded_dns_a_loopback_server_is_nobodys() -> None:
    asked = query(name="www.example", server="127.0.0.53")
    finding = found(resolved(lookup(silent(asked), types=("A",)), "www.example", "plain"))["upstream-dns-unreachable"]
    assert "127.0.0.53 means plain itself" in finding.title


@pytest.mark.parametrize("name", ["far", "gone", "nobody"])
def test_only_a_running_container_of_a_common_network_is_forwarded_wrongly(name: str) -> None:
    findings = found(resolved(denied(name, forwarded=True), name))
    assert "embedded-dns-forwards-own-names" not in findings
    assert "name-not-resolvable" in findings


def test_slow_is_a_long_search_and_a_long_wait() -> None:
    assert "3 other names" in found(resolved(searched(ms=800, names=4)))["slow-lookup"].title
    assert "took 1.5 s" in found(resolved(searched(ms=3000, names=2)))["slow-lookup"].title


def test_records_that_the_embedded_dns_drops_are_counted() -> None:
    finding = found(resolved(dropped(), "big.example"))["dns-truncated"]
    assert finding.title == f"{UPSTREAM} answered with 2 records, and the embedded DNS handed none of them back"


def test_of_several_addresses_it_is_said_which_was_answered() -> None:
    title = found(resolved(known("both", "172.18.0.4"), "both"))["dual-homed"].title
    assert title.endswith("its name was answered with 172.18.0.4 (app, in common)")
    title = found(resolved(known("both", "172.19.0.4"), "both"))["dual-homed"].title
    assert title.endswith("172.19.0.4 (other, not in common)")


def test_a_server_of_the_hosts_own_is_not_the_embedded_one() -> None:
    """127.0.0.53 on the host is systemd-resolved or the like, and no business of the engine's."""
    asked = query(name="www.example", server="127.0.0.53")
    asked_by_host = lookup(silent(asked), types=("A",), sandbox="host")
    recording: Callable[[], Recording] = lambda: resolved(asked_by_host, "www.example", "host")  # noqa: E731
    assert set(found(recording())) == {"upstream-dns-unreachable"}
    assert EMBEDDED not in found(recording())["upstream-dns-unreachable"].title
    assert WORLD.container("host") is None
