"""Give up everything but thinking: what a process that reads strangers' bytes cannot do afterwards.

1. It has no capability and can get none; it is nobody, where it may become another user at all.
2. It can open nothing: no file, no socket, no process (RLIMIT_NOFILE 0, as OpenSSH's child before authentication).
   So all it needs is loaded and opened before.
3. It has no terminal, and ends when the process ends that started it.
4. Its memory and its processor time have an end.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from msgspec import Struct

from inspector import privileges

NOBODY: Final = 65534
"""The user and group that own nothing (overflowuid, proc(5))."""
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 1, 4, 15, 38
"""linux/prctl.h"""
THINKING_PROCESS = b"dnetsniff-think"
"""What the kernel calls it: at most 15 bytes (TASK_COMM_LEN)."""
_STREAMS = (0, 1, 2)


class Limits(Struct, frozen=True):
    """How much a confined process may use."""

    memory: int = 1 << 30
    """Bytes of address space beyond what it has at the start."""
    cpu_s: int | None = 60
    """Seconds of processor time; None where nobody knows how much there is to read."""


def confine(limits: Limits, owner: int, kept: Iterable[int]) -> None:
    """Do it to this process, which runs one thread, and keep these descriptors. Ends it where the owner is gone."""
    os.setsid()  # no terminal: neither to type into it (TIOCSTI) nor to get its Ctrl-C
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _close_others(tuple(kept))
    _limit(limits)
    privileges.bound()  # while it may: nobody has no CAP_SETPCAP
    _become_nobody()
    privileges.keep()
    library = ctypes.CDLL(None)
    library.prctl(PR_SET_NAME, THINKING_PROCESS, 0, 0, 0)
    library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    library.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Last: the kernel forgets it when a process changes its user.
    library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != owner:
        os._exit(1)


def _close_others(kept: Iterable[int]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in set(_STREAMS).difference(kept):
        os.dup2(nowhere, each)
    for each in set(map(int, os.listdir("/proc/self/fd"))).difference(kept, _STREAMS):  # noqa: PTH208 - names alone
        with suppress(OSError):
            os.close(each)


def _limit(limits: Limits) -> None:
    ends = {
        resource.RLIMIT_AS: _size() + limits.memory,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    if limits.cpu_s is not None:
        ends[resource.RLIMIT_CPU] = limits.cpu_s
    for each, end in ends.items():
        _, most = resource.getrlimit(each)
        # Behind the limit of time is a second in which the kernel says so (SIGXCPU), before it kills.
        hard = end + 1 if each == resource.RLIMIT_CPU else end
        if most != resource.RLIM_INFINITY:
            hard = min(hard, most)
        resource.setrlimit(each, (min(end, hard), hard))


def _size() -> int:
    """Return the address space that it has now (proc(5), statm)."""
    descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(descriptor, 64).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)


def _become_nobody() -> None:
    # Without CAP_SETUID, and in a user namespace that knows no such user, it stays who it is.
    with suppress(OSError):
        os.setgroups([])
    with suppress(OSError):
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
