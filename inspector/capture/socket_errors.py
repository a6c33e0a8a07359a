"""Take ICMP errors from a socket's error queue, in words (ip(7): IP_RECVERR; ipv6(7): IPV6_RECVERR)."""

import errno
import socket
import struct
from collections.abc import Iterable, Iterator

from inspector.capture.stamps import CONTROL_LIMIT
from inspector.wire.headers import icmp_words

_V6 = 6
_IP_RECVERR, _IPV6_RECVERR = 11, 25
"""linux/in.h, linux/in6.h"""
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err (linux/errqueue.h): errno, origin, type, code, pad, info, data"""
_ORIGIN_LOCAL, _ORIGIN_ICMP, _ORIGIN_ICMP6 = 1, 2, 3
_MTU_MESSAGES = {4: (3, 4), 6: (2, 0)}

Control = Iterable[tuple[int, int, bytes]]


def ask_for_errors(sock: socket.socket) -> None:
    """Have the errors about what a socket sent queued on it."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def error_words(sock: socket.socket, family: int) -> str | None:
    """Take the next error from the queue, and say what it is; None where none is there."""
    try:
        _, control, _, _ = sock.recvmsg(CONTROL_LIMIT, CONTROL_LIMIT, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    return words_of(control, family)


def words_of(control: Control, family: int) -> str | None:
    """Say which ICMP error a control message tells of; what the source's own stack refused is none."""
    for _, origin, icmp_type, code, _, information, _ in _errors(control, family):
        if origin in {_ORIGIN_ICMP, _ORIGIN_ICMP6}:
            mtu = information if (icmp_type, code) == _MTU_MESSAGES[family] else None
            return icmp_words(family, icmp_type, code, mtu)
    return None


def local_mtu(control: Control, family: int) -> int | None:
    """Return what the way carries: EMSGSIZE comes with an error of local origin that says it (ip(7))."""
    told = (each for each in _errors(control, family) if each[:2] == (errno.EMSGSIZE, _ORIGIN_LOCAL))
    return next((each[5] for each in told), None)


def _errors(control: Control, family: int) -> Iterator[tuple[int, ...]]:
    """Yield what the error queue tells: errno, origin, type, code, pad, info, data."""
    wanted = (socket.IPPROTO_IPV6, _IPV6_RECVERR) if family == _V6 else (socket.IPPROTO_IP, _IP_RECVERR)
    for level, kind, data in control:
        if (level, kind) == wanted and len(data) >= _EXTENDED_ERROR.size:
            yield _EXTENDED_ERROR.unpack_from(data)
