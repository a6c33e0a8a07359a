"""Read what the course says, in one language: `texts/LANGUAGE/LESSON.toml`, and the words around it in `words.toml`.

Each language has the same files with the same keys; `tests/course/test_texts.py` holds them to it.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

TEXTS = Path(__file__).parent / "texts"
WORDS = "words"


class StepText(Struct, frozen=True):
    """What is said about one step."""

    ask: str
    """What we are going to ask, before it is asked."""
    look: tuple[str, ...]
    """What to look at in the trace."""
    why: str
    """Why it is so."""
    question: str = ""
    """One to think about; with its answer, or neither."""
    answer: str = ""
    versions: str = ""
    """How it differs on other engine versions; empty where it does not."""


class LessonText(Struct, frozen=True):
    """What is said in one lesson."""

    title: str
    line: str
    """What it shows, in one line of the list."""
    opening: str
    closing: str
    steps: Mapping[str, StepText]
    """By the id of the step."""


def language(environment: Mapping[str, str]) -> str:
    """Return the language that is asked for, or that of the locale (POSIX, 8.2): Chinese or else English."""
    names = ("DNETSNIFF_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((found for name in names if (found := environment.get(name))), "")
    return "zh" if locale.lower().startswith("zh") else "en"


@cache
def lesson_text(lang: str, name: str) -> LessonText:
    """Return a lesson's texts. Raises TypeError where a key is missing or not known."""
    document = _read(lang, name)
    steps = {key: _step(table) for key, table in document.pop("steps").items()}
    return LessonText(steps=steps, **document)


@cache
def words(lang: str) -> Mapping[str, str]:
    """Return the words around the lessons: headings, and what is said of the run itself."""
    return _read(lang, WORDS)


def _step(table: Mapping[str, Any]) -> StepText:
    return StepText(**{**table, "look": tuple(table["look"])})


def _read(lang: str, name: str) -> dict[str, Any]:
    return tomllib.loads((TEXTS / lang / f"{name}.toml").read_text(encoding="utf-8"))
