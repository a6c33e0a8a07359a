"""docs/recording-format.md has every key of recording.json, and its excerpts are those of a world."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from recording_page import PAGE, page

from inspector.archive_document import SCHEMA, SCHEMA_VERSION

WORLD = Path(__file__).parents[1] / "worlds" / "isolated"


def test_the_page_is_what_the_dataclasses_say() -> None:
    assert PAGE.read_text() == page(), "make docs"


def test_the_page_names_the_schema() -> None:
    assert f"{SCHEMA}/{SCHEMA_VERSION}" in PAGE.read_text()


def test_the_excerpts_are_real() -> None:
    """Each stands in the recording with the values that it shows."""
    excerpts = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    document = json.loads((WORLD / "recording.json").read_text())
    assert len(excerpts) >= 3
    for excerpt in excerpts:
        assert _holds(document, json.loads(excerpt)), excerpt


def _holds(whole: Any, part: Any) -> bool:
    if _is_part(part, whole):
        return True
    members = whole.values() if isinstance(whole, dict) else whole if isinstance(whole, list) else ()
    return any(_holds(each, part) for each in members)


def _is_part(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and _is_part(each, whole[key]) for key, each in part.items()
        )
    return bool(part == whole)


@pytest.mark.parametrize("word", ["0600", "0700", "--redact", "--headers-only", "epb_packetid"])
def test_the_page_says_what_it_promises(word: str) -> None:
    assert word in PAGE.read_text()
