"""Enter network namespaces, one short visit at a time.

1. A namespace is held by its descriptor, never by a pid or a path: pids are reused, paths lie in mount namespaces.
2. Only the network namespace is entered, in a thread that ends with the visit: no thread of ours stays abroad.
3. What a visit opens (sockets) stays in the namespace, and may be used from any thread afterwards.
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable, Iterable
from functools import cache
from threading import Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

from msgspec import Struct

from inspector.errors import DepartedError, InspectorError, PrivilegeError

CLONE_NEWNET = 0x40000000
"""linux/sched.h"""
NS_GET_NSTYPE = 0xB703
"""linux/nsfs.h"""

HINT = "run it with sudo, or as a user that has this capability"

T = TypeVar("T")


class Namespace(Struct, frozen=True):
    """An open network namespace; the inode tells it from others for as long as the descriptor is open."""

    fd: int
    inode: int

    def close(self) -> None:
        """Let go of the namespace, so that the kernel may remove it."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        """Hold it for a while."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of it."""
        self.close()


def open_of(pid: int) -> Namespace:
    """Open the network namespace that a process is in."""
    try:
        return _open(f"/proc/{pid}/ns/net")
    except OSError as error:
        raise _explained(error, f"open the network namespace of process {pid}", "CAP_SYS_PTRACE") from error


def own() -> Namespace:
    """Open the network namespace the calling thread is in."""
    return _open("/proc/thread-self/ns/net")


def open_path(path: "os.PathLike[str]") -> Namespace:
    """Open the namespace that a mount keeps, or a process is in. Raises OSError."""
    return _open(os.fspath(path))


def open_pidfd(pid: int) -> int:
    """Open a descriptor of a process: it turns readable when the process ends, and never means another one."""
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        raise _explained(error, f"watch process {pid}", "CAP_SYS_PTRACE") from error


def enter(namespace_fd: int, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, when it runs inside the namespace.

    /sys and /proc/net keep showing the namespace they were mounted or opened from; ask by netlink instead.
    """
    visit = _Visit(namespace_fd, work)
    thread = Thread(target=visit.run, name="netns", daemon=True)
    thread.start()
    thread.join()
    return visit.outcome()


def enter_each(visits: Iterable[tuple[int, Callable[[], T]]]) -> list[T]:
    """Return what each work returns that runs inside its namespace: one thread goes from one to the next."""
    known = tuple(visits)

    def go() -> list[T]:
        results = [known[0][1]()]
        for namespace_fd, work in known[1:]:
            _set_namespace(namespace_fd)
            results.append(work())
        return results

    return enter(known[0][0], go) if known else []


def is_network(path: "os.PathLike[str]") -> bool:
    """Whether a file of namespaces is a network's (NS_GET_NSTYPE: ioctl_ns(2)). Raises OSError."""
    with open_path(path) as namespace:
        return fcntl.ioctl(namespace.fd, NS_GET_NSTYPE) == CLONE_NEWNET


class _Visit(Generic[T]):
    """What one sacrificial thread does, and what came of it."""

    def __init__(self, namespace_fd: int, work: Callable[[], T]) -> None:
        self._namespace_fd = namespace_fd
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            _set_namespace(self._namespace_fd)
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error

    def outcome(self) -> T:
        try:
            if self._error is not None:
                raise self._error
            return self._results[0]
        finally:
            # An exception that refers to the visit that refers to it would keep both until the collector comes.
            self._error = None


def _set_namespace(descriptor: int) -> None:
    if _library().setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise _explained(OSError(number, os.strerror(number)), "enter a network namespace", "CAP_SYS_ADMIN")


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # os.setns comes with Python 3.12


def _open(path: str) -> Namespace:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return Namespace(fd=descriptor, inode=os.fstat(descriptor).st_ino)


def _explained(error: OSError, action: str, capability: str) -> InspectorError | OSError:
    match error.errno:
        case errno.EPERM | errno.EACCES:
            return PrivilegeError(f"the kernel did not let us {action}: {capability} is missing", HINT)
        case errno.ENOENT | errno.ESRCH:
            return DepartedError(f"cannot {action}: it is gone", "start it and ask again")
        case _:
            return error
