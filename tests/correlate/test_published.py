"""What carried a probe from a published port to the container, and how that ended."""

import pytest
from port_cases import (
    BY_HOST,
    BY_ITSELF,
    FROM_AFAR,
    ON_LOOPBACK,
    PUBLISHING,
    REFUSES,
    TAKES,
    accepted,
    port_recording,
    proxied,
    refused,
    syn,
    there,
    translated,
)

from inspector.correlate.correlation import correlate
from inspector.model.question import Carriage
from inspector.model.recording import Recording
from inspector.model.report import Outcome
from inspector.pipeline import review
from inspector.render.report_json import to_dict
from inspector.render.report_text import render_text

CASES = {
    "by a rule": (
        translated(BY_HOST),
        Carriage.TRANSLATED,
        Outcome.DELIVERED,
        "1 of 1 accepted, by db:80 behind the published port",
    ),
    "by a rule, from the host": (
        translated(ON_LOOPBACK),
        Carriage.TRANSLATED,
        Outcome.DELIVERED,
        "1 of 1 accepted, by db:80 behind the published port",
    ),
    "by a rule, to itself": (
        translated(BY_ITSELF),
        Carriage.TRANSLATED,
        Outcome.DELIVERED,
        "1 of 1 accepted, by db:80 behind the published port",
    ),
    "by a proxy": (
        proxied(ON_LOOPBACK, TAKES),
        Carriage.PROXY,
        Outcome.DELIVERED,
        "1 of 1 accepted, by a proxy on the host for db:80",
    ),
    "refused to the proxy": (
        proxied(ON_LOOPBACK, REFUSES),
        Carriage.PROXY,
        Outcome.REJECTED,
        "a proxy on the host took it; db:80 refused what the proxy sent on: RST, first seen at db/eth0",
    ),
    "silent to the proxy": (
        proxied(ON_LOOPBACK, None),
        Carriage.PROXY,
        Outcome.UNANSWERED,
        "a proxy on the host took it; what it sent on to db:80 was last seen at db/eth0, and nobody answered it",
    ),
    "stopped behind the rule": (
        translated(BY_HOST, 1),
        Carriage.TRANSLATED,
        Outcome.LOST,
        "last seen at host/docker0; it never came to host/veth-db",
    ),
    "stopped on the host": (
        translated(FROM_AFAR, 0),
        Carriage.UNSEEN,
        Outcome.LOST,
        "last seen at host/br-mynet; it never came to host/docker0",
    ),
    "taken by nobody knows whom": (
        accepted(PUBLISHING, ON_LOOPBACK),
        Carriage.UNSEEN,
        Outcome.UNKNOWN,
        "the host itself took it, and nothing was seen to go on to db: who answered cannot be told",
    ),
    "refused by the host": (
        refused(PUBLISHING, ON_LOOPBACK),
        Carriage.UNSEEN,
        Outcome.REJECTED,
        "127.0.0.1:8080 refused: its own stack answered RST, first seen at host/lo",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_told(name: str) -> None:
    recording, carriage, outcome, summary = CASES[name]
    found = correlate(recording)
    assert found.recording.plan.publication
    assert found.recording.plan.publication.carriage is carriage
    assert (found.verdict.outcome, found.verdict.summary) == (outcome, summary)


def test_what_the_host_rewrote_before_any_interface_is_told_at_the_first() -> None:
    (request, _) = correlate(translated(ON_LOOPBACK)).paths
    (rewrite,) = request.seen[0].rewrites
    assert (rewrite.before, rewrite.after) == ("127.0.0.1:8080", "172.17.0.3:80")
    assert [str(hop.point) for hop in request.hops] == ["host/docker0", "host/veth-db", "db/eth0"]


def test_a_rewrite_on_the_way_is_told_where_it_was_seen() -> None:
    request = correlate(translated(BY_HOST)).paths[0]
    rewritten = [hop for hop in request.seen if any(each.field == "destination" for each in hop.rewrites)]
    assert [hop.destination for hop in rewritten] == ["172.17.0.3:80"]


def test_the_proxy_s_connection_is_a_path_of_its_own() -> None:
    report = review(proxied(ON_LOOPBACK, TAKES))
    assert [(path.segment, path.proxied) for path in report.paths] == [
        ("SYN", False),
        ("SYN-ACK", False),
        ("SYN", True),
        ("SYN-ACK", True),
    ]
    assert to_dict(report)["publication"] == {
        "container": "db",
        "address": "172.17.0.3",
        "port": 80,
        "carriage": "proxy",
    }
    text = render_text(report)
    assert "published by the host for db:80 (carried there by a proxy" in text
    assert "proxy's request 1  SYN" in text


def test_a_connection_of_others_before_the_probe_is_not_the_proxy_s() -> None:
    recording = proxied(ON_LOOPBACK, TAKES)
    early = tuple(
        type(each)(each.point, each.at_ns - 10**9, each.heading, each.packet_type, each.frame, each.wire_length)
        for each in recording.observations[4:]
    )
    shown = (*recording.observations[:4], *early)
    other = port_recording(PUBLISHING, ON_LOOPBACK, shown, answer="reply")
    assert carriage_of(other) is Carriage.UNSEEN


def test_silence_on_the_host_s_own_loopback_is_expected_to_have_gone_on() -> None:
    found = correlate(port_recording(PUBLISHING, ON_LOOPBACK, there(ON_LOOPBACK, syn(ON_LOOPBACK))))
    assert found.verdict.summary == "last seen at host/lo; it never came to host/docker0"


def carriage_of(recording: Recording) -> Carriage | None:
    publication = correlate(recording).recording.plan.publication
    return publication.carriage if publication else None
