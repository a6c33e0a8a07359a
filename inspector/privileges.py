"""What a process of ours may do as root: the capabilities it keeps, and how it gives up all others for good.

1. Given up is also what a program could get back by execve(2): the bounding set.
2. Nothing is gained: who starts without a capability has it nowhere.
"""

import ctypes
import os
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

PR_CAPBSET_DROP: Final = 24
"""linux/prctl.h"""
_VERSION_3, _CALLING_THREAD = 0x20080522, 0
"""linux/capability.h"""
_MOST, _WORD = 64, 0xFFFFFFFF


class Capability(Struct, frozen=True):
    """A capability by name and bit (linux/capability.h), and what for."""

    name: str
    bit: int
    purpose: str


NET_RAW = Capability("CAP_NET_RAW", 13, "open packet and ICMP sockets")
SYS_ADMIN = Capability("CAP_SYS_ADMIN", 21, "enter a container's network (setns)")
SYS_PTRACE = Capability("CAP_SYS_PTRACE", 19, "open a container's /proc/PID/ns/net")
NET_ADMIN = Capability("CAP_NET_ADMIN", 12, "trace rules, name other ports (optional)")
SYSLOG = Capability("CAP_SYSLOG", 34, "name the function that drops (optional)")
DAC_READ_SEARCH = Capability("CAP_DAC_READ_SEARCH", 2, "read other users' files (optional)")
DAC_OVERRIDE = Capability("CAP_DAC_OVERRIDE", 1, "reach others' engines, folders (optional)")
SETUID = Capability("CAP_SETUID", 7, "think as nobody, write as caller (optional)")
SETGID = Capability("CAP_SETGID", 6, "the same, for groups (optional)")
SETPCAP = Capability("CAP_SETPCAP", 8, "give the others up for good (optional)")
KILL = Capability("CAP_KILL", 5, "end what thinks as nobody (optional)")

OF_WORKER = (NET_RAW, NET_ADMIN, SYS_ADMIN, SYSLOG)
"""What listens and sends."""
OF_ASKER = (DAC_READ_SEARCH, DAC_OVERRIDE)
"""What asks the engine: its socket may be another user's."""
OF_OWNER = (NET_RAW, SYS_ADMIN, SYS_PTRACE, NET_ADMIN, SYSLOG, *OF_ASKER, SETUID, SETGID, SETPCAP, KILL)
"""What starts them, reads the kernel, and writes the files."""


def held() -> int:
    """Return the effective capabilities of this thread, as bits (capget(2))."""
    effective, _permitted = _held()
    return effective


def keep(wanted: Iterable[Capability] = ()) -> None:
    """Give up every capability but these, in this thread and in all that it starts."""
    wanted = tuple(wanted)
    bound(wanted)
    bits = _bits(wanted)
    effective, permitted = _held()
    library = ctypes.CDLL(None, use_errno=True)
    low, high = ([value >> shift & _WORD for value in (effective & bits, permitted & bits, 0)] for shift in (0, 32))
    _checked(library.capset(_head(), (ctypes.c_uint32 * 6)(*low, *high)))


def bound(wanted: Iterable[Capability] = ()) -> None:
    """Give up that any program could ever get another one; needs CAP_SETPCAP, and is left out without it."""
    bits = _bits(wanted)
    library = ctypes.CDLL(None, use_errno=True)
    for bit in (each for each in range(_MOST) if not bits >> each & 1):
        if library.prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) != 0:
            break  # it is not held, or the kernel knows no more of them


def _bits(wanted: Iterable[Capability]) -> int:
    return sum(1 << each.bit for each in wanted)


def _held() -> tuple[int, int]:
    """Return the effective and the permitted ones."""
    words = (ctypes.c_uint32 * 6)()
    _checked(ctypes.CDLL(None, use_errno=True).capget(_head(), words))
    return words[0] | words[3] << 32, words[1] | words[4] << 32


def _head() -> "ctypes.Array[ctypes.c_uint32]":
    """Return struct __user_cap_header_struct: what follows are two structs of effective, permitted, inheritable."""
    return (ctypes.c_uint32 * 2)(_VERSION_3, _CALLING_THREAD)


def _checked(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
