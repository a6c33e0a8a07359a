"""Keep what a user sees of each finding: asked again as text, while a live test has the fault in place.

`make screens` runs the live tests with DNETSNIFF_SCREENS set; the pages of the findings show what was kept.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "findings" / "screens"
TITLE = re.compile(r"^(?:error|warning|note) (\S+)", re.MULTILINE)


def wanted(words: Sequence[str]) -> bool:
    """Whether this command's screen may be one to keep."""
    return bool(os.environ.get("DNETSNIFF_SCREENS")) and "json" in words and not {"-w", "--write"} & set(words)


def keep(words: Sequence[str], out: str, ask: Callable[..., str]) -> None:
    """Keep the screen of each finding that has none, or none that it leads; `ask` runs a command and returns its text.

    `out` is what the command with `words` gave as JSON.
    """
    try:
        found = [each["id"] for each in json.loads(out).get("findings", ())]
    except ValueError:
        return
    better = [each for index, each in enumerate(found) if not _leads(each) and (index == 0 or not path(each).exists())]
    if not better:
        return
    plain = [each for each in words if each not in {"--format", "json"}]
    text = ask(*plain)
    shown = TITLE.findall(text)
    FOLDER.mkdir(exist_ok=True)
    for each in better:
        if each in shown:
            path(each).write_text(f"$ dnetsniff {' '.join(_shown(plain))}\n{text}")


def path(identifier: str) -> Path:
    """Return where the screen of a finding is."""
    return FOLDER / f"{identifier}.txt"


def _shown(words: list[str]) -> list[str]:
    """Leave out which engine of the tests it was."""
    return words[2:] if words[:1] == ["--host"] else words


def _leads(identifier: str) -> bool:
    """Whether the screen that is kept begins with this finding."""
    return path(identifier).exists() and TITLE.findall(path(identifier).read_text())[:1] == [identifier]
