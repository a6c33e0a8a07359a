"""Where results go: the terminal or a file, and what either can show."""

import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from inspector.errors import OutputError
from inspector.ownership import acting_as, calling_user
from inspector.render.text import NARROW, WIDE

STDOUT = 1


class StandardOutput(io.FileIO):
    """Standard output, whoever writes to it: a reader that left is no error, a full disk is an OutputError."""

    def write(self, data: Any, /) -> int:
        """Write what fits, as a raw stream does."""
        try:
            return super().write(data)
        except BrokenPipeError:
            # Whoever read our output has enough; Python must not complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), self.fileno())
            return memoryview(data).nbytes
        except OSError as error:
            raise _unwritten(error) from error


def open_standard_output() -> io.TextIOWrapper:
    """Return what `sys.stdout` is to be. Raises OutputError where it is closed."""
    try:
        raw = StandardOutput(STDOUT, "w", closefd=False)
    except OSError as error:
        raise _unwritten(error) from error
    before = sys.stdout
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=before.encoding, errors=before.errors, line_buffering=raw.isatty()
    )


def _unwritten(error: OSError) -> OutputError:
    return OutputError(f"cannot write the output: {error.strerror}")


def tell(text: str) -> None:
    """Say a line beside the result; where standard error cannot be written, nobody is there to be told."""
    with suppress(OSError):
        click.echo(text, err=True)


def is_coloured(output: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Colour is for a terminal that shows it and a person who did not refuse it (no-color.org)."""
    refused = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return output is None and not refused and sys.stdout.isatty()


def width_of(output: str | None) -> int:
    """Return 100 columns where the terminal has them, else 80."""
    columns = columns_of_terminal(output)
    return WIDE if columns is None or columns >= WIDE else NARROW


def columns_of_terminal(output: str | None) -> int | None:
    """Return how many columns the terminal has; None where the result goes elsewhere."""
    if output is not None or not sys.stdout.isatty():
        return None
    # Loaded for this alone, it would bring three libraries of compression.
    import shutil

    return shutil.get_terminal_size().columns


def write(text: str, output: str | None) -> None:
    """Write the result. Raises OutputError, also where the disk is full."""
    if output is None or output == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with acting_as(calling_user(os.environ)):
            descriptor = os.open(output, flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError(f"{output} exists already", "choose another name, or remove it") from error
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}") from error


def refuse_existing(output: str | None) -> None:
    """Say before the work that the file cannot be made. Raises OutputError."""
    if output is None or output == "-":
        return
    path = Path(output)
    with acting_as(calling_user(os.environ)):
        exists = os.path.lexists(path)
        writable = os.access(path.parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    if exists:
        raise OutputError(f"{output} exists already", "choose another name, or remove it")
    if not writable:
        raise OutputError(f"cannot write in {path.parent}", "choose a folder that you may write in")
