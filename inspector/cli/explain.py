"""`dnetsniff explain`: think again about a saved trace, on any machine and any day, or about a capture file."""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import click

from inspector.archive import Files, opened, read
from inspector.archive_document import DOCUMENT
from inspector.cli.answer import Look, look, report_options
from inspector.cli.keeping import Keeping, keep_options
from inspector.cli.output import refuse_existing
from inspector.cli.thinking import Message, Noted, Shown, because_of, hear, ready, thoughts
from inspector.confined import Confined, ConfinedError
from inspector.confinement import Limits
from inspector.errors import InspectorError, MalformedInputError, NoSuchFileError, UsageError
from inspector.loading import load
from inspector.model.text import safe

if TYPE_CHECKING:
    from inspector.model.recording import Recording
    from inspector.model.report import Report

MOST_NAMED = 3
CPU_S, CPU_S_PER_MEGABYTE = 60, 10
"""Seconds of processor time that a capture file may take: hundreds of times what it does."""
_PIPE = "what comes by a pipe is read from standard input (-)"
STANDARD_INPUT = "-"
_WAY_OUT = "name a folder that `trace -w` or `resolve -w` made, or a pcapng or pcap file"


@click.command()
@click.argument("recording", metavar="RECORDING", type=click.Path(path_type=Path))
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show also every firewall rule that a probe met, what was expected, and the state it stands on. "
    "Of a capture file: all entries of each part.",
)
@keep_options
@report_options
def command(recording: Path, **options: object) -> None:
    """Give the report of a saved trace or lookup again, or say what is in a capture file: no root, no engine.

    RECORDING is a folder that `trace -w` or `resolve -w` made. The report and the exit status are those of the live
    run. With -w it is kept again, in today's form, and with --redact so that it can be sent.

    Or it is a pcapng or pcap file of tcpdump, Wireshark, dumpcap or dnetsniff (`-`: standard input). Then it is said
    what can be told without a topology, and what cannot.
    """
    refuse_existing(str(options["output"]) if options["output"] else None)
    if str(recording) != STANDARD_INPUT and stat.S_ISDIR(_mode(recording)):
        if not (recording / DOCUMENT).exists():
            raise NoSuchFileError(f"there is no {DOCUMENT} in {_shown(recording)}", _WAY_OUT)
        _explain_recording(recording, options)
    if options["folder"] or options["redact"] or options["headers_only"]:
        raise UsageError("only a recording can be kept again, and this is a capture file", "leave -w away")
    if str(recording) == STANDARD_INPUT:
        if sys.stdin is None:
            raise NoSuchFileError("cannot read standard input: it is closed")
        _explain_capture(sys.stdin.buffer, "standard input", options, Limits(cpu_s=None))
    with _opened(recording) as stream:
        megabytes = os.fstat(stream.fileno()).st_size >> 20
        limits = Limits(cpu_s=CPU_S + megabytes * CPU_S_PER_MEGABYTE)
        _explain_capture(stream, _shown(recording), options, limits)


def _explain_recording(folder: Path, options: Mapping[str, object]) -> NoReturn:
    appearance, keeping = look(options), Keeping(options, here=False)
    debug = bool(click.get_current_context().find_root().params.get("debug"))
    with opened(folder) as files:
        ready(appearance, keeping)
        thinking = partial(_thoughts, files, appearance, keeping, debug=debug)
        with Confined[Message](thinking, Message, reads=files.descriptors()) as confined:
            sys.exit(_heard(confined, appearance, keeping, _shown(folder)))


def _thoughts(files: Files, appearance: Look, keeping: Keeping, *, debug: bool) -> Iterator[Message]:
    loaded = read(files)
    if loaded.left_out:
        keys = ", ".join(loaded.left_out[:MOST_NAMED])
        more = f" and {rest} more" if (rest := len(loaded.left_out) - MOST_NAMED) > 0 else ""
        by = f"dnetsniff {loaded.version}" if loaded.version else "another dnetsniff"
        yield Noted(f"written by {by}; left out, since it is not known here: {keys}{more}")
    review = partial(_reviewed, files.folder, debug=debug)
    yield from thoughts(loaded.recording, appearance, keeping, review, kept=True)


def _heard(confined: Confined[Message], appearance: Look, keeping: Keeping | None, shown: str) -> int:
    try:
        return hear(confined, appearance, keeping)
    except ConfinedError as error:
        raise because_of(error, f"please report it, with {shown}") from error


def _reviewed(folder: Path, recording: "Recording", *, debug: bool) -> "Report":
    """Think about it; what no run of ours can have recorded is the file's fault, unless somebody wants to see where."""
    from inspector.pipeline import review

    try:
        return review(recording)
    except (InspectorError, MemoryError):
        raise
    except Exception as error:
        if debug:
            raise
        raise MalformedInputError(
            f"{safe(str(folder / DOCUMENT), limit=4_096)} says what cannot be ({type(error).__name__})",
            "if dnetsniff wrote it as it is, that is a bug of ours: `dnetsniff --debug explain` shows where",
        ) from error


def _explain_capture(stream: BinaryIO, shown: str, options: Mapping[str, object], limits: Limits) -> NoReturn:
    from inspector.pipeline import THINKING_ABOUT_CAPTURES

    appearance = look(options)
    load(*THINKING_ABOUT_CAPTURES)
    appearance.load_for_captures()
    thinking = partial(_thoughts_on_capture, stream, shown, appearance)
    with Confined[Message](thinking, Message, limits, (stream.fileno(),)) as confined:
        sys.exit(_heard(confined, appearance, None, shown))


def _thoughts_on_capture(stream: BinaryIO, shown: str, appearance: Look) -> Iterator[Message]:
    from inspector.pipeline import review_capture

    try:
        report = review_capture(stream)
    except MalformedInputError as error:
        raise MalformedInputError(f"{shown}: {error.message}", error.hint) from error
    except OSError as error:
        raise NoSuchFileError(f"cannot read {shown}: {error.strerror}") from error
    yield Shown(appearance.text_of_capture(report))


def _opened(path: Path) -> BinaryIO:
    """Open a file for reading. Anything that is no regular file might never end, or never begin."""
    try:
        stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise NoSuchFileError(f"cannot read {_shown(path)}: {error.strerror}", _WAY_OUT) from error
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise MalformedInputError(f"{_shown(path)} is neither a folder nor a regular file", _PIPE)
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _shown(path: Path) -> str:
    return safe(str(path), limit=4_096)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise NoSuchFileError(f"cannot read {_shown(path)}: {error.strerror}", _WAY_OUT) from error
