"""Legacy rules are compared around a run: counters of real tables, which nobody makes or loads for it."""

import shutil
from collections.abc import Iterator

import pytest
from lab import Lab, run
from test_session import carry_out, plan_to

from inspector.correlate.correlation import correlate
from inspector.model.report import Outcome
from inspector.model.rules import Backend, Hook

pytestmark = pytest.mark.kernel


def inside(world: Lab, place: str, command: str) -> str:
    tool = command.split(maxsplit=1)[0]
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    return run(f"ip netns exec {world.names[place]} {command}")


@pytest.fixture
def clean(world: Lab) -> Iterator[Lab]:
    """Lend the world; afterwards it has no legacy rules."""
    yield world
    for place in world.names:
        for tool in ("iptables-legacy", "ip6tables-legacy"):
            for words in ("-P INPUT ACCEPT", "-P OUTPUT ACCEPT", "-F", "-X"):
                inside(world, place, f"{tool} {words}")


def test_a_rule_that_drops_is_found_by_its_counter(clean: Lab) -> None:
    for rule in ("-N OWN", "-A INPUT -p tcp -j DROP", "-A INPUT -j OWN", "-A OWN -s 10.99.0.9/32 -j DROP"):
        inside(clean, "b", f"iptables-legacy {rule}")
    inside(clean, "b", "iptables-legacy -A OWN -s 10.99.0.2/32 -p icmp -m icmp --icmp-type 8 -j DROP")
    recording = carry_out(clean, plan_to(clean, count=2, timeout_s=0.05))
    (before,), (after,) = recording.firewall.legacy_before, recording.firewall.legacy_after
    assert (after.key.sandbox, after.key.backend, after.key.chain, after.size) == ("b", Backend.LEGACY, "OWN", 2)
    text = "-s 10.99.0.2/32 -p icmp -m icmp --icmp-type 8 -j DROP"
    assert [(each.position, each.text, each.packets) for each in before.rules] == [(2, text, 0)]
    assert [(each.position, each.text, each.packets) for each in after.rules] == [(2, text, 2)]
    verdict = correlate(recording).verdict
    assert verdict.outcome is Outcome.DROPPED
    assert verdict.summary.endswith("; likely by rule 2 of 2 in filter OWN (legacy): it counted 2 packets meanwhile")
    assert verdict.rule is not None
    assert (verdict.rule.text, verdict.rule.backend, verdict.rule.owner) == (text, Backend.LEGACY, "user")


@pytest.mark.parametrize(("tool", "target"), [("iptables-legacy", "10.99.0.3"), ("ip6tables-legacy", "fd99::3")])
def test_a_policy(clean: Lab, tool: str, target: str) -> None:
    inside(
        clean,
        "b",
        f"{tool} -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT" if "6" in tool else f"{tool} -L -n",
    )
    inside(clean, "b", f"{tool} -P INPUT DROP")
    recording = carry_out(clean, plan_to(clean, target, count=1, timeout_s=0.05))
    (chain,) = recording.firewall.legacy_after
    assert chain.hook == Hook("input", 0, "drop")
    assert [(each.position, each.text, each.target) for each in chain.rules if each.target == "DROP"] == [
        (0, "policy drop", "DROP")
    ]
    assert "likely by the policy of filter INPUT (legacy)" in correlate(recording).verdict.summary


def test_a_rejection_is_told_by_its_rule(clean: Lab) -> None:
    inside(clean, "b", "iptables-legacy -A INPUT -p icmp -j REJECT")
    verdict = correlate(carry_out(clean, plan_to(clean, count=1))).verdict
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.rule is not None
    assert verdict.rule.text == "-p icmp -j REJECT --reject-with icmp-port-unreachable"


def test_rules_without_work_are_left_out(clean: Lab) -> None:
    inside(clean, "b", "iptables-legacy -A INPUT -p tcp -j DROP")
    recording = carry_out(clean, plan_to(clean, count=1))
    assert (recording.firewall.legacy_before, recording.firewall.legacy_after) == ((), ())


def test_watching_makes_no_table(clean: Lab) -> None:
    names = "cat /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names"
    before = {place: inside(clean, place, names) for place in clean.names}
    carry_out(clean, plan_to(clean, count=1))
    assert {place: inside(clean, place, names) for place in clean.names} == before
