"""Have a report made by a confined process, and do here what it says: show, note, keep, and leave with its status.

1. The other process opens and loads nothing, so that is done before it is forked (`ready`).
2. What it says is a stranger's word: text that a terminal could obey is written as escapes.
3. Where it comes to a bad end, what was recorded is told in plain numbers, and where it lies.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from inspector.cli.answer import Look, exit_status
from inspector.cli.keeping import Keeping
from inspector.cli.output import tell, write
from inspector.confined import Confined, ConfinedError
from inspector.errors import OutputError
from inspector.loading import load
from inspector.model.packed import Packed
from inspector.model.text import safe
from inspector.pipeline import THINKING

if TYPE_CHECKING:
    from inspector.model.question import CapturePoint
    from inspector.model.recording import Observation, Recording, TapCount
    from inspector.model.report import Report

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Shown(Struct, tag="shown"):
    """The result, or a part of it."""

    text: str


class Noted(Struct, tag="noted"):
    """A line beside it."""

    text: str


class Kept(Struct, tag="kept"):
    """A recording to be written, or the same one with comments."""

    packed: Packed


class Ended(Struct, tag="ended"):
    """The exit status."""

    status: int


Message = Shown | Noted | Kept | Ended


def ready(look: Look, keeping: Keeping) -> None:
    """Load all that thinking about a recording needs."""
    load(*THINKING)
    look.load()
    keeping.load()


def thoughts(
    recording: "Recording", look: Look, keeping: Keeping, review: "Callable[[Recording], Report]", *, kept: bool
) -> Iterator[Message]:
    """Think about a recording, in the confined process; `kept`: as it is, it lies in a folder already."""
    if not kept:
        yield Kept(keeping.plain(keeping.withheld(recording)))
    report = review(recording)
    yield Shown(look.text(report))
    yield Ended(exit_status(report))
    if keeping.folder is not None:
        yield Kept(keeping.commented(keeping.withheld(recording)))


def hear(confined: Confined[Message], look: Look, keeping: Keeping | None = None) -> int:
    """Do what it says, and return the exit status. Raises what it raised, ConfinedError, OutputError."""
    status, failed = 0, None
    for message in confined:
        # Neither output is lost because the other cannot be written.
        try:
            match message:
                case Shown(text):
                    write(harmless(text, coloured=look.coloured), look.output)
                case Noted(text):
                    tell(safe(text, limit=4_096))
                case Kept(packed):
                    if keeping is not None:
                        keeping.take(packed)
                case Ended(status):
                    pass
        except OutputError as error:
            failed = failed or error
    if failed:
        raise failed
    if keeping is not None and (said := keeping.said()):
        tell(said)
    return status


def harmless(text: str, *, coloured: bool) -> str:
    """Return text of lines, with what a terminal could obey written as escapes, colours apart."""
    lines = text.split("\n")
    if all((_COLOURS.sub("", each) if coloured else each).isprintable() for each in lines):
        return text
    return "\n".join(safe(each, limit=len(each) + 1) for each in lines)


def unthought(error: ConfinedError, recording: "Recording", keeping: Keeping) -> ConfinedError:
    """Say what was recorded, in numbers; return the error that says what happened, and where it lies."""
    for line in _numbers(recording):
        tell(line)
    folder = None
    with suppress(OutputError):
        folder = keeping.rescue(recording)
    where = f"the recording is kept in {folder}" if folder else "the recording could not be kept"
    return because_of(error, f"{where}: please report it")


def because_of(error: ConfinedError, hint: str) -> ConfinedError:
    """Return the error as its reader needs it."""
    if error.killed:
        message = "the report could not be made: the process that thinks was killed, by somebody or for want of memory"
        return ConfinedError(message, hint.removesuffix(": please report it"))
    said = ConfinedError(f"the report could not be made, by a bug of ours: {error.message}", hint)
    said.traceback = error.traceback
    return said


def _numbers(recording: "Recording") -> Iterator[str]:
    lookup = recording.lookup
    if lookup is not None:
        yield from _counted("lookup", lookup.plan.points, lookup.observations, lookup.counts)
    yield from _counted("captured", recording.plan.points, recording.observations, recording.counts)
    probes = Counter(type(each).__name__ for each in recording.probes)
    if probes:
        yield "probes: " + ", ".join(f"{count} {name}" for name, count in sorted(probes.items()))


def _counted(
    what: str, points: "Sequence[CapturePoint]", seen: "Iterable[Observation]", counts: "Iterable[TapCount]"
) -> Iterator[str]:
    frames, lost = Counter(each.point for each in seen), {each.point: each.dropped for each in counts}
    for number, point in enumerate(points):
        behind = f", {lost[number]} lost" if lost.get(number) else ""
        plural = "" if frames[number] == 1 else "s"
        yield f"{what} at {point}: {frames[number]} frame{plural}{behind}"
