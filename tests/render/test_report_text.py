"""A trace on a narrow screen: the answer first and last, and no line wider than the screen."""

import pytest
from topologies import delivered, planned, read

from inspector.pipeline import review
from inspector.render.report_text import render_text

WORLD = read("two-networks.toml")
REPORT = review(delivered(WORLD, planned(WORLD, "web", "db")))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_screen_holds_it(width: int) -> None:
    lines = render_text(REPORT, width=width).splitlines()
    assert [line for line in lines if len(line) > width] == []


@pytest.mark.parametrize("width", [50, 80])
def test_the_answer_stands_first_and_last(width: int) -> None:
    lines = render_text(REPORT, width=width).splitlines()
    assert lines[0].endswith("   DELIVERED")
    assert any(line.startswith("DELIVERED  ") for line in lines)
