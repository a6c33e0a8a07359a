"""Ask the kernel to tell when a tracepoint fires: perf events, each tied to a descriptor.

1. Nothing is switched on in tracefs, and no instance of it is made: the kernel forgets an event when its descriptor is
   closed, also after kill -9.
2. What tracefs says about a tracepoint is read through a mount of our own that hangs on a descriptor (fsopen(2), Linux
   5.2) and is in nobody's mount table; only where that is refused, where it is mounted already.
3. Closing the last event of a tracepoint waits until no CPU is inside it (30 ms or so): close beside something else.
"""

import ctypes
import fcntl
import mmap
import os
import platform
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from inspector.wire.perf_records import attributes
from inspector.wire.tracepoints import Tracepoint, read_tracepoint

FREED, RECEIVED = "skb/kfree_skb", "net/netif_receive_skb"
MOUNTED = Path("/sys/kernel/tracing")
ONLINE = Path("/sys/devices/system/cpu/online")
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
"""The same on every machine (asm-generic/unistd.h)."""
_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331, "loongarch64": 241}
_FSOPEN_CLOEXEC, _FSCONFIG_CREATE, _FSMOUNT_CLOEXEC = 1, 6, 1
"""linux/mount.h"""
_FLAG_FD_CLOEXEC = 8
_IOC_ENABLE, _IOC_DISABLE, _IOC_SET_OUTPUT, _IOC_SET_FILTER = 0x2400, 0x2401, 0x2405, 0x40082406
_IOC_FLAG_GROUP = 1
"""linux/perf_event.h"""
_HEAD, _TAIL = 1024, 1032
"""data_head and data_tail in struct perf_event_mmap_page"""
_POSITION = struct.Struct("=Q")


class TracingError(OSError):
    """The kernel has no such tracepoint, or does not let us look at it; its text says which."""


def read_tracepoints(names: Iterable[str]) -> dict[str, Tracepoint]:
    """Return what this kernel says about tracepoints (`skb/kfree_skb`). Raises TracingError."""
    try:
        folder = _tracefs()
    except OSError as error:
        raise TracingError(error.errno, f"tracefs cannot be read: {error.strerror}") from error
    try:
        found = {name: read_tracepoint(_read(folder, f"events/{name}/format")) for name in names}
    except OSError as error:
        raise TracingError(error.errno, f"this kernel does not tell about it: {error.strerror}") from error
    finally:
        os.close(folder)
    return {name: each for name, each in found.items() if each is not None}


def drop_tracepoints() -> tuple[Tracepoint, Tracepoint]:
    """Return the tracepoints of drops and of receptions. Raises TracingError where the kernel gives no reasons."""
    found = read_tracepoints((FREED, RECEIVED))
    if FREED not in found or "reason" not in found[FREED].fields:
        raise TracingError(0, "this kernel gives none (Linux 5.17 is the first that does)")
    if RECEIVED not in found:
        raise TracingError(0, "this kernel does not tell which packets it receives")
    return found[FREED], found[RECEIVED]


def instances() -> tuple[str, ...]:
    """Name the instances of tracefs that anybody has made. Raises OSError."""
    folder = _tracefs()
    try:
        inside = os.open("instances", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        return tuple(sorted(os.listdir(inside)))  # noqa: PTH208 - a descriptor is no path
    finally:
        os.close(inside)


def online_cpus(text: str | None = None) -> tuple[int, ...]:
    """Return the CPUs that are on: `0-3,5` in the kernel's words."""
    ranges = [each.split("-") for each in (text or ONLINE.read_text(encoding="ascii")).strip().split(",")]
    return tuple(cpu for each in ranges for cpu in range(int(each[0]), int(each[-1]) + 1))


class TraceEvent:
    """One tracepoint on one CPU."""

    def __init__(
        self,
        tracepoint: int,
        cpu: int,
        *,
        leader: "TraceEvent | None" = None,
        sampled: bool = True,
        wakeup_bytes: int = 0,
    ) -> None:
        number = _PERF_EVENT_OPEN.get(platform.machine())
        if number is None:
            raise TracingError(0, f"perf events are not known for machines of type {platform.machine()}")
        asked = attributes(tracepoint, sampled=sampled, leader=leader is None, wakeup_bytes=wakeup_bytes)
        buffer = ctypes.create_string_buffer(asked, len(asked))
        group = -1 if leader is None else leader.fileno()
        try:
            self._fd = _call(number, buffer, -1, cpu, group, ctypes.c_ulong(_FLAG_FD_CLOEXEC))
        except OSError as error:
            raise TracingError(error.errno, f"perf events are refused: {error.strerror}") from error

    def fileno(self) -> int:
        """Let selectors wait until its ring is half full."""
        return self._fd

    def accept(self, condition: str) -> None:
        """Have the kernel pass over what does not meet a condition on the tracepoint's fields."""
        text = ctypes.create_string_buffer(condition.encode("ascii"))
        _checked(_library().ioctl(self._fd, ctypes.c_ulong(_IOC_SET_FILTER), text))

    def write_to(self, other: "TraceEvent") -> None:
        """Put its samples into another event's ring, of the same CPU."""
        fcntl.ioctl(self._fd, _IOC_SET_OUTPUT, other.fileno())

    def start(self) -> None:
        """Begin, or go on, with all of the group that it leads."""
        fcntl.ioctl(self._fd, _IOC_ENABLE, _IOC_FLAG_GROUP)

    def pause(self) -> None:
        """Cost nothing for a while, with all of the group that it leads; counts and samples stay."""
        fcntl.ioctl(self._fd, _IOC_DISABLE, _IOC_FLAG_GROUP)

    def close(self) -> None:
        """Stop."""
        os.close(self._fd)


class TraceRing:
    """The memory that an event shares with the kernel, which writes samples there."""

    def __init__(self, event: TraceEvent, pages: int) -> None:
        """Map it; `pages` is a power of two."""
        self._memory = mmap.mmap(event.fileno(), (1 + pages) * mmap.PAGESIZE)
        self._size = pages * mmap.PAGESIZE

    def take(self) -> bytes:
        """Return the records that are there, and make room."""
        (head,), (tail,) = _POSITION.unpack_from(self._memory, _HEAD), _POSITION.unpack_from(self._memory, _TAIL)
        start, length = mmap.PAGESIZE + tail % self._size, head - tail
        data = self._memory[start : min(start + length, mmap.PAGESIZE + self._size)]
        data += self._memory[mmap.PAGESIZE : mmap.PAGESIZE + length - len(data)]
        _POSITION.pack_into(self._memory, _TAIL, head)
        return data

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def _tracefs() -> int:
    """Return a directory descriptor of tracefs."""
    with suppress(OSError):
        return _detached()
    # Not /sys/kernel/debug/tracing: looking there mounts it.
    return os.open(MOUNTED / ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _detached() -> int:
    context = _call(_FSOPEN, b"tracefs", _FSOPEN_CLOEXEC)
    try:
        _call(_FSCONFIG, context, _FSCONFIG_CREATE, None, None, 0)
        mount = _call(_FSMOUNT, context, _FSMOUNT_CLOEXEC, 0)
    finally:
        os.close(context)
    try:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mount)
    finally:
        os.close(mount)


def _read(folder: int, path: str) -> str:
    with os.fdopen(
        os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), errors="replace", encoding="utf-8"
    ) as file:
        return file.read()


def _call(number: int, *arguments: object) -> int:
    return _checked(_library().syscall(ctypes.c_long(number), *arguments))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(status: int) -> int:
    if status < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return status
