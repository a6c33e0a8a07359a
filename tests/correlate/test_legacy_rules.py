"""A counter that rose makes a cause likely, where exactly one rule fits."""

from dataclasses import replace

import pytest
from topologies import planned, read, recorded, sent

from inspector.correlate.correlation import correlate
from inspector.model.report import Outcome
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


def test_too_little_too_many_or_elsewhere_is_none() -> None:
    assert compared(("-j DROP", 0)) == "lost"
    assert compared(("-j DROP", 1), ("-p icmp -j DROP", 1)) == "lost"
    assert compared(("-j DROP", 1), sandbox=SandboxId("elsewhere")) == "lost"
    assert compared(("-j OWN", 1), target="OWN") == "lost"
    assert compared(("-j DROP", 1), changed=True) == "lost"
