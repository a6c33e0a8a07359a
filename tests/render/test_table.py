"""Cells keep their column: as long as they are in a file, folded in a terminal that is too narrow."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.render.table import table
from inspector.render.text import columns

ROWS = [
    ("    port 1  8: veth2e785f3 <-> 7: eth0", "web", "172.17.0.2, 2001:db8::1", "02:42:ac:11:00:02  (also on mynet)"),
    ("    port 2  9: veth231cc96 <-> 7: eth0", "a-longer-name", "172.17.0.3", "02:42:ac:11:00:03"),
    ("    port 3 <-> ?: (not seen)",),
]
WORD = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=9)
CELL = st.lists(WORD, max_size=6).map(" ".join)


def test_in_a_file_lines_are_as_long_as_they_are() -> None:
    assert list(table(ROWS)) == list(columns(ROWS))
    assert max(map(len, table(ROWS))) > 100


@pytest.mark.parametrize("width", [80, 90, 100])
def test_in_a_terminal_they_fit_and_columns_stay(width: int) -> None:
    lines = list(table(ROWS, width))
    assert max(map(len, lines)) <= width
    assert all(line.startswith("    ") for line in lines)
    (name,) = [line for line in lines if "web" in line]
    (other,) = [line for line in lines if "a-longer-name" in line]
    assert name.index("web") == other.index("a-longer-name")
    assert name.index("172.17.0.2") == other.index("172.17.0.3")


@pytest.mark.parametrize("width", [1, 40, 79])
def test_a_terminal_that_is_far_too_narrow_wraps_by_itself(width: int) -> None:
    assert list(table(ROWS, width)) == list(columns(ROWS))


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5), st.integers(80, 120))
def test_no_word_is_lost(rows: list[tuple[str, str, str]], width: int) -> None:
    shown = "".join("".join(table(rows, width)).split())
    assert sorted(shown) == sorted("".join("".join(row) for row in rows).replace(" ", ""))


def test_what_looks_like_markup_is_text() -> None:
    rows = [("  [bold]name[/bold] :smile:", "word " * 20)]
    assert any("[bold]name[/bold] :smile:" in line for line in table(rows, 80))
    assert not any("\x1b" in line for line in table(rows, 80))


def test_rich_is_loaded_only_where_something_is_folded() -> None:
    program = (
        "import sys\nfrom inspector.render.table import table\n"
        "list(table([('a', 'b')], 80)); list(table([('a', 'word ' * 40)]))\nprint('rich' in sys.modules)\n"
        "list(table([('a', 'word ' * 40)], 80))\nprint('rich' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-P", "-c", program], text=True) == "False\nTrue\n"
