"""Keep a recording where the command line wants it, and as much of it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inspector.errors import OutputError, UsageError
from inspector.ownership import acting_as, calling_user

if TYPE_CHECKING:
    from inspector.model.packed import Packed
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


class Keeping:
    """Where a recording goes, and how much of it."""

    def __init__(self, options: Mapping[str, object], *, here: bool) -> None:
        """Say before the work that it cannot be kept; `here`: this machine makes it. Raises UsageError, OutputError."""
        folder = options["folder"]
        self.folder = folder if isinstance(folder, Path) else None
        self._redact, self._headers_only = bool(options["redact"]), bool(options["headers_only"])
        self.withholds = self._redact or self._headers_only
        self._here = here
        self._owner = calling_user(os.environ)
        self.written = False
        self._failed = False
        if self.folder is None:
            if self.withholds:
                raise UsageError("--redact and --headers-only are about what is kept", "name a new folder by -w")
            return
        from inspector.archive import prepare

        prepare(self.folder, owner=self._owner)

    def load(self) -> None:
        """Load what laying out and withholding need: a confined process can load nothing."""
        if self.folder is not None:
            import inspector.keep
        if self.withholds:
            import inspector.withhold.headers
            import inspector.withhold.redaction  # noqa: F401

    def withheld(self, recording: "Recording") -> "Recording":
        """Return as much of it as is wanted."""
        if self._headers_only:
            from inspector.withhold.headers import headers_only

            recording = headers_only(recording)
        if self._redact:
            from inspector.withhold.redaction import redact

            recording = redact(recording, os.urandom(_SALT_LENGTH))
        return recording

    def plain(self, recording: "Recording") -> "Packed":
        """Lay it out as it is."""
        from inspector.keep import plain

        return plain(recording, here=self._here and not self._redact)

    def commented(self, recording: "Recording") -> "Packed":
        """Lay it out with comments."""
        from inspector.keep import commented

        return commented(recording, here=self._here and not self._redact)

    def take(self, packed: "Packed") -> None:
        """Write it; a second time, put comments to what is written. Raises OutputError, once."""
        from inspector import archive

        if self.folder is None or self._failed:
            return
        try:
            if self.written:
                archive.comment(packed, self.folder, owner=self._owner)
            else:
                archive.write(packed, self.folder, owner=self._owner)
                self.written = True
        except OutputError:
            self._failed = True
            raise

    def rescue(self, recording: "Recording") -> Path | None:
        """Return the folder that it lies in, a temporary one where none was asked for; None where it is in none."""
        if self.folder is None:
            from tempfile import mkdtemp

            with acting_as(self._owner):
                self.folder = Path(mkdtemp(prefix="dnetsniff-")) / "recording"
        if not self.written and not self.withholds:
            self.take(self.plain(recording))
        return self.folder if self.written else None

    def said(self) -> str | None:
        """Return what to say about it."""
        if not self.written or self._failed:
            return None
        how = "redacted recording" if self._redact else "recording"
        return f"{how} kept in {self.folder}: open {self.folder}/frames.pcapng in Wireshark"
