"""Keep a recording where the command line wants it, and as much of it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inspector.errors import UsageError

if TYPE_CHECKING:
    from inspector.model.recording import Recording

Command = Callable[..., Any]

KEEP_OPTIONS = (
    click.option(
        "-w", "--write", "folder", type=click.Path(path_type=Path), help="Keep the recording in a new FOLDER."
    ),
    click.option(
        "--headers-only",
        is_flag=True,
        help="With -w: keep the probes' frames up to their headers and the probe's mark.",
    ),
    click.option(
        "--redact",
        is_flag=True,
        help="With -w: keep it with other addresses, names, MACs and ids in it, the same one for each.",
    ),
)
_SALT_LENGTH = 32


def keep_options(command: Command) -> Command:
    """Add the options that say where the recording goes, and how much of it."""
    for option in reversed(KEEP_OPTIONS):
        command = option(command)
    return command


def prepare_to_keep(options: Mapping[str, object]) -> None:
    """Say before the work that it cannot be kept. Raises UsageError, OutputError."""
    folder = options["folder"]
    if not isinstance(folder, Path):
        if options["redact"] or options["headers_only"]:
            raise UsageError("--redact and --headers-only are about what is kept", "name a new folder by -w")
        return
    from inspector.archive import prepare

    prepare(folder)


def keep_as_wanted(recording: "Recording", options: Mapping[str, object], *, here: bool) -> str | None:
    """Write the recording; return what to say about it. `here`: this machine made it. Raises OutputError."""
    folder, redacted = options["folder"], bool(options["redact"])
    if not isinstance(folder, Path):
        return None
    from inspector.keep import keep

    if options["headers_only"]:
        from inspector.withhold.headers import headers_only

        recording = headers_only(recording)
    if redacted:
        from inspector.withhold.redaction import redact

        recording = redact(recording, os.urandom(_SALT_LENGTH))
    keep(recording, folder, here=here and not redacted)
    how = "redacted recording" if redacted else "recording"
    return f"{how} kept in {folder}: open {folder}/frames.pcapng in Wireshark"
