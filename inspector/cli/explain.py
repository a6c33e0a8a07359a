"""`dnetsniff explain FOLDER`: think again about a saved trace, on any machine and any day."""

import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from inspector.archive import load_with_origin
from inspector.archive_document import DOCUMENT
from inspector.cli.answer import exit_status, report_options, show
from inspector.cli.keeping import keep_as_wanted, keep_options, prepare_to_keep
from inspector.cli.output import refuse_existing, tell
from inspector.errors import MalformedInputError, NoSuchFileError
from inspector.model.text import safe

MOST_NAMED = 3
_WAY_OUT = "name a folder that `trace -w` or `resolve -w` made"


@click.command()
@click.argument("recording", metavar="RECORDING", type=click.Path(path_type=Path))
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show also every firewall rule that a probe met, what was expected, and the state it stands on.",
)
@keep_options
@report_options
def command(recording: Path, **options: object) -> None:
    """Give the report of a saved trace or lookup again: no root, no engine.

    RECORDING is a folder that `trace -w` or `resolve -w` made. The report and the exit status are those of the live
    run. With -w it is kept again, in today's form, and with --redact so that it can be sent.
    """
    refuse_existing(str(options["output"]) if options["output"] else None)
    prepare_to_keep(options)
    mode = _mode(recording)
    if stat.S_ISDIR(mode) and (recording / DOCUMENT).exists():
        _explain_recording(recording, options)
    _explain_capture(recording, mode)


def _explain_recording(folder: Path, options: Mapping[str, object]) -> NoReturn:
    from inspector.pipeline import review

    loaded = load_with_origin(folder)
    if loaded.left_out:
        keys = ", ".join(loaded.left_out[:MOST_NAMED])
        more = f" and {rest} more" if (rest := len(loaded.left_out) - MOST_NAMED) > 0 else ""
        by = f"dnetsniff {loaded.version}" if loaded.version else "another dnetsniff"
        tell(f"written by {by}; left out, since it is not known here: {keys}{more}")
    report = review(loaded.recording)
    try:
        show(report, options)
    finally:
        # Neither output is lost because the other cannot be written.
        saved = keep_as_wanted(loaded.recording, options, here=False)
    if saved:
        tell(saved)
    sys.exit(exit_status(report))


def _explain_capture(path: Path, mode: int) -> NoReturn:
    """Say what can be said of frames alone: nothing, so far."""
    shown = safe(str(path), limit=4_096)
    if stat.S_ISDIR(mode):
        raise NoSuchFileError(f"there is no {DOCUMENT} in {shown}", _WAY_OUT)
    if stat.S_ISREG(mode):
        raise MalformedInputError(f"{shown} is a file, and only recordings are read", _WAY_OUT)
    raise MalformedInputError(f"{shown} is neither a folder nor a regular file", _WAY_OUT)


def _mode(path: Path) -> int:
    if str(path) == "-":
        raise MalformedInputError("a recording is a folder, standard input is none", _WAY_OUT)
    try:
        return path.stat().st_mode
    except OSError as error:
        raise NoSuchFileError(f"cannot read {safe(str(path), limit=4_096)}: {error.strerror}", _WAY_OUT) from error
