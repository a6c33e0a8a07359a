"""Get the kernel's own time stamps of what a socket receives (Documentation/networking/timestamping.rst)."""

import socket
import struct
from collections.abc import Iterable

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h"""
CONTROL_LIMIT = 512
"""Bytes of control messages taken with each message."""
_TIMESPEC = struct.Struct("@qq")
"""struct __kernel_timespec as SCM_TIMESTAMPNS carries it on 64-bit machines"""


def ask_for_stamps(sock: socket.socket) -> None:
    """Have a stamp come with each message."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def stamp_of(control: Iterable[tuple[int, int, bytes]]) -> int | None:
    """Return the stamp that came with a message, in nanoseconds since the epoch."""
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None
