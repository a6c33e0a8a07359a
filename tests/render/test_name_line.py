"""The name in the head of a trace, and what it says where source and engine differ."""

import named
import pytest
from msgspec.structs import replace
from named import UPSTREAM, query, replied
from named_cases import (
    CASES,
    DIRECT,
    dual_stack,
    embedded,
    forwarded_by_container,
    from_host,
    hosts_file,
    refused,
    search_list,
    silent_upstream,
    unknown_upstream,
)

from inspector.model.lookup import EMBEDDED_DNS
from inspector.model.names import Mechanism
from inspector.model.report import Report
from inspector.render.report_text import render_text

OTHERS = "192.168.0.4, fd00:53::3, fd00:53::4"
NO_WAY = "Network is unreachable"
TAKEN = "; address 172.17.0.3 taken from the engine"


def name_of(report: Report, width: int = 200) -> str:
    """Return the name's lines of a trace with these names."""
    question = replace(report.plan.question, names_only=False)
    text = render_text(replace(report, plan=replace(report.plan, question=question)), width=width)
    head, _, _ = text.partition("\npath ")
    return "\n".join(head.splitlines()[1:])


def by_engine(report: Report, address: str | None = "172.17.0.3") -> Report:
    mechanism = "engine" if address else "unresolved"
    return named.with_resolution(report, mechanism=mechanism, address=address)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (hosts_file(), "name     tomcat02: /etc/hosts line 7 says 172.17.0.3 (no DNS)"),
        (embedded(), "name     mynet-tomcat02: 192.168.0.3 from Docker's embedded DNS in 263.0 us"),
        (
            forwarded_by_container(),
            f"name     web.example: 203.0.113.7 (also 203.0.113.8) from {UPSTREAM} in 920.0 us",
        ),
        (search_list(), f"name     db (as db.corp.example): 203.0.113.7 from {UPSTREAM} in 520.0 us"),
        (
            dual_stack(),
            f"name     mynet-tomcat02: 192.168.0.3 (also {OTHERS}) from Docker's embedded DNS in 263.0 us",
        ),
        (
            by_engine(unknown_upstream()),
            f"name     tomcat02 is unknown inside tomcat01 (asked {UPSTREAM}: NXDOMAIN){TAKEN}",
        ),
        (
            by_engine(unknown_upstream(), None),
            f"name     tomcat02 is unknown inside tomcat01 (asked {UPSTREAM}: NXDOMAIN)",
        ),
        (
            by_engine(silent_upstream(), None),
            "name     www.example cannot be resolved inside tomcat01 (asked 127.0.0.11: no answer within 5.00 s)",
        ),
        (
            by_engine(refused()),
            f"name     mynet-tomcat02 cannot be resolved inside tomcat01 (asked {EMBEDDED_DNS}: {NO_WAY}){TAKEN}",
        ),
    ],
)
def test_the_name_in_one_line(report: Report, expected: str) -> None:
    assert name_of(report).splitlines()[0] == expected


def test_without_a_lookup_the_line_stays_as_it_was() -> None:
    report = by_engine(named.reported(None))
    assert name_of(report).startswith("name     tomcat02: address 172.17.0.3 taken from the engine")
    assert "name " not in name_of(named.with_resolution(report, mechanism="address", address="172.17.0.3"))


def test_both_are_told_where_the_engine_has_another_address() -> None:
    known = named.with_resolution(
        hosts_file(), mechanism="hosts-file", address="172.17.0.3", engine_addresses=("172.17.0.9", "192.168.0.9")
    )
    second = name_of(known).splitlines()[1]
    assert second == "name     the engine knows tomcat02 by another address: 172.17.0.9, 192.168.0.9"
    alike = named.with_resolution(
        hosts_file(), mechanism="hosts-file", address="172.17.0.3", engine_addresses=("172.17.0.9", "172.17.0.3")
    )
    assert "the engine" not in name_of(alike)


def test_a_hosts_line_is_no_proof_of_no_dns_where_dns_was_asked() -> None:
    names = hosts_file().names
    assert names
    asked = replace(names, exchanges=(replied(query(), None),))
    report = replace(hosts_file(), names=asked)
    assert name_of(report).splitlines()[0] == "name     tomcat02: /etc/hosts line 7 says 172.17.0.3"


def test_a_name_that_nobody_was_asked_for_has_its_reason() -> None:
    names = named.named("tomcat02", Mechanism.UNRESOLVED, setup=DIRECT, why="DNS is not asked")
    assert "tomcat02 cannot be resolved inside tomcat01 (DNS is not asked)" in name_of(by_engine(named.reported(names)))


def test_the_host_is_not_a_container() -> None:
    names = from_host().names
    assert names
    unknown = replace(names, mechanism=Mechanism.UNRESOLVED, exchanges=(), why="nothing was asked")
    report = named.reported(unknown, source="host")
    assert "www.example cannot be resolved on the host (nothing was asked)" in name_of(report)


@pytest.mark.parametrize("case", CASES)
def test_it_fits_and_is_harmless(case: str) -> None:
    for line in name_of(CASES[case](), 80).splitlines():
        assert len(line) <= 80
        assert line.isprintable()
