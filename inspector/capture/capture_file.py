"""Write a growing capture: whole blocks, one write for many of them, and each file of a ring complete by itself.

1. A file is new: it is made with O_EXCL and O_NOFOLLOW, 0600, in a folder that is held by its descriptor from the
   start, as the user who asked.
2. Where a write fails, the file is cut behind the last whole block.
3. No file gets larger than it may, unless one block alone is.
"""

import os
import stat
import struct
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from inspector.errors import OutputError, why_unwritten
from inspector.model.text import safe
from inspector.ownership import Owner, acting_as

_LENGTH_AT = 4
_ANOTHER = "name a new file, in a folder that you may write in"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Full(Exception):  # noqa: N818 - an end, no error
    """The file has got as large as it may, and there is no next one."""


class ReaderLeft(Exception):  # noqa: N818 - an end, no error
    """Whoever read the capture has enough."""


class CutShort(Exception):  # noqa: N818 - it becomes an OutputError where it is known how much is kept
    """The file could not take more; it ends with a whole block."""


class Outlet(Protocol):
    """Where captures go: to one place, or to a file after another."""

    @property
    def many(self) -> bool:
        """Whether there can be a next one."""
        ...

    def open(self) -> int:
        """Return the descriptor of the next one."""
        ...


class Pipe:
    """A capture that somebody reads as it is written."""

    many = False

    def __init__(self, descriptor: int) -> None:
        """Write to this descriptor, which stays the caller's."""
        self._descriptor = descriptor

    def open(self) -> int:
        """Return it."""
        return os.dup(self._descriptor)


class Files:
    """One new file, or a ring of them, numbered and dated as dumpcap does: `web_00001_20260131120000.pcapng`."""

    def __init__(self, path: Path, keep: int | None, owner: Owner | None, stamp: Callable[[], str]) -> None:
        """Hold the folder open; `keep` is how many files a ring has, None where there is one file.

        Raises OutputError.
        """
        self._path = path
        self._keep = keep
        self._owner = owner
        self._stamp = stamp
        self._number = 0
        self._made: deque[tuple[str, int]] = deque()
        """Names and inodes."""
        try:
            self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _unwritable(path, error) from error

    @property
    def many(self) -> bool:
        """Whether it is a ring."""
        return self._keep is not None

    @property
    def last(self) -> Path:
        """Return the path of the newest file."""
        return self._path.parent / self._made[-1][0]

    def check(self) -> None:
        """Say before the work that no file can be made here. Raises OutputError."""
        if not os.access(self._path.parent, os.W_OK | os.X_OK, effective_ids=True):
            raise OutputError(f"cannot write in {safe(str(self._path.parent), limit=4096)}", _ANOTHER)
        if self._keep is None and os.path.lexists(self._path):
            raise _unwritable(self._path, FileExistsError())

    def open(self) -> int:
        """Make the next file, and remove the oldest where the ring is full. Raises OutputError."""
        name = self._path.name
        if self._keep is not None:
            self._number += 1
            name = f"{self._path.stem}_{self._number:05}_{self._stamp()}{self._path.suffix}"
        try:
            with acting_as(self._owner):
                descriptor = os.open(name, _FLAGS, 0o600, dir_fd=self._folder)
        except OSError as error:
            raise _unwritable(self._path.parent / name, error) from error
        self._made.append((name, os.fstat(descriptor).st_ino))
        if self._keep is not None and len(self._made) > self._keep:
            self._remove(*self._made.popleft())
        return descriptor

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._folder)

    def _remove(self, name: str, inode: int) -> None:
        """Remove a file of ours, and not what somebody put in its place."""
        try:
            with acting_as(self._owner):
                if os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_ino == inode:
                    os.unlink(name, dir_fd=self._folder)
        except OSError:
            return


class CaptureFile:
    """Blocks on their way to the file at hand."""

    def __init__(
        self,
        outlet: Outlet,
        ahead: Callable[[], bytes],
        behind: Callable[[], bytes],
        max_size: int | None = None,
    ) -> None:
        """Open the first file. `ahead` is what each starts with, `behind` what it ends with."""
        self._outlet = outlet
        self._ahead = ahead
        self._behind = behind
        self._max_size = max_size
        self.written = 0
        """Bytes of all files."""
        self.taken = 0
        """Bytes of what `write` was given that are in a file."""
        self.files = 0
        self._empty = 0
        self._size = 0
        self._descriptor = -1
        self._cut = False

    def start(self) -> None:
        """Open the next file and write what stands ahead."""
        self._descriptor = self._outlet.open()
        self._cut = not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._size = 0
        self.files += 1
        self._put(memoryview(self._ahead()))
        self._empty = self._size

    def write(self, parts: Iterable[memoryview | bytes | bytearray]) -> None:
        """Write whole blocks. Raises Full, ReaderLeft or CutShort."""
        for part in parts:
            with memoryview(part) as rest:
                self._write(rest)

    def finish(self) -> None:
        """Write what stands behind, and close."""
        if self._descriptor >= 0:
            try:
                self._put(memoryview(self._behind()))
            finally:
                self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, rest: memoryview) -> None:
        while rest:
            fitting = len(rest)
            if self._max_size is not None and self._size + fitting > (room := self._max_size - len(self._behind())):
                fitting = whole_blocks(rest, room - self._size)
                if not fitting and (self._size > self._empty or not self._outlet.many):
                    self._next()
                    continue
                fitting = fitting or length_of(rest)
            with rest[:fitting] as part:
                self.taken += self._put(part)
            rest = rest[fitting:]

    def _next(self) -> None:
        if not self._outlet.many:
            raise Full
        self.finish()
        self.start()

    def _put(self, part: memoryview) -> int:
        done = 0
        try:
            while done < len(part):
                with part[done:] as rest:
                    done += os.write(self._descriptor, rest)
        except BrokenPipeError as error:
            raise ReaderLeft from error
        except OSError as error:
            whole = whole_blocks(part, done)
            self.taken += whole
            if not self._cut:
                os.ftruncate(self._descriptor, self._size + whole)
            self.close()
            raise CutShort(error.errno, error.strerror) from error
        self._size += done
        self.written += done
        return done


def length_of(block: memoryview) -> int:
    """Return the length that the first block says it has."""
    (length,) = struct.unpack_from("<I", block, _LENGTH_AT)
    return int(length)


def whole_blocks(blocks: memoryview, limit: int) -> int:
    """Return how many bytes of the first blocks are whole and within the limit."""
    at = 0
    while at < len(blocks):
        (length,) = struct.unpack_from("<I", blocks, at + _LENGTH_AT)
        if at + length > limit:
            break
        at += length
    return at


def count_blocks(parts: Iterable[memoryview], limit: int) -> int:
    """Return how many blocks are within the first bytes of these."""
    count = 0
    for part in parts:
        at, end = 0, min(limit, len(part))
        while at < end:
            at += length_of(part[at:])
            count += at <= end
        limit -= end
    return count


def cut_short(error: CutShort, path: str, kept: str) -> OutputError:
    """Say what ended the capture, and what is readable."""
    number, words = error.args
    return OutputError(
        f"{why_unwritten(number, words)}: {kept} are readable in {safe(path, limit=4096)}",
        "make room and capture again",
    )


def _unwritable(path: Path, error: OSError) -> OutputError:
    shown = safe(str(path), limit=4096)
    if isinstance(error, FileExistsError):
        return OutputError(f"{shown} exists already", "choose another name, or remove it")
    return OutputError(f"cannot write {shown}: {error.strerror}", _ANOTHER)
