"""The bad news that ends a run: one class per exit status, each with the way out.

A problem of the network is a Finding and a gap in our view is a BlindSpot; neither is ever raised.
"""

import errno
from typing import Self


class InspectorError(Exception):
    """Why the run ended, in one sentence; `hint` says what to do about it."""

    exit_status = 70
    traceback = ""
    """Where it came from another process: what `--debug` shows of that."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep the sentence and the way out apart, so that a caller can show either."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[Self], tuple[str, str | None]]:
        """Keep the hint when it crosses from one process to another."""
        return type(self), (self.message, self.hint)

    def __str__(self) -> str:
        """Write both in one line."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(InspectorError):
    """The question cannot be asked like this."""

    exit_status = 2


class MalformedInputError(InspectorError):
    """A file is not what it claims to be."""

    exit_status = 65


class NoSuchFileError(InspectorError):
    """There is no such recording or file."""

    exit_status = 66


class EngineUnreachableError(InspectorError):
    """The engine does not answer."""

    exit_status = 69


class OutputError(InspectorError):
    """The output cannot be written."""

    exit_status = 74


class DepartedError(InspectorError):
    """A container or the engine went away on the way."""

    exit_status = 75


class PrivilegeError(InspectorError):
    """The kernel refused: a capability is missing."""

    exit_status = 77


def why_unwritten(number: int | None, words: str | None) -> str:
    """Say why a file took no more, by errno and the kernel's words."""
    return "the disk is full" if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} else str(words)


def shortage(error: BaseException) -> InspectorError | None:
    """Say what the machine had too little of, where that is why something failed."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return InspectorError("there is not enough memory", "end something else, or raise the limit (ulimit -v)")
    if number in {errno.EMFILE, errno.ENFILE}:
        return InspectorError("no more files may be open at once", "raise the limit: ulimit -n 256")
    # What threading and fork say (EAGAIN: pthread_create(3), fork(2)).
    if number == errno.EAGAIN or (isinstance(error, RuntimeError) and "start new thread" in str(error)):
        hint = "raise the limits of processes and memory (ulimit -u, -v), or end something else"
        return InspectorError("the kernel starts no more threads or processes", hint)
    return None
