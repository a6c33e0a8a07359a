"""Flows to a published port that keep to an older way, told from those that go well."""

import pytest
from msgspec.structs import replace
from port_cases import DATAGRAM, DB, OLD, standing

from inspector.model.conntrack import Flow
from inspector.model.recording import Recording
from inspector.model.report import Finding
from inspector.pipeline import review

GONE = replace(OLD, destination="172.17.0.99", destination_port=53)
ELSEWHERE = replace(OLD, source="203.0.113.9")


def found(recording: Recording) -> Finding | None:
    return next((each for each in review(recording).findings if each.id == "stale-conntrack"), None)


def test_a_flow_that_began_before_the_port_was_published() -> None:
    finding = found(standing((OLD, OLD)))
    assert finding
    assert finding.title.startswith("one flow to port 5353 of the host does not go to db:53/udp")
    assert finding.evidence[0] == "conntrack of host: 172.17.0.2:5060 > 172.17.0.1:5353 is left as it is"
    assert finding.remedy == (
        "conntrack -D -p udp --orig-dst 172.17.0.1 --orig-port-dst 5353   # of the package conntrack",
    )


@pytest.mark.parametrize("carried", [True, False])
def test_a_flow_to_an_address_that_no_container_has(*, carried: bool) -> None:
    finding = found(
        standing((OLD, GONE), (ELSEWHERE, replace(ELSEWHERE, destination=GONE.destination)), carried=carried)
    )
    assert finding
    assert finding.title.startswith("2 flows to port 5353 of the host do not go")
    assert len(finding.remedy) == 1


@pytest.mark.parametrize(
    "recording",
    [
        standing(),
        standing((OLD, replace(OLD, destination=DB, destination_port=53))),
        standing((OLD, OLD), status=("seen-reply",)),
        standing((OLD, OLD), carried=False),
        standing((ELSEWHERE, ELSEWHERE)),
        standing((replace(OLD, destination="203.0.113.1"), replace(OLD, destination="203.0.113.1"))),
    ],
    ids=["none", "to the container", "a proxy answers", "no rule now", "another client", "to somebody else"],
)
def test_flows_that_prove_nothing(recording: Recording) -> None:
    assert found(recording) is None


def test_what_was_rewritten_is_told_once() -> None:
    report = review(standing())
    told = [each.text for each in report.story if each.text.startswith("conntrack")]
    onward = f"172.17.0.2:40001 > {DB}:53"
    assert told == [f"conntrack of host: 172.17.0.2:40001 > 172.17.0.1:5353 goes on as {onward}, and {DB}:53 answers"]
    (translation,) = report.translations
    assert translation.entry.original == Flow("172.17.0.2", "172.17.0.1", 40_001, DATAGRAM.question.port)
    assert translation.rules == ()
