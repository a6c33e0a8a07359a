"""Write as the user who asked: under sudo, what we make belongs to them, and root follows no link of theirs.

What counts for files is the file system user of a thread (setfsuid(2)), so other threads go on as root meanwhile.
"""

import ctypes
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from inspector.errors import PrivilegeError

Owner = tuple[int, int]
"""User and group id."""

_NOBODY_AT_ALL = 0xFFFFFFFF
"""-1 in an uid_t: to these calls it means nobody."""
_SETGROUPS = {"x86_64": 116, "aarch64": 159, "riscv64": 159, "loongarch64": 159, "ppc64le": 81, "s390x": 206}
"""Of this thread alone, which the C library's setgroups is not (asm/unistd.h)."""


def calling_user(environment: Mapping[str, str]) -> Owner | None:
    """Return who called sudo; None where nobody did."""
    words = (environment.get("SUDO_UID", ""), environment.get("SUDO_GID", ""))
    if os.geteuid() != 0 or not all(each.isdecimal() and int(each) < _NOBODY_AT_ALL for each in words):
        return None
    return int(words[0]), int(words[1])


@contextmanager
def acting_as(owner: Owner | None) -> Iterator[None]:
    """Open and make files as this user meanwhile, in this thread, if we are root. Raises PrivilegeError."""
    if owner is None or os.geteuid() != 0:
        yield
        return
    user, group = owner
    groups = os.getgroups()
    try:
        _set_groups([group])
        _become(user, group)
        yield
    finally:
        _become(os.geteuid(), os.getegid())
        _set_groups(groups)


def _become(user: int, group: int) -> None:
    library = ctypes.CDLL(None)
    for change, wanted in ((library.setfsgid, group), (library.setfsuid, user)):
        change(ctypes.c_uint32(wanted))
        # It never says whether it did; asked for nobody at all, it says who it is.
        if change(ctypes.c_uint32(_NOBODY_AT_ALL)) & _NOBODY_AT_ALL != wanted:
            raise _missing("CAP_SETUID and CAP_SETGID are missing")


def _set_groups(groups: list[int]) -> None:
    number = _SETGROUPS.get(platform.machine())
    if number is None:
        raise _missing(f"it is not known how on a machine of type {platform.machine()}")
    listed = (ctypes.c_uint32 * len(groups))(*groups)
    if ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_long(len(groups)), listed) != 0:
        raise _missing("CAP_SETGID is missing")


def _missing(why: str) -> PrivilegeError:
    return PrivilegeError(f"cannot write as the user who called sudo: {why}", "unset SUDO_UID to write as root")
