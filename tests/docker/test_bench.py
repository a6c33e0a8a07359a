"""`make bench` works: its shortest form measures everything and writes every line. No figure is looked at.

What makes engines of its own takes longer than a test may; it is made of the same pieces.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

BENCH = Path(__file__).parents[1] / "bench" / "report.py"
PARTS = ("startup", "by_hand", "rule_trace", "capture", "explain_capture", "observer")
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("course")
def test_every_line_of_the_table_is_measured(typed: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    typed(f"{sys.executable} {BENCH} --quick --into {page} --parts {' '.join(PARTS)}")
    found, known = labels(page.read_text()), labels(PAGE.read_text())
    assert len(found) == len(PARTS)
    assert {title: known.get(title, lines) for title, lines in found.items()} == found


def labels(page: str) -> dict[str, list[str]]:
    """Return what was measured in each part, whatever the sizes and rates were."""
    _, _, tables = page.partition("<!-- written by make bench -->")
    tables, end, _ = tables.partition("<!-- end of what make bench writes -->")
    assert end
    parts = (part.split("\n", 1) for part in tables.split("### ")[1:])
    return {title: [re.sub(r"[0-9,]+", "N", each) for each in _first_cells(lines)] for title, lines in parts}


def _first_cells(lines: str) -> list[str]:
    found = re.findall(r"^\| (.*?) \|", lines, re.MULTILINE)
    assert len(found) > 2
    return found
