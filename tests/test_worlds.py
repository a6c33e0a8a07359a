"""The thinking half on recorded worlds: the same recording gives the same plan and the same report, byte for byte."""

import json
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from inspector.archive import load
from inspector.correlate.name_report import name_report
from inspector.model.path import Seen
from inspector.pipeline import review
from inspector.plan.make import make_plan
from inspector.render.report_json import render_json, to_dict
from inspector.render.report_text import render_text

WORLDS = sorted(each for each in (Path(__file__).parent / "worlds").iterdir() if each.is_dir())
OUTCOMES = {
    "switched": "delivered",
    "from-host": "delivered",
    "to-gateway": "delivered",
    "isolated": "dropped",
    "name-link": "delivered",
    "name-link-back": "unresolved",
    "name-embedded": "delivered",
    "name-forwarded": "unresolved",
    "dual-homed": "delivered",
    "passive": "delivered",
    "nobody": "dropped",
    "stopped": "unresolved",
    "paused": "delivered",
}

pytestmark = pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)


def test_the_report_is_the_one_written_down(world: Path) -> None:
    assert render_text(review(load(world)), width=100) == (world / "report.txt").read_text()


def test_the_outcome_is_known(world: Path) -> None:
    assert review(load(world)).verdict.outcome == OUTCOMES[world.name]


def test_the_plan_follows_from_the_topology_and_the_lookup(world: Path) -> None:
    recording = load(world)
    names = name_report(recording.lookup) if recording.lookup else None
    assert make_plan(recording.topology, recording.plan.question, names) == recording.plan


def test_the_order_of_arrival_changes_no_path(world: Path) -> None:
    recording = load(world)
    shuffled = list(recording.observations)
    random.Random(world.name).shuffle(shuffled)
    again = review(replace(recording, observations=tuple(shuffled)))
    before = review(recording)
    assert render_text(again) == render_text(before)
    assert to_dict(again)["paths"] == to_dict(before)["paths"]


def test_a_lost_observation_adds_no_hop(world: Path) -> None:
    recording = load(world)
    full = {(path.direction, path.sequence): len(path.hops) for path in review(recording).paths}
    for index in range(len(recording.observations)):
        kept = recording.observations[:index] + recording.observations[index + 1 :]
        for path in review(replace(recording, observations=kept)).paths:
            assert len(path.hops) <= full[path.direction, path.sequence]
            stamps = [hop.at_ns for hop in path.hops if isinstance(hop, Seen)]
            assert stamps == sorted(stamps)


def test_frames_lost_by_the_capture_make_silence_unknown(world: Path) -> None:
    recording = load(world)
    counts = tuple(replace(each, dropped=7) for each in recording.counts)
    report = review(replace(recording, counts=counts))
    told = OUTCOMES[world.name]
    # Where the kernel told of the rule that dropped it, that was no silence.
    silent = told in {"lost", "unanswered", "dropped"} and review(recording).verdict.rule is None
    assert report.verdict.outcome == ("unknown" if silent else told)


def test_the_json_is_plain_and_complete(world: Path) -> None:
    report = json.loads(render_json(review(load(world))))
    assert report["schema"] == "dnetsniff.report/1"
    keys = {
        "question",
        "engine",
        "resolution",
        "verdict",
        "statistics",
        "paths",
        "findings",
        "blind_spots",
        "side_effects",
    }
    assert keys <= set(report)
    for finding in report["findings"]:
        assert finding["evidence"], finding["id"]


def test_lines_fit(world: Path) -> None:
    assert all(len(line) <= 100 for line in render_text(review(load(world)), width=80).splitlines())
