"""Read the lessons of the course from `lessons/*.toml`, in the order they are taught in."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from inspector.course.lesson import Connect, Lesson, Listen, MakeNetwork, Run, SetUp, Step, Verb
from inspector.errors import UsageError
from inspector.model.report import Outcome

ORDER = (
    "interfaces",
    "bridge",
    "names-default",
    "link",
    "modes",
    "embedded-dns",
    "isolation",
    "dual-homed",
    "published-ports",
    "clusters",
)
LESSONS = Path(__file__).parent / "lessons"
KINDS: Mapping[str, type[Any]] = {"connect": Connect, "network": MakeNetwork, "run": Run, "listen": Listen}
"""The key of a set-up names its kind; its table holds the fields."""


def names() -> tuple[str, ...]:
    """Return the lessons that are there, in order."""
    return tuple(each for each in ORDER if (LESSONS / f"{each}.toml").is_file())


def find(name: str) -> Lesson:
    """Return a lesson by its name. Raises UsageError that lists the nearest names."""
    if name not in names():
        near = get_close_matches(name, names(), n=3, cutoff=0.4) or names()
        raise UsageError(
            f"there is no lesson {name!r}", f"did you mean {', '.join(near)}? `dnetsniff lesson` lists all"
        )
    return read(name, tomllib.loads((LESSONS / f"{name}.toml").read_text(encoding="utf-8")))


def read(name: str, document: Mapping[str, Any]) -> Lesson:
    """Turn a document into a lesson. Raises TypeError, ValueError or KeyError where it is none."""
    unknown = set(document) - {"rows", "steps"}
    if unknown:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is not known")
    return Lesson(name, tuple(document["rows"]), tuple(_step(each) for each in document["steps"]))


def _step(table: Mapping[str, Any]) -> Step:
    (verb,) = (each for each in Verb if each in table)
    asked = table[verb]
    given = {key: value for key, value in table.items() if key != verb}
    given |= {key: tuple(given[key]) for key in ("typed", "findings") if key in given}
    return Step(
        **{
            "sample": table["id"],
            **given,
            "verb": verb,
            "words": () if verb is Verb.LS else tuple(asked),
            "set_up": tuple(_set_up(each) for each in table.get("set_up", ())),
            "outcomes": tuple(Outcome(each) for each in table.get("outcomes", ())),
        }
    )


def _set_up(table: Mapping[str, Any]) -> SetUp:
    ((key, values),) = table.items()
    kind = KINDS[key]
    known = {each.name for each in fields(kind)}
    if unknown := set(values) - known:
        raise ValueError(f"{key}: {', '.join(sorted(unknown))} is not known")
    made: SetUp = kind(**{name: tuple(each) if isinstance(each, list) else each for name, each in values.items()})
    return made
