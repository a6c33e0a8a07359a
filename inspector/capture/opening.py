"""Open all that a run listens and sends with: one visit to each sandbox, then all rings at once.

Setting up a ring and closing a packet socket each wait for the kernel's RCU grace periods (8 and 24 ms on an idle
machine of two processors). Done one after another these add up; done at once they are waited for together.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct, field

from inspector import netns
from inspector.capture import ready_rings
from inspector.capture.injector import EchoSocket, icmp_socket
from inspector.capture.prober import Prober
from inspector.capture.ready_rings import ReadyRing
from inspector.capture.tap import Tap, UnsuitableLinkError, packet_socket
from inspector.errors import PrivilegeError
from inspector.model.question import CapturePoint, Plan
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot, SandboxId

T = TypeVar("T")


class Opened(Struct):
    """What could be opened, and why the rest could not."""

    taps: dict[int, Tap] = field(default_factory=dict)
    """By index into the plan's points; all are bound."""
    prober: Prober | None = None
    source_ports: tuple[int, ...] = ()
    """Where TCP and UDP probes leave from: known before the taps are opened. The rest of a flow is in the plan."""
    refusal: str = ""
    """Why there is no socket to send with."""
    blind_spots: list[BlindSpot] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=16))
    closing: list[Future[None]] = field(default_factory=list)

    def close_soon(self, close: Callable[[], None]) -> None:
        """Close something beside what else is done; leaving `open_all` waits for it."""
        self.closing.append(self.pool.submit(close))

    def begin_closing(self) -> None:
        """Close everything, without waiting for it; leaving `open_all` waits."""
        closers: list[Callable[[], None]] = [tap.close for tap in self.taps.values()]
        if self.prober is not None:
            closers.append(self.prober.close)
        self.taps, self.prober = {}, None
        self.closing.extend(self.pool.submit(close) for close in closers)


def open_all(
    plan: Plan,
    namespaces: Mapping[SandboxId, int],
    *,
    tap_program: bytes,
    echoes: Callable[[socket.socket], EchoSocket],
    meanwhile: Callable[[], None] = lambda: None,
) -> AbstractContextManager[Opened]:
    """Hold the plan's taps and its echo socket open; `echoes` makes that from a raw socket.

    What is done `meanwhile` the kernel sets the rings up takes no time of its own.

    Raises PrivilegeError where the kernel wants a capability.
    """

    def open_more(opened: Opened) -> None:
        meanwhile()
        opened.prober, opened.refusal = make_prober(plan, namespaces, lambda: icmp_socket(plan.family), echoes)

    return open_taps(plan.points, namespaces, tap_program, open_more)


@contextmanager
def open_taps(
    points: Sequence[CapturePoint],
    namespaces: Mapping[SandboxId, int],
    program: bytes,
    meanwhile: Callable[[Opened], None] | None = None,
    until: ExitStack | None = None,
) -> Iterator[Opened]:
    """Hold a tap open at each point; do something `meanwhile` the kernel sets the rings up.

    Everything is closed when the block ends; or, where `until` is given, at the latest when that one does.
    """
    with ExitStack() as stack:
        opened = Opened()
        (until or stack).callback(opened.pool.shutdown)
        stack.callback(opened.begin_closing)
        waiting = _begin_taps(opened, points, namespaces, program)
        try:
            if meanwhile is not None:
                meanwhile(opened)
        finally:
            _collect_taps(opened, points, waiting)
        yield opened


def _begin_taps(
    opened: Opened, points: Sequence[CapturePoint], namespaces: Mapping[SandboxId, int], packed: bytes
) -> dict[int, Future[Tap]]:
    waiting: dict[int, Future[Tap]] = {}
    for index, begin in _beginnings(opened, points, namespaces).items():
        point = points[index]
        waiting[index] = opened.pool.submit(
            begin, ifindex=point.link.ifindex, program=packed, promiscuous=point.promiscuous
        )
    ready_rings.leave_rest()
    return waiting


def _collect_taps(opened: Opened, points: Sequence[CapturePoint], waiting: Mapping[int, Future[Tap]]) -> None:
    for index, future in waiting.items():
        try:
            opened.taps[index] = future.result()
        except (OSError, UnsuitableLinkError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            opened.blind_spots.append(
                BlindSpot(point=str(points[index]), why=say("cannot listen there: {why}", why=why))
            )


def _beginnings(
    opened: Opened, points: Sequence[CapturePoint], namespaces: Mapping[SandboxId, int]
) -> dict[int, Callable[..., Tap]]:
    """Return what makes the tap of each point: of a ring that is ready, or of a socket opened in one visit for all."""
    sandboxes: dict[SandboxId, list[int]] = {}
    for index, point in enumerate(points):
        sandboxes.setdefault(point.sandbox, []).append(index)
    beginnings: dict[int, Callable[..., Tap]] = {}
    for sandbox, indices in sandboxes.items():
        if sandbox in namespaces:
            ready = ready_rings.take(namespaces[sandbox], len(indices))
            missing = len(indices) - len(ready)
            fresh = visit(namespaces[sandbox], partial(_several, missing)) if missing else []
            made = (*(partial(_of_ready, each) for each in ready), *(partial(Tap, each) for each in fresh))
            beginnings.update(zip(indices, made, strict=True))
        else:
            why = say("the network stack of {sandbox} could not be opened", sandbox=sandbox)
            opened.blind_spots.extend(BlindSpot(point=str(points[index]), why=why) for index in indices)
    return beginnings


def _of_ready(ready: Future[ReadyRing], **wanted: Any) -> Tap:
    made = ready.result()
    return Tap(made.sock, ring=made.ring, **wanted)


def _several(count: int) -> list[socket.socket]:
    return [packet_socket() for _ in range(count)]


def make_prober(
    plan: Plan, namespaces: Mapping[SandboxId, int], sockets: Callable[[], T], prober: Callable[[T], Prober]
) -> tuple[Prober | None, str]:
    """Return what sends, made of sockets that are opened inside the source's stack; or None, and why there is none."""
    if plan.source.sandbox is None or plan.source.sandbox not in namespaces:
        return None, say("the network stack of {sandbox} could not be opened", sandbox=plan.source.label)
    try:
        return prober(visit(namespaces[plan.source.sandbox], sockets)), ""
    except OSError as error:
        return None, say(
            "{source} has no socket to send with: {why}", source=plan.source.label, why=os.strerror(error.errno or 0)
        )


def visit(namespace: int, work: Callable[[], T]) -> T:
    """Open sockets inside a namespace. Raises PrivilegeError where CAP_NET_RAW is missing."""
    try:
        return netns.enter(namespace, work)
    except PermissionError as error:
        message = "the kernel did not let us open a raw socket: CAP_NET_RAW is missing"
        raise PrivilegeError(message, netns.HINT) from error
