"""Rings that are set up before it is known where to listen: the kernel takes 8 to 20 ms for one, and for many at once.

It waits for a grace period (RCU) with each. Begun as soon as the namespaces are known, they are ready when the plan is.
"""

import os
import socket
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from msgspec import Struct, field

from inspector import netns
from inspector.capture.ring import Ring
from inspector.capture.tap import packet_socket
from inspector.errors import InspectorError


class ReadyRing(Struct, frozen=True):
    """A packet socket that is bound to nothing yet, with its ring."""

    sock: socket.socket
    ring: Ring

    def close(self) -> None:
        """Give both back."""
        self.ring.close()
        self.sock.close()


class _Begun(Struct):
    """What this process has begun."""

    rings: dict[int, list[Future[ReadyRing]]] = field(default_factory=dict)
    """By inode of the namespace."""
    pool: ThreadPoolExecutor | None = None


_begun = _Begun()


def begin(namespaces: Sequence[int], counts: Sequence[int], until: ExitStack) -> None:
    """Begin so many rings in each namespace, until the block ends.

    A namespace that may not be entered is left out: who takes rings there opens its own, and says why it cannot.
    """
    pool = _begun.pool = ThreadPoolExecutor(max_workers=max(sum(counts), 1))
    until.callback(pool.shutdown)
    until.callback(leave_rest)
    for namespace, count in zip(namespaces, counts, strict=True):
        try:
            opened = netns.enter(namespace, partial(_several, count))
        except (OSError, InspectorError):
            continue
        rings = _begun.rings.setdefault(os.fstat(namespace).st_ino, [])
        rings.extend(pool.submit(_ready, each) for each in opened)


def take(namespace: int, count: int) -> list[Future[ReadyRing]]:
    """Return up to so many of the rings that were begun in a namespace; they are the caller's to close."""
    rings = _begun.rings.get(os.fstat(namespace).st_ino, [])
    taken, rings[:] = rings[:count], rings[count:]
    return taken


def leave_rest() -> None:
    """Close what nobody took, without waiting for it."""
    for future in [each for rings in _begun.rings.values() for each in rings]:
        if _begun.pool is not None:
            _begun.pool.submit(_close, future)
    _begun.rings.clear()


def _several(count: int) -> list[socket.socket]:
    return [packet_socket() for _ in range(count)]


def _ready(sock: socket.socket) -> ReadyRing:
    try:
        return ReadyRing(sock, Ring(sock))
    except BaseException:
        sock.close()
        raise


def _close(ready: Future[ReadyRing]) -> None:
    ready.result().close()
