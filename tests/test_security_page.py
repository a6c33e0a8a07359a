"""docs/security.md names a test for each threat, or says why it cannot happen; and each test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
LINES = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| T\d+ \|", line)]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
CANNOT = {"T19"}
"""Those that nothing can try."""


def test_every_threat_has_its_line() -> None:
    assert [line[0] for line in LINES] == [f"T{number}" for number in range(1, 21)]
    assert all(len(line) == 4 for line in LINES)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_each_threat_is_tried(line: list[str]) -> None:
    assert ("::" in line[3]) == (line[0] not in CANNOT)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {name}"
