"""Read files below a root directory that somebody else rules, and nothing outside of it.

1. The kernel resolves the path as if the root were `/` (openat2, RESOLVE_IN_ROOT): no link, absolute or with `..`,
   leads out. Mount points are crossed: Docker bind-mounts /etc/hosts.
2. A file is looked at before it is opened. Opening alone hangs on a FIFO, and starts some devices.
3. Without openat2 (before Linux 5.6) everything is refused: the same cannot be done safely in user space.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Self

from msgspec import Struct

from inspector.model.sentence import say
from inspector.model.text import safe

MAX_BYTES = 65_536
"""Longest file read; the rest of a longer one is left."""
MAX_NAMES = 8_192
"""Most names of one directory looked at."""

_SYS_OPENAT2 = 437
"""asm-generic/unistd.h, the same on every architecture."""
_OPEN_HOW = struct.Struct("=QQQ")
"""linux/openat2.h, struct open_how: flags, mode, resolve."""
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10
_ATTEMPTS = 8
"""openat2 gives EAGAIN where a rename or a mount went on while it followed a `..` (openat2(2))."""

_KERNEL_MADE = frozenset(
    {
        0x9FA0,  # proc
        0x62656572,  # sysfs
        0x64626720,  # debugfs
        0x74726163,  # tracefs
        0x63677270,  # cgroup2
        0x27E0EB,  # cgroup
    }
)
"""linux/magic.h. Their files pass for regular ones; reading /proc/kmsg takes the host's messages away."""

_WORDS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "a part of its path is not a directory",
    errno.ELOOP: "a loop of links, or a link of /proc",
    errno.EXDEV: "its path leads out of the root",
    errno.EACCES: "the kernel did not let us read it",
    errno.EPERM: "the kernel did not let us read it",
    errno.EAGAIN: "its path changed while we looked",
    errno.ENOSYS: "this kernel has no openat2 (Linux 5.6)",
}


class Root(Struct, frozen=True):
    """An open root directory: what paths are resolved below."""

    fd: int

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        """Hold it for a while."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of it."""
        self.close()


class Identity(Struct, frozen=True):
    """What makes two paths the same file, as long as it exists."""

    device: int
    inode: int


class Content(Struct, frozen=True):
    """What a regular file holds."""

    data: bytes
    identity: Identity
    whole: bool = True
    """False: it is longer than what was read."""


class Refusal(Struct, frozen=True):
    """Why something was not read, in words."""

    why: str
    gone: bool = False
    """There is no such process."""


def open_root(pid: int) -> Root | Refusal:
    """Open the root of a process; hold a pidfd of it, so that it is known to be the right one."""
    return _root(f"/proc/{pid}/root")


def own_root() -> Root | Refusal:
    """Open our own root."""
    return _root("/")


def read_file(root: Root, path: str, limit: int = MAX_BYTES) -> Content | Refusal:
    """Read the beginning of a regular file."""
    try:
        with _opened(root, path) as found:
            state = os.fstat(found)
            if not stat.S_ISREG(state.st_mode):
                return Refusal(say("not a regular file"))
            if _file_system(found) in _KERNEL_MADE:
                return Refusal(say("a file that the kernel makes up"))
            data = _read(found, limit + 1)
    except OSError as error:
        return Refusal(in_words(error))
    return Content(data=data[:limit], identity=Identity(state.st_dev, state.st_ino), whole=len(data) <= limit)


def list_names(root: Root, path: str, limit: int = MAX_NAMES) -> tuple[str, ...]:
    """List names in a directory, in no order; none where it cannot be read."""
    try:
        with _opened(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK) as found, os.scandir(found) as entries:
            return tuple(entry.name for entry in islice(entries, limit))
    except OSError:
        return ()


def identify(root: Root, path: str) -> Identity | None:
    """Say which file a path leads to, without opening it; None where it leads nowhere."""
    try:
        with _opened(root, path) as found:
            state = os.fstat(found)
    except OSError:
        return None
    return Identity(state.st_dev, state.st_ino)


def in_words(error: OSError) -> str:
    """Say why the kernel refused."""
    number = error.errno or 0
    return _WORDS.get(number) or safe(os.strerror(number)).lower()


def _root(path: str) -> Root | Refusal:
    try:
        return Root(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        gone = error.errno in {errno.ENOENT, errno.ESRCH}
        return Refusal(
            say("its root cannot be opened: {why}", why=safe(os.strerror(error.errno or 0)).lower()), gone=gone
        )


@contextmanager
def _opened(root: Root, path: str, flags: int = os.O_PATH) -> Iterator[int]:
    descriptor = _openat2(root.fd, os.fsencode(path), flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _openat2(root: int, path: bytes, flags: int) -> int:
    if b"\0" in path:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    library = ctypes.CDLL(None, use_errno=True)
    how = _OPEN_HOW.pack(flags, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    number = errno.EAGAIN
    for _ in range(_ATTEMPTS):
        descriptor = library.syscall(
            ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(root), path, how, ctypes.c_size_t(len(how))
        )
        if descriptor >= 0:
            return int(descriptor)
        number = ctypes.get_errno()
        if number != errno.EAGAIN:
            break
    raise OSError(number, os.strerror(number))


def _read(found: int, limit: int) -> bytes:
    """Read what an O_PATH descriptor stands for, opened anew by the link that /proc has to it."""
    descriptor = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    pieces: list[bytes] = []
    try:
        while limit > 0 and (piece := os.read(descriptor, limit)):
            pieces.append(piece)
            limit -= len(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _file_system(descriptor: int) -> int:
    """Return f_type of struct statfs (statfs(2)), its first word."""
    answer = ctypes.create_string_buffer(256)
    library = ctypes.CDLL(None, use_errno=True)
    if library.fstatfs(descriptor, answer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(ctypes.c_long.from_buffer(answer).value)
