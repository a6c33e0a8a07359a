"""What rules let one expect follows from their words alone, and is kept quiet about where they do not tell."""

import pytest
from msgspec.structs import replace
from topologies import planned, read, recorded, sent

from inspector.explain.foresight import foresee
from inspector.model.prediction import Expected, Prediction
from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, FirewallRecord, Hook
from inspector.model.topology import HOST

WORLD = read("two-networks.toml")
FAR, NEAR = planned(WORLD, "web", "api"), planned(WORLD, "web", "db")
IN, OUT = (step.point.interface for step in FAR.request[2:4])
SOURCE, DESTINATION = FAR.source.address, FAR.destination.address


def chain(
    name: str, *lines: str, hook: str = "", policy: str = "accept", table: str = "filter", size: int = 0
) -> Chain:
    """Make a chain of lines such as `-i docker0 -j DROP`."""
    rules = tuple(
        ChainRule(at, at, line, line.rpartition("-j ")[2].split(" ")[0] if "-j " in line else "DROP")
        for at, line in enumerate(lines, start=1)
    )
    base = Hook(hook, {"raw": -300}.get(table, 0), policy) if hook else None
    return Chain(ChainKey(HOST, Backend.NFT, "ip", table, name), size or len(rules), base, rules)


def forward(*lines: str, policy: str = "accept") -> Chain:
    return chain("FORWARD", *lines, hook="forward", policy=policy)


def foreseen(*chains: Chain) -> Prediction:
    recording = recorded(WORLD, FAR, probes=(sent(),), reply=0)
    found = foresee(replace(recording, firewall=FirewallRecord(standing=chains)))
    assert found is not None
    return found


def test_the_isolation_of_older_engines_is_foreseen() -> None:
    stage1 = chain("STAGE-1", f"-i {IN} ! -o {IN} -j STAGE-2", "-j RETURN")
    stage2 = chain("STAGE-2", "-o br-other -j DROP", f"-o {OUT} -j DROP", "-j RETURN")
    found = foreseen(forward("-j STAGE-1", policy="drop"), stage1, stage2)
    assert found.outcome is Expected.DROPPED
    assert found.why.endswith("rule 2 of 3 in filter STAGE-2 stops it")


def test_that_of_newer_engines_comes_first() -> None:
    raw = chain("PREROUTING", f"-d {DESTINATION}/32 ! -i {OUT} -j DROP", hook="prerouting", table="raw")
    assert foreseen(forward("-j ACCEPT"), raw).why.endswith("rule 1 of 1 in raw PREROUTING stops it")


@pytest.mark.parametrize(
    "line",
    [
        f"-s {SOURCE}/32 -p icmp -m icmp --icmp-type 8 -j DROP",
        "-m set --match-set blocked dst -j DROP",
        "-m limit --limit 5/sec -j ACCEPT",
        "-s 10.0.0.1/255.0.255.0 -j DROP",
        "-j NFQUEUE --queue-num 0",
        "ip saddr 172.17.0.2 drop",
        '-m comment --comment "never closed -j DROP',
    ],
)
def test_what_only_may_match_tells_nothing(line: str) -> None:
    found = foreseen(forward(line, "-j DROP"))
    assert found.outcome is Expected.DELIVERED
    assert found.why.endswith("its firewall rules do not tell beforehand")


@pytest.mark.parametrize(
    "line",
    [
        "-s 10.0.0.0/8 -j DROP",
        f"! -i {IN} -j DROP",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j DROP",
        "-p tcp -m tcp --dport 80 -j DROP",
        "-m set --match-set blocked dst -j LOG",
        "-o eth+ -j DROP",
    ],
)
def test_what_surely_does_not_match_is_passed_over(line: str) -> None:
    found = foreseen(forward(line, '-m comment --comment "let all through" -j ACCEPT', policy="drop"))
    assert found.outcome is Expected.DELIVERED
    assert found.why.endswith("its firewall rules let it pass")


def test_a_policy_decides_where_no_rule_does() -> None:
    assert foreseen(forward("-j OWN", policy="drop"), chain("OWN", "-j RETURN")).why.endswith(
        "the policy of filter FORWARD drops it"
    )


def test_a_long_chain_tells_nothing() -> None:
    long = chain("OWN", "-j DROP", size=5000)
    assert foreseen(forward("-j OWN"), replace(long, rules=())).why.endswith("do not tell beforehand")


def test_chains_that_lead_to_each_other_end() -> None:
    assert foreseen(forward("-j OWN"), chain("OWN", "-j OWN")).why.endswith("do not tell beforehand")


def test_without_rules_and_for_what_is_only_bridged_nothing_changes() -> None:
    assert foreseen().why.endswith("firewall rules not consulted")
    near = recorded(WORLD, NEAR, probes=(sent(),), reply=0)
    near = replace(near, firewall=FirewallRecord(standing=(forward("-j DROP"),)))
    assert foresee(near) == NEAR.prediction
