"""A counter that rose makes a cause likely, where exactly one rule fits."""

import pytest
from firewalls import chain, passed, with_firewall
from msgspec.structs import replace
from topologies import planned, read, recorded, sent

from inspector.correlate.correlation import correlate
from inspector.correlate.legacy_rules import compare_counters
from inspector.model.question import Protocol
from inspector.model.report import Outcome, Rule
from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, FirewallRecord, Hook
from inspector.model.topology import HOST, SandboxId

WORLD = read("two-networks.toml")
FAR = planned(WORLD, "web", "api")
SOURCE, TARGET = FAR.source.address, FAR.resolution.address


def compared(*rules: tuple[str, int], sandbox: SandboxId = HOST, target: str = "DROP", changed: bool = False) -> str:
    """Return the summary where these rules of one chain counted so much, and the probe was lost on the host."""
    key = ChainKey(sandbox, Backend.LEGACY, "ip", "filter", "FORWARD")
    kept = tuple(ChainRule(0, at, text, target, packets=7) for at, (text, _) in enumerate(rules, start=1))
    before = Chain(key, len(kept), Hook("forward", 0, "accept"), kept)
    after = replace(
        before,
        rules=tuple(replace(each, packets=7 + more) for each, (_, more) in zip(kept, rules, strict=True)),
    )
    if changed:
        before = replace(before, rules=tuple(replace(each, text="other") for each in kept))
    recording = recorded(WORLD, FAR, probes=(sent(),), request=3, reply=0)
    recording = replace(recording, firewall=FirewallRecord(legacy_before=(before,), legacy_after=(after,)))
    verdict = correlate(recording).verdict
    assert (verdict.outcome is Outcome.DROPPED) == (verdict.rule is not None) == ("likely" in verdict.summary)
    return verdict.summary if verdict.rule else verdict.outcome.value


def test_the_one_that_fits_is_likely() -> None:
    assert compared((f"-d {TARGET}/32 -p icmp -j DROP", 1)).endswith(
        "; likely by rule 1 of 1 in filter FORWARD (legacy): it counted 1 packets meanwhile"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"-d {TARGET}/32 -p tcp -j DROP",
        f"-s {TARGET}/32 -j DROP",
        f"! -s {SOURCE}/32 -j DROP",
        "-i eth99 -j DROP",
        "-p icmp -m icmp --icmp-type 0 -j DROP",
    ],
)
def test_a_rule_that_could_not_match_is_none(text: str) -> None:
    assert compared((text, 5)) == "lost"


@pytest.mark.parametrize("text", ["-j DROP", "-i docker+ -j DROP", "! -i eth0 -p icmp -m icmp --icmp-type any -j DROP"])
def test_a_rule_that_could_is(text: str) -> None:
    assert "likely by rule 1" in compared((text, 1))


def accepted(text: str = f"-s {SOURCE}/32 -p icmp -j ACCEPT", *, base: str = "FORWARD", more: int = 1) -> Rule | None:
    """Return the legacy rule that is said to accept what a rule of nf_tables dropped on the host."""
    told = passed(WORLD, "filter FORWARD", "FORWARD 2 drop", inbound="host/docker0", outbound="host/br-mynet")
    recording = with_firewall(
        recorded(WORLD, FAR, probes=(sent(),), request=3, reply=0), [told], [chain("filter FORWARD", {2: "-j DROP"})]
    )
    key = ChainKey(HOST, Backend.LEGACY, "ip", "filter", base)
    hook = Hook(base.lower(), 0, "accept") if base.isupper() else None
    before = Chain(key, 1, hook, (ChainRule(0, 1, text, "ACCEPT", packets=7),))
    after = replace(before, rules=(replace(before.rules[0], packets=7 + more),))
    firewall = replace(recording.firewall, legacy_before=(before,), legacy_after=(after,))
    return correlate(replace(recording, firewall=firewall)).accepted_by_legacy


@pytest.mark.parametrize("base", ["FORWARD", "own"])
def test_one_that_accepts_what_the_other_filter_drops(base: str) -> None:
    found = accepted(base=base)
    assert found is not None
    assert (found.backend, found.chain, found.text) == (Backend.LEGACY, base, f"-s {SOURCE}/32 -p icmp -j ACCEPT")


def test_what_counted_nothing_or_elsewhere_or_another_s_accepts_nothing() -> None:
    assert accepted(more=0) is None
    assert accepted(base="INPUT") is None
    assert accepted(f"-s {TARGET}/32 -j ACCEPT") is None


def test_a_probe_of_a_port_is_matched_by_its_protocol() -> None:
    plan = planned(WORLD, "web", "api", protocol=Protocol.TCP, port=80)
    key = ChainKey(HOST, Backend.LEGACY, "ip", "filter", "FORWARD")
    for text, named in (("-p tcp -j DROP", True), ("-p icmp -j DROP", False)):
        before = Chain(key, 1, Hook("forward", 0, "accept"), (ChainRule(0, 1, text, "DROP", packets=0),))
        after = replace(before, rules=(replace(before.rules[0], packets=1),))
        recording = recorded(WORLD, FAR, probes=(sent(),), request=3, reply=0)
        told = FirewallRecord(legacy_before=(before,), legacy_after=(after,))
        paths = correlate(recording).paths
        found = compare_counters(replace(recording, plan=plan, firewall=told), paths)
        assert (found is not None) is named


def test_too_little_too_many_or_elsewhere_is_none() -> None:
    assert compared(("-j DROP", 0)) == "lost"
    assert compared(("-j DROP", 1), ("-p icmp -j DROP", 1)) == "lost"
    assert compared(("-j DROP", 1), sandbox=SandboxId("elsewhere")) == "lost"
    assert compared(("-j OWN", 1), target="OWN") == "lost"
    assert compared(("-j DROP", 1), changed=True) == "lost"
