"""Find dnetsniff's processes on this machine, and who holds which socket.

1. A command of ours is called `dnetsniff`, a second process of ours by another name that begins so; both by the name
   that the kernel has for them (/proc/PID/comm), whatever program loaded us.
2. A second process dies with its owner. Where its parent is neither ours nor the program it was forked from, it has
   outlived it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from inspector.model.text import safe

COMMAND = "dnetsniff"
PROC = Path("/proc")
ENDED = frozenset({"", "Z", "X"})
"""States of a process that holds nothing any more (proc_pid_stat(5))."""
_SHOWN = 120


class OwnProcess(Struct, frozen=True):
    """A process of ours."""

    pid: int
    line: str
    """Its command line."""
    outlived: bool
    """What it worked for has ended."""


class Holders(Struct, frozen=True):
    """Who holds what on this machine."""

    sockets: Mapping[int, tuple[int, ...]]
    """Processes by the inode of a socket."""
    hidden: int
    """Of how many processes it could not be seen."""

    def of(self, inode: int, among: frozenset[int]) -> int | None:
        """Return which of these processes holds a socket."""
        return next((each for each in self.sockets.get(inode, ()) if each in among), None)


def own_processes() -> tuple[OwnProcess, ...]:
    """List them, the calling one apart."""
    return tuple(each for pid in pids() if pid != os.getpid() and (each := _of(pid)) is not None)


def pids() -> tuple[int, ...]:
    """List all processes."""
    return tuple(sorted(int(each.name) for each in PROC.iterdir() if each.name.isdecimal()))


def holders() -> Holders:
    """Look through the descriptors of all processes."""
    sockets: dict[int, list[int]] = {}
    refused = []
    for pid in pids():
        try:
            for target in descriptors(pid).values():
                if (inode := inode_in(target, "socket:[")) is not None:
                    sockets.setdefault(inode, []).append(pid)
        except PermissionError:
            refused.append(pid)
    hidden = sum(is_closed(pid) for pid in refused)
    return Holders({inode: tuple(dict.fromkeys(found)) for inode, found in sockets.items()}, hidden)


def is_closed(pid: int) -> bool:
    """Whether a process that may be ours refuses to be looked into; one that is just ending does so for a moment.

    To those who may look into others (CAP_SYS_PTRACE) only such are closed that may do more than they, as the first
    process of a machine: none of ours, unless it has our name.
    """
    try:
        descriptors(pid)
    except PermissionError:
        ours = _read(pid, "comm").startswith(COMMAND)
        return _state(pid) not in ENDED and (ours or not _may_look())
    return False


def _may_look() -> bool:
    """Whether CAP_SYS_PTRACE is in effect (linux/capability.h: 19)."""
    lines = _read(os.getpid(), "status").splitlines()
    held = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(held >> 19 & 1)


def descriptors(pid: int) -> dict[Path, str]:
    """Return what each descriptor of a process is, by its path (proc(5)). Raises PermissionError."""
    found = {}
    with suppress(FileNotFoundError, ProcessLookupError):
        for each in (PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found[each] = str(each.readlink())
    return found


def inode_in(target: str, kind: str) -> int | None:
    """Read the number in `socket:[NUMBER]` and the like; `kind` is what stands ahead of it."""
    rest = target.removeprefix(kind)
    return int(rest[:-1]) if rest != target and rest.endswith("]") and rest[:-1].isdecimal() else None


def _of(pid: int) -> OwnProcess | None:
    name, line = _read(pid, "comm").strip(), _read(pid, "cmdline")
    # A process that has ended and is not taken leave of has no command line, and holds nothing.
    if not name.startswith(COMMAND) or not line:
        return None
    shown = safe(line.replace("\0", " ").strip(), _SHOWN)
    return OwnProcess(pid, shown, outlived=name != COMMAND and not _is_owned(pid, line))


def _is_owned(pid: int, line: str) -> bool:
    """Whether its parent is ours, or what it was forked from: that has the same command line."""
    parent = int(words[1]) if len(words := _status(pid)) > 1 else 0
    return _read(parent, "comm").startswith(COMMAND) or _read(parent, "cmdline") == line


def _state(pid: int) -> str:
    return next(iter(_status(pid)), "")


def _status(pid: int) -> list[str]:
    """Return what stands behind the name: state, parent, and more."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text(encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError):
        return ""
