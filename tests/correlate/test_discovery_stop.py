"""A rule that dropped neighbour discovery is named where that is certain, and nowhere else."""

import pytest
from msgspec.structs import replace
from state_cases import ASKED, discovery_dropped, filtered
from topologies import change_stack

from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Rule
from inspector.model.topology import HOST, Setting
from inspector.pipeline import review

LEFT, PORT = "left/eth0", "host/veth-left"
TO_HOST = {LEFT: Heading.OUT, PORT: Heading.IN}
BRIDGED = (Setting("net.bridge.bridge-nf-call-ip6tables", "1"),)


def named(recording: Recording) -> Rule | None:
    verdict = review(recording).verdict
    assert (verdict.outcome, verdict.reason) == (Outcome.DROPPED, "neighbour unanswered")
    return verdict.rule


def bridged(recording: Recording) -> Recording:
    return replace(recording, topology=change_stack(recording.topology, HOST, settings=BRIDGED))


@pytest.mark.parametrize("chain", ["INPUT", "PREROUTING"])
def test_what_the_address_s_own_stack_drops(chain: str) -> None:
    rule = named(discovery_dropped("right", chain))
    assert rule is not None
    assert (rule.sandbox, rule.chain, rule.position, rule.text) == ("right", chain, 2, "-p ipv6-icmp -j DROP")


def test_an_answer_that_never_left() -> None:
    rule = named(discovery_dropped("right", "OUTPUT", asks=False))
    assert rule is not None
    assert rule.chain == "OUTPUT"


def test_an_answer_that_left_was_not_dropped_on_its_way_out() -> None:
    left = filtered(told_at={"right/eth0": Heading.OUT})
    assert named(discovery_dropped("right", "OUTPUT", asks=False, recording=left)) is None


def test_what_the_host_drops_counts_where_it_is_asked_about_bridged_frames() -> None:
    stopped = discovery_dropped("host", "FORWARD", recording=filtered(TO_HOST))
    assert named(stopped) is None
    assert named(bridged(stopped)) is not None


def test_an_answer_that_the_host_drops_between_two_ports() -> None:
    asked = {**TO_HOST, "host/veth-right": Heading.OUT, "right/eth0": Heading.IN}
    back = filtered(asked, {"right/eth0": Heading.OUT, "host/veth-right": Heading.IN})
    rule = named(bridged(discovery_dropped("host", "FORWARD", asks=False, recording=back)))
    assert rule is not None
    assert rule.sandbox == HOST


def test_what_arrived_was_not_dropped_before() -> None:
    assert named(bridged(discovery_dropped("host", "FORWARD", recording=filtered(ASKED)))) is None


def test_a_copy_that_others_drop_says_nothing() -> None:
    assert named(discovery_dropped("host", "INPUT", recording=filtered(TO_HOST))) is None


def test_one_that_was_let_through_leaves_it_open() -> None:
    dropped = discovery_dropped("right", "INPUT")
    assert named(discovery_dropped("right", "INPUT", verdict="accept", recording=dropped)) is None


def test_a_rule_that_is_gone_is_not_guessed() -> None:
    dropped = discovery_dropped("right", "INPUT")
    chains = tuple(replace(each, rules=()) for each in dropped.firewall.chains)
    assert named(replace(dropped, firewall=replace(dropped.firewall, chains=chains))) is None
