"""A second process beside this one: it holds the kernel's side of a run while this one asks the engine and thinks.

1. It is forked first, while one thread runs and little is loaded: two processes load at once what two threads under
   one interpreter lock would load one after the other.
2. It is given descriptors, never pids, and functions by name; what it raises is raised here.
3. It has only the capabilities that listening and sending need (privileges.OF_WORKER).
4. It ignores Ctrl-C (which goes to the whole process group; its owner turns `Call.interruption` readable) and dies
   with its owner (PR_SET_PDEATHSIG).
"""

import ctypes
import errno
import os
import pickle
import select
import signal
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from msgspec import Struct, field

from inspector import privileges
from inspector.errors import InspectorError
from inspector.loading import load, patterns_when_used
from inspector.privileges import Capability

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
"""linux/prctl.h"""
SECOND_PROCESS = b"dnetsniff-work"
"""What the kernel calls it: at most 15 bytes (TASK_COMM_LEN)."""
LENGTH = struct.Struct("!QQ")
"""Bytes of the message that follows, and how many descriptors come with it."""
MOST_AT_ONCE = 250
"""Descriptors in one message: the kernel takes 253 (SCM_MAX_FD, net/scm.h)."""

P = ParamSpec("P")
T = TypeVar("T")


class Call(Struct):
    """What a function that runs in the worker is given beside its arguments."""

    descriptors: tuple[int, ...] = ()
    """In the order they were sent; closed after the call."""
    interruption: int | None = None
    """Turns readable when the run is to end early."""
    until: ExitStack = field(default_factory=ExitStack)
    """What may take longer than the call, and has to be over when the worker ends."""
    _answer: Callable[[object], None] | None = None
    answered: bool = False

    def answer(self, value: T) -> T:
        """Hand the result over now, ahead of clean-up that nobody has to wait for; return it as it is."""
        if self._answer is not None:
            self._answer(value)
            self.answered = True
        return value


class Worker:
    """The owner's handle of the second process."""

    def __init__(
        self,
        ahead: Iterable[str] = (),
        interruption: int | None = None,
        keeps: Iterable[Capability] = privileges.OF_WORKER,
    ) -> None:
        """Fork. `ahead` names modules that the worker loads before the first call, `keeps` what it may do as root.

        `interruption`: a descriptor that comes with each call, and may be set later.
        """
        self.interruption = interruption
        self._channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._wanted = False
        owner = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._channel.close()
            _serve(far, tuple(ahead), owner, tuple(keeps))
        far.close()

    def __enter__(self) -> Self:
        """Have it until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it; where something was raised, at once: nobody waits for what it would still see."""
        self._wanted = self._wanted and error is None
        self.close()

    def start(
        self, work: Callable[Concatenate[Call, P], T], descriptors: Sequence[int], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[], T]:
        """Have the worker call a function; what is returned here waits for its result, or raises what it raised."""
        self._wanted = True
        interruptible = self.interruption is not None
        data = pickle.dumps((work, args, kwargs, interruptible), protocol=pickle.HIGHEST_PROTOCOL)
        descriptors = (*descriptors, self.interruption) if self.interruption is not None else descriptors
        # A worker that ended has said why on its own side of the channel.
        with suppress(BrokenPipeError, ConnectionResetError):
            _send(self._channel, data, descriptors)
        return self._result

    def call(
        self, work: Callable[Concatenate[Call, P], T], descriptors: Sequence[int], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Have the worker call a function, and wait for its result."""
        return self.start(work, descriptors, *args, **kwargs)()

    def has_answered(self) -> bool:
        """Whether a result can be had without waiting."""
        return bool(select.select([self._channel], [], [], 0)[0])

    def close(self) -> None:
        """End the process, and wait until everything it held is closed."""
        if self._pid:
            # A worker forked later has a copy of this end: closing ours would tell nothing.
            self._channel.shutdown(socket.SHUT_RDWR)
            self._channel.close()
            if not self._wanted:
                # It may still be loading, or watching.
                os.kill(self._pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0

    def _result(self) -> Any:
        message = _receive(self._channel)
        if message is None:
            hint = "if nobody killed it, memory is short: see the kernel's log, and run it again"
            raise InspectorError("the worker process ended without an answer", hint)
        value, error = message.content
        if error is not None:
            raise error
        return value


def _serve(channel: socket.socket, ahead: tuple[str, ...], owner: int, keeps: tuple[Capability, ...]) -> None:
    """Load, answer calls until the channel ends, and end without the owner's clean-up."""
    try:
        library = ctypes.CDLL(None)
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        library.prctl(PR_SET_NAME, SECOND_PROCESS, 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if os.getppid() == owner:
            privileges.keep(keeps)
            with patterns_when_used():
                load(*ahead)
            with ExitStack() as until:
                while (message := _receive(channel)) is not None:
                    _carry_out(channel, message, until)
    except BaseException as error:  # noqa: BLE001 - it is the owner that raises it
        with suppress(OSError):
            _reply(channel, None, error)
    finally:
        os._exit(0)


def _carry_out(channel: socket.socket, message: "_Message", until: ExitStack) -> None:
    work, args, kwargs, interruptible = message.content
    given, last = message.descriptors[:-1], message.descriptors[-1:]
    call = Call(
        given if interruptible else (*given, *last),
        last[0] if interruptible else None,
        until,
        lambda value: _reply(channel, value, None),
    )
    try:
        value = work(call, *args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it is the owner that raises it
        _reply(channel, None, error)
    else:
        if not call.answered:
            _reply(channel, value, None)
    finally:
        for each in message.descriptors:
            os.close(each)


def _reply(channel: socket.socket, value: object, error: BaseException | None) -> None:
    _send(channel, pickle.dumps((value, error), protocol=pickle.HIGHEST_PROTOCOL), ())


class _Message(Struct, frozen=True):
    content: Any
    descriptors: tuple[int, ...]


def _send(channel: socket.socket, data: bytes, descriptors: Sequence[int]) -> None:
    channel.sendall(LENGTH.pack(len(data), len(descriptors)))
    for start in range(0, len(descriptors), MOST_AT_ONCE):
        socket.send_fds(channel, [b"\0"], list(descriptors[start : start + MOST_AT_ONCE]))
    channel.sendall(data)


def _receive(channel: socket.socket) -> _Message | None:
    """Return the next message; None where the other side has ended. Only our own process is at the other end."""
    head = _exactly(channel, LENGTH.size)
    if not head:
        return None
    length, count = LENGTH.unpack(head)
    descriptors: list[int] = []
    while len(descriptors) < count:
        mark, some, flags, _address = socket.recv_fds(channel, 1, MOST_AT_ONCE)
        if not mark:
            return None
        if flags & socket.MSG_CTRUNC:
            # The kernel keeps to itself what the limit of open files leaves no room for (unix(7)).
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        descriptors.extend(some)
    data = _exactly(channel, length)
    return _Message(pickle.loads(data), tuple(descriptors)) if data else None  # noqa: S301 - what our process wrote


def _exactly(channel: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = channel.recv(count - len(data))
        if not part:
            return b""
        data += part
    return bytes(data)
