"""The shipped recordings: one for each step of each lesson, on each engine they were made on.

`SAMPLES/LESSON/ENGINE/STEP/` is a recording, with the report that it gives beside it (`report.txt`).
"""

from functools import cache
from pathlib import Path

from inspector.errors import NoSuchFileError, UsageError

INSTALLED = Path(__file__).parent / "samples"
"""Where a wheel has them."""
IN_SOURCE = Path(__file__).parents[2] / "captures" / "samples"

SINCE_MAJOR = 23


@cache
def root() -> Path:
    """Return the folder of the samples. Raises NoSuchFileError where they were not shipped."""
    found = next((each for each in (INSTALLED, IN_SOURCE) if each.is_dir()), None)
    if found is None:
        raise NoSuchFileError("the recordings of the course are not installed", "install dnetsniff from its wheel")
    return found


def engines(lesson: str) -> tuple[str, ...]:
    """Return the engine versions that a lesson was recorded on, oldest first."""
    folder = root() / lesson
    found = [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
    return tuple(sorted(found, key=lambda each: tuple(int(part) for part in each.split("."))))


def release(version: str) -> str:
    """Return what an engine's recordings are filed under: 20.10 of 20.10.24, 28 of 28.5.2.

    Up to 20.10 a release was a year and a month; since 23.0 it is the first number.
    """
    major, minor = [*version.split("."), ""][:2]
    return f"{major}.{minor}" if int(major) < SINCE_MAJOR else major


def find(lesson: str, step: str, engine: str | None) -> Path:
    """Return the recording of a step, by default that of the newest engine. Raises UsageError, NoSuchFileError."""
    there = engines(lesson)
    if not there:
        raise NoSuchFileError(f"there is no recording of the lesson {lesson}", "run it on a live engine")
    if engine is not None and engine not in there:
        raise UsageError(f"{lesson} was not recorded on engine {engine!r}", f"there are: {', '.join(there)}")
    return root() / lesson / (engine or there[-1]) / step
