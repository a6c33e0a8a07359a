"""`dnetsniff trace`: the exit status says how the run ended, in the contract's order of weight."""

import pytest
from msgspec.structs import replace
from topologies import answered, delivered, planned, read, recorded, sent

from inspector.cli.answer import exit_status
from inspector.model.recording import NotSent
from inspector.pipeline import review

WORLD = read("two-networks.toml")
PLAN = planned(WORLD, "web", "db", count=2)
WHOLE = review(delivered(WORLD, replace(PLAN, question=replace(PLAN.question, count=1))))
SILENT = review(recorded(WORLD, PLAN, probes=(sent(1), sent(2)), request=2, reply=0))
CUT_SHORT = review(
    recorded(WORLD, PLAN, probes=(answered(1), NotSent(2, "db ended")), departed=("db",)),
)


def test_the_outcome_is_the_status() -> None:
    assert exit_status(WHOLE) == 0
    assert exit_status(SILENT) == 1


def test_an_end_that_went_away_is_75_unless_all_had_been_answered() -> None:
    assert exit_status(replace(WHOLE, departed=("db",))) == 0
    assert exit_status(replace(SILENT, departed=("db",))) == 75
    assert CUT_SHORT.verdict.outcome == "delivered"
    assert exit_status(CUT_SHORT) == 75


@pytest.mark.parametrize("report", [WHOLE, SILENT, CUT_SHORT])
def test_an_interruption_weighs_most(report: object) -> None:
    assert exit_status(replace(report, interrupted=True)) == 130  # type: ignore[type-var]
