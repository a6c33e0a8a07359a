"""Findings about TCP and UDP, each on its evidence; the causes of one refusal told apart."""

import pytest
from msgspec.structs import replace
from port_cases import (
    BY_ITSELF,
    FINDINGS,
    NEAR,
    PORT,
    PUBLISHING,
    WORLD,
    accepted,
    back,
    datagram,
    listening,
    port_plan,
    port_recording,
    refused,
    rejected,
    syn,
    there,
    translated,
    unreachable,
)
from topologies import change_link

from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.model.report import Confidence, Finding, Severity
from inspector.pipeline import review


def found(recording: Recording) -> dict[str, Finding]:
    return {each.id: each for each in review(recording).findings}


@pytest.mark.parametrize("name", FINDINGS)
def test_it_is_raised_on_its_evidence_and_alone(name: str) -> None:
    raised = found(FINDINGS[name]())
    assert set(raised) == {name}
    assert raised[name].evidence
    assert raised[name].remedy or raised[name].severity is Severity.NOTE


def test_nothing_is_raised_where_a_connection_is_accepted() -> None:
    assert found(accepted(WORLD, NEAR, aftermath=listening(NEAR, "0.0.0.0"))) == {}


def test_a_closed_port_names_what_listens_and_where_to_go() -> None:
    finding = found(refused(WORLD, NEAR, aftermath=listening(NEAR, "0.0.0.0", port=80)))["port-closed"]
    assert finding.title == "nothing listens on db:8080"
    assert finding.confidence is Confidence.CERTAIN
    assert finding.evidence == (
        "RST first seen at db/eth0, as db sent it",
        "TCP sockets that listen in db: 0.0.0.0:80",
    )
    assert finding.remedy == ("dnetsniff trace web db:80   # the port it listens on",)


def test_a_closed_port_is_only_likely_where_no_socket_table_was_read() -> None:
    finding = found(refused(WORLD, NEAR))["port-closed"]
    assert finding.confidence is Confidence.LIKELY
    assert "what listens in db could not be read" in finding.evidence


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1"])
def test_a_service_on_its_loopback_is_told_from_a_closed_port(address: str) -> None:
    finding = found(refused(WORLD, NEAR, aftermath=listening(NEAR, address)))["bound-to-loopback"]
    assert finding.title.endswith("alone, where only db itself reaches it")
    assert "listen on 0.0.0.0:8080 instead of " in finding.remedy[0]


def test_a_refusal_that_the_destination_never_sent_is_a_firewall_s() -> None:
    raised = found(rejected(WORLD, port_plan(WORLD, "web", "api"), aftermath=listening(NEAR)))
    assert set(raised) == {"firewall-reject"}
    assert raised["firewall-reject"].evidence[1] == "api never sent it"


def test_a_stack_that_refuses_what_its_own_socket_would_take_has_a_rule() -> None:
    raised = found(refused(WORLD, NEAR, aftermath=listening(NEAR, "0.0.0.0", "127.0.0.1")))
    assert set(raised) == {"firewall-reject"}
    assert raised["firewall-reject"].evidence[1] == "a socket of db listens on 0.0.0.0:8080"


def test_a_socket_for_ipv6_alone_is_no_evidence_of_a_rule() -> None:
    assert found(refused(WORLD, NEAR, aftermath=listening(NEAR, "::"))) == {}


def test_a_refusal_that_no_point_saw_was_made_inside_the_source() -> None:
    raised = found(port_recording(WORLD, NEAR, answer="TCP RST"))
    assert raised["firewall-reject"].title.endswith("RST inside web itself")


def test_an_icmp_error_about_a_connection_is_a_firewall_s_wherever_it_comes_from() -> None:
    said = back(NEAR, unreachable(NEAR, syn(NEAR)))
    recording = port_recording(WORLD, NEAR, there(NEAR, syn(NEAR)), said, answer="Destination Port Unreachable")
    raised = found(recording)
    assert set(raised) == {"firewall-reject"}
    assert "db/eth0" in raised["firewall-reject"].title
    assert review(recording).verdict.summary.startswith("a firewall refused db:8080")


def test_a_datagram_to_a_closed_port() -> None:
    plan = port_plan(WORLD, "web", "db", protocol=Protocol.UDP)
    said = back(plan, unreachable(plan, datagram(plan)))
    words = "Destination Port Unreachable"
    recording = port_recording(
        WORLD, plan, there(plan, datagram(plan)), said, answer=words, aftermath=listening(plan, "0.0.0.0", port=53)
    )
    assert found(recording)["port-closed"].remedy == ("dnetsniff trace web db:53/udp   # the port it listens on",)


def test_several_ports_are_left_to_the_reader() -> None:
    both = listening(NEAR, "0.0.0.0", port=80)
    more = listening(NEAR, "0.0.0.0", port=81)
    listeners = (*both.listeners, *more.listeners)
    recording = refused(WORLD, NEAR, aftermath=type(both)(listeners=listeners, listened=both.listened))
    assert found(recording)["port-closed"].remedy == (
        f"start the service in db, listening on port {PORT} of all addresses",
    )


def test_silence_is_nobody_s_refusal() -> None:
    assert found(port_recording(WORLD, NEAR, there(NEAR, syn(NEAR)))) == {}


def test_a_packet_kept_back_may_have_been_seen_on_the_bridge() -> None:
    finding = found(translated(BY_ITSELF, 1))["published-port-hairpin"]
    assert finding.evidence[0] == "it came in at host/veth-db, and was last seen at host/docker0"
    assert finding.remedy == ("bridge link set dev veth-db hairpin on",)
    assert (
        review(translated(BY_ITSELF, 1)).verdict.summary == "last seen at host/docker0; it never came to host/veth-db"
    )


def test_a_port_in_hairpin_mode_did_not_keep_it_back() -> None:
    world = change_link(PUBLISHING, "host/veth-db", hairpin=True)
    assert "published-port-hairpin" not in found(replace(translated(BY_ITSELF, 1), topology=world))
