"""Findings about overlay networks are raised on their evidence, and say what can be typed, and where."""

import pytest
from overlays import NODE, OVERLAY_CASES, OWN, blocked, delivered, node_gone, refused, silent, told_earlier, too_big

from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.model.report import Confidence, Finding, Outcome
from inspector.pipeline import review

ALL = {*OVERLAY_CASES, "mtu-too-big", "firewall-drop", "neighbour-unanswered"}


def found(recording: Recording) -> dict[str, Finding]:
    return {each.id: each for each in review(recording).findings if each.id in ALL}


@pytest.mark.parametrize("name", OVERLAY_CASES)
def test_each_is_raised_on_its_case_and_no_other(name: str) -> None:
    findings = found(OVERLAY_CASES[name]())
    assert list(findings) == [name]
    assert findings[name].evidence


def test_nothing_is_found_where_it_works() -> None:
    assert not found(delivered())


def test_a_silent_peer_is_likely_and_both_nodes_are_named() -> None:
    finding = found(silent())["overlay-peer-silent"]
    assert finding.confidence is Confidence.LIKELY
    assert any(NODE in each for each in finding.evidence)
    assert any(each.startswith(f"on {NODE}: let UDP 4789 in from {OWN}") for each in finding.remedy)


def test_a_peer_that_refuses_is_certain() -> None:
    finding = found(refused())["overlay-peer-silent"]
    assert finding.confidence is Confidence.CERTAIN
    assert any(f"{NODE} says: Destination Port Unreachable" in each for each in finding.evidence)


def test_silence_to_a_datagram_says_nothing_about_the_node() -> None:
    assert not found(silent(protocol=Protocol.UDP, port=53))


def test_a_node_that_nobody_is() -> None:
    recording = node_gone()
    assert review(recording).verdict.outcome is Outcome.DROPPED
    findings = found(recording)
    assert list(findings) == ["overlay-peer-silent"]
    assert findings["overlay-peer-silent"].confidence is Confidence.CERTAIN


@pytest.mark.parametrize(
    ("back", "text", "remedy"),
    [
        (False, "-p udp -m udp --dport 4789 -j DROP", "iptables -D OUTPUT -p udp -m udp --dport 4789 -j DROP"),
        (True, "-p udp -m udp --dport 4789 -j DROP", "iptables -D INPUT -p udp -m udp --dport 4789 -j DROP"),
        (False, "-j DROP", f"iptables -I OUTPUT 1 -p udp -d {NODE} --dport 4789 -j ACCEPT"),
        (True, "-j DROP", f"iptables -I INPUT 1 -p udp -s {NODE} --dport 4789 -j ACCEPT"),
        (True, "udp dport 4789 drop", "nft delete rule ip filter INPUT handle 7"),
        (True, "drop", f"nft insert rule ip filter INPUT handle 7 ip saddr {NODE} udp dport 4789 accept"),
    ],
)
def test_the_port_is_let_through_or_the_rule_taken_out(*, back: bool, text: str, remedy: str) -> None:
    finding = found(blocked(back=back, text=text))["overlay-port-blocked"]
    assert finding.remedy == (remedy,)
    assert ("from" if back else "to") + f" {NODE}" in finding.title


@pytest.mark.parametrize(
    "recording", [too_big(), too_big(told=False), told_earlier()], ids=["told", "silent", "earlier"]
)
def test_what_does_not_fit_the_uplink(recording: Recording) -> None:
    findings = found(recording)
    assert list(findings) == ["overlay-mtu"]
    finding = findings["overlay-mtu"]
    assert "carries 1400 bytes; a packet of 1428 needs 1478" in finding.title
    assert finding.remedy[0].startswith("ip link set dev up0 mtu 1500")
    assert any("network.driver.mtu=1350" in each for each in finding.remedy)
