"""`make bench` works: its shortest form measures everything and writes every line. No figure is looked at."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

BENCH = Path(__file__).parents[1] / "bench" / "report.py"
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.mark.usefixtures("course")
def test_every_line_of_the_table_is_measured(typed: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    typed(f"{sys.executable} {BENCH} --quick --into {page}")
    assert labels(page.read_text()) == labels(PAGE.read_text())


def labels(page: str) -> list[str]:
    """Return the parts and what was measured, whatever the sizes and rates were."""
    _, _, tables = page.partition("<!-- written by make bench -->")
    tables, end, _ = tables.partition("<!-- end of what make bench writes -->")
    assert end
    found = re.findall(r"^(?:### |\| )(.*?)(?: \||$)", tables, re.MULTILINE)
    assert len(found) > 20
    return [re.sub(r"[0-9,]+", "N", each) for each in found]
