"""Ask nf_tables by netlink: one socket, one list at a time."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from inspector.errors import InspectorError, PrivilegeError
from inspector.wire.nfnetlink import DONE, DUMP_INTERRUPTED, ERROR, Message, error_number, messages

_NETLINK_NETFILTER = 12
_RECEIVED = 262_144
_PATIENCE_S = 5
ATTEMPTS = 4
"""A list is asked for again where something changed meanwhile."""
ABSENT = frozenset({errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT})
"""What a kernel answers that has no such thing."""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Raise PrivilegeError, or InspectorError with the reason, where the kernel refuses; `what` is a plural."""
    try:
        yield
    except PermissionError as error:
        raise PrivilegeError(
            f"the kernel did not let us read the {what}: CAP_NET_ADMIN is missing there",
            "run it with sudo, or as a user that has this capability",
        ) from error
    except OSError as error:
        raise InspectorError(f"the {what} cannot be read: {(error.strerror or str(error)).lower()}") from error


@contextmanager
def nf_tables_link() -> Iterator[socket.socket | None]:
    """Hold a netlink socket open; None where the kernel has none for filters."""
    try:
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    except OSError as error:
        if error.errno not in ABSENT:
            raise
        yield None
        return
    with link:
        link.settimeout(_PATIENCE_S)
        yield link


def listed(link: socket.socket, asked: bytes, *, counted: bool = False) -> list[Message]:
    """Ask for a list, and again where something changed while it was read. Raises OSError, but not for ABSENT.

    Where places in it are `counted`, one that changes all the time is an error, too.
    """
    found: list[Message] = []
    for _ in range(ATTEMPTS):
        link.sendto(asked, (0, 0))
        found, whole = _received(link)
        if whole:
            return found
    if counted:
        raise OSError(errno.EAGAIN, "They change all the time")
    return found


def one(link: socket.socket, asked: bytes) -> Message | None:
    """Ask for one thing; None where there is none. Raises OSError, but not for ABSENT."""
    link.sendto(asked, (0, 0))
    answer = next(messages(link.recv(_RECEIVED)), None)
    return None if answer is None or _ended(answer) else answer


def _received(link: socket.socket) -> tuple[list[Message], bool]:
    """Receive a list until its end, and say whether nothing changed meanwhile."""
    found: list[Message] = []
    whole = True
    while True:
        for message in messages(link.recv(_RECEIVED)):
            whole = whole and not message.flags & DUMP_INTERRUPTED
            if _ended(message):
                return found, whole
            found.append(message)


def _ended(message: Message) -> bool:
    if message.type not in {DONE, ERROR}:
        return False
    if (number := error_number(message)) and number not in ABSENT:
        raise OSError(number, os.strerror(number))
    return True
