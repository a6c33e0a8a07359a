"""A process that thinks and can do nothing else: forked when all that it needs is loaded, heard through a pipe.

1. It is given a function by fork, and answers with values whose types are known: nothing of it is ever run here.
2. What it raises is raised here: an InspectorError as it is, anything else, and any other end, as a ConfinedError.
3. It has to be closed, or read to its end, before whoever forked it goes on to fork another.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Generic, NoReturn, Self, TypeVar

from msgspec import DecodeError, Struct, msgpack

from inspector import errors
from inspector.confinement import Limits, confine
from inspector.errors import InspectorError
from inspector.model.text import safe

T = TypeVar("T")

_SAID, _RAISED, _DONE = b"s", b"r", b"d"
_LENGTH = 8
_LONGEST = 1 << 30
"""Bytes of one message."""
_OURS = {each.__name__: each for each in vars(errors).values() if isinstance(each, type)}


class ConfinedError(InspectorError):
    """The process that thinks came to another end than its own; a bug of ours, unless somebody killed it."""

    killed = False


class _Raised(Struct):
    kind: str
    message: str
    hint: str | None
    traceback: str


class Confined(Generic[T]):
    """What the other process says, in order, until it has done. Made and read by one thread."""

    def __init__(
        self, work: Callable[[], Iterable[T]], kinds: object, limits: Limits | None = None, reads: Iterable[int] = ()
    ) -> None:
        """Fork. `kinds` is the type of what `work` yields, `reads` are the descriptors that it reads from."""
        self._decoder = msgpack.Decoder(kinds)
        self._limits = limits or Limits()
        owner = os.getpid()
        reading, writing = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            _serve(work, writing, self._limits, owner, (*reads, writing))
        os.close(writing)
        self._stream = os.fdopen(reading, "rb")

    def __enter__(self) -> Self:
        """Have it until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it."""
        self.close()

    def __iter__(self) -> Iterator[T]:
        """Return what it says, as it says it. Raises what it raised; ConfinedError where it ended before its end."""
        while True:
            kind, data = self._message()
            if kind == _DONE:
                return
            try:
                if kind == _RAISED:
                    self._raise(msgpack.decode(data, type=_Raised))
                said: T = self._decoder.decode(data)
            except DecodeError as error:
                raise ConfinedError("it said what nobody understands") from error
            yield said

    def close(self) -> None:
        """End the process, and wait for it."""
        self._stream.close()
        if self._pid:
            # Without CAP_KILL nobody's process is not ours to end: the kernel does, when we end.
            with suppress(PermissionError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._pid = 0

    def _message(self) -> tuple[bytes, bytes]:
        head = self._stream.read(1 + _LENGTH)
        length = int.from_bytes(head[1:])
        if length > _LONGEST:
            raise ConfinedError("it would not stop talking")
        data = self._stream.read(length)
        if len(head) <= _LENGTH or len(data) < length:
            raise self._ended()
        return head[:1], data

    def _ended(self) -> ConfinedError:
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGXCPU:
            return ConfinedError(f"it took more than {self._limits.cpu_s} seconds of processor time")
        how = f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit status {code}"
        error = ConfinedError(how)
        error.killed = code == -signal.SIGKILL
        return error

    def _raise(self, raised: _Raised) -> NoReturn:
        kind = _OURS.get(raised.kind)
        if kind is not None and issubclass(kind, InspectorError):
            raise kind(raised.message, raised.hint)
        if raised.kind == MemoryError.__name__:
            error = ConfinedError(f"it needed more than {self._limits.memory >> 20} MiB of memory")
        else:
            error = ConfinedError(f"{safe(raised.kind)}: {safe(raised.message)!r}")
        error.traceback = raised.traceback
        raise error


def alone(work: Callable[[], T], kind: type[T], limits: Limits | None = None) -> T:
    """Return what a function returns that a confined process runs. Raises as Confined does."""
    with Confined(lambda: (work(),), kind, limits) as confined:
        return next(iter(confined))


def _serve(work: Callable[[], Iterable[T]], writing: int, limits: Limits, owner: int, kept: Iterable[int]) -> NoReturn:
    """Say it all, and end without the owner's clean-up."""
    status = 1
    try:
        confine(limits, owner, kept)
        try:
            for each in work():
                _send(writing, _SAID, msgpack.encode(each))
        except Exception as error:  # noqa: BLE001 - it is the owner that raises it
            _send(writing, _RAISED, msgpack.encode(_raised(error)))
        else:
            _send(writing, _DONE, b"")
        status = 0
    finally:
        os._exit(status)


def _raised(error: Exception) -> _Raised:
    message, hint = (error.message, error.hint) if isinstance(error, InspectorError) else (str(error), None)
    return _Raised(type(error).__name__, message, hint, "".join(traceback.format_exception(error)))


def _send(writing: int, kind: bytes, data: bytes) -> None:
    with memoryview(kind + len(data).to_bytes(_LENGTH) + data) as rest:
        done = 0
        while done < len(rest):
            done += os.write(writing, rest[done:])
