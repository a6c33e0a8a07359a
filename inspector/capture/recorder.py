"""Record in a process of its own, which loads what it needs while the engine is still being asked.

The two halves of a trace's start-up (the docker SDK and the engine's answers here, scapy there) take about as long as
each other, and two processes do what two threads under one interpreter lock cannot. The child is forked first, while
nothing but click is loaded; it is given descriptors, not pids, and dies with its parent (PR_SET_PDEATHSIG).
"""

import ctypes
import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from inspector.errors import InspectorError
from inspector.model.question import Plan
from inspector.model.recording import Recording
from inspector.model.topology import SandboxId, Topology

PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""
LENGTH = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Order:
    """What the child is to record; descriptors travel beside it, in the order of these names."""

    topology: Topology
    plan: Plan
    token: bytes
    identifier: int
    tap_program: bytes
    answer_program: bytes
    sandboxes: tuple[SandboxId, ...]
    containers: tuple[str, ...]


class Recorder:
    """The parent's handle of the recording process."""

    def __init__(self, interruption: int | None = None) -> None:
        """Fork. Do it early, and while there is one thread."""
        self._channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._channel.close()
            _serve(far, interruption, parent)
        far.close()

    def record(
        self,
        order: Order,
        namespaces: Mapping[SandboxId, int],
        pidfds: Mapping[str, int],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Recording:
        """Return what the child saw; `meanwhile` is called while it looks. Raises what the child raised."""
        descriptors = [*(namespaces[each] for each in order.sandboxes), *(pidfds[each] for each in order.containers)]
        socket.send_fds(self._channel, [LENGTH.pack(len(descriptors))], descriptors)
        _send(self._channel, order)
        try:
            meanwhile()
            answer = _receive(self._channel)
        except BaseException:
            # Nobody waits for what it would still see.
            os.kill(self._pid, signal.SIGKILL)
            raise
        if isinstance(answer, Recording):
            return answer
        if isinstance(answer, BaseException):
            raise answer
        raise InspectorError("the recording process ended without an answer")

    def close(self) -> None:
        """End the child, and wait until all its sockets are closed."""
        if self._pid:
            self._channel.close()
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0


def _serve(channel: socket.socket, interruption: int | None, parent: int) -> None:
    """Load, take one order, answer it, and end without the parent's clean-up."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # Ctrl-C goes to the whole process group; the parent hears it and turns the wake-up pipe readable.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if os.getppid() == parent:
            _carry_out(channel, interruption)
    except BaseException as error:  # noqa: BLE001 - it is the parent that raises it
        with suppress(OSError):
            _send(channel, error)
    finally:
        os._exit(0)


def _carry_out(channel: socket.socket, interruption: int | None) -> None:
    from inspector.capture.session import record
    from inspector.wire.craft import echo_request

    # The first probe would pay for scapy's layers; crafting one now loads them while the engine is asked.
    echo_request(family=4, source="0.0.0.0", destination="0.0.0.0", identifier=1, sequence=1, payload=b"")  # noqa: S104
    head, descriptors, _flags, _address = socket.recv_fds(channel, LENGTH.size, 253)
    if not head:
        return
    order: Order = _receive(channel)
    count = len(order.sandboxes)

    def deliver(recording: Recording) -> Recording:
        _send(channel, recording)
        return recording

    record(
        order.topology,
        order.plan,
        dict(zip(order.sandboxes, descriptors[:count], strict=True)),
        pidfds=dict(zip(order.containers, descriptors[count:], strict=True)),
        token=order.token,
        identifier=order.identifier,
        tap_program=order.tap_program,
        answer_program=order.answer_program,
        interruption=interruption,
        finish=deliver,
    )


def _send(channel: socket.socket, value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    channel.sendall(LENGTH.pack(len(data)) + data)


def _receive(channel: socket.socket) -> Any:
    """Return the next value; None where the other side has ended. Only our own child is at the other end."""
    head = _exactly(channel, LENGTH.size)
    data = _exactly(channel, LENGTH.unpack(head)[0]) if head else b""
    return pickle.loads(data) if data else None  # noqa: S301 - what our own process wrote


def _exactly(channel: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = channel.recv(count - len(data))
        if not part:
            return b""
        data += part
    return bytes(data)
