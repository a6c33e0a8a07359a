"""What is kept of frames where payload is not: enough for the same report."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from inspector.archive import load
from inspector.keep import keep
from inspector.pipeline import review
from inspector.render.report_json import render_json
from inspector.withhold.headers import headers_only

WORLDS = sorted(each for each in (Path(__file__).parents[1] / "worlds").iterdir() if each.is_dir())


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_the_report_is_the_same(world: Path, tmp_path: Path) -> None:
    whole = load(world)
    keep(headers_only(whole), tmp_path / "kept")
    assert render_json(review(load(tmp_path / "kept"))) == render_json(review(whole))


def test_filler_is_cut_off_and_the_length_on_the_wire_told() -> None:
    world = next(each for each in WORLDS if each.name == "switched")
    whole = load(world)
    cut = headers_only(whole)
    echoes = [each for each in cut.observations if each.wire_length == 98]
    # Ethernet, IPv4, ICMP, token and sequence number.
    assert {len(each.frame) for each in echoes} == {14 + 20 + 8 + 16 + 2}
    assert headers_only(cut) == cut
    assert cut == replace(whole, observations=cut.observations)


def test_a_payload_of_others_is_cut_off_whole() -> None:
    whole = load(next(each for each in WORLDS if each.name == "switched"))
    echoes = [each for each in headers_only(replace(whole, token=bytes(16))).observations if each.wire_length == 98]
    assert {len(each.frame) for each in echoes} == {14 + 20 + 8}
