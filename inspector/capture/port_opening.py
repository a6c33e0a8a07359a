"""Open what TCP and UDP probes need: their sockets first, so that the taps' filter knows the ports they leave from."""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from inspector.capture.opening import Opened, make_prober, open_taps
from inspector.capture.port_sockets import PortSockets, port_sockets
from inspector.model.question import Plan
from inspector.model.topology import SandboxId


@contextmanager
def open_for_ports(
    plan: Plan,
    namespaces: Mapping[SandboxId, int],
    *,
    tap_program: Callable[[tuple[int, ...]], bytes],
    connections: Callable[[Sequence[socket.socket]], PortSockets],
    meanwhile: Callable[[tuple[int, ...]], None] = lambda _: None,
) -> Iterator[Opened]:
    """Hold a socket for each probe open, and taps that accept what leaves from their ports or comes there.

    `meanwhile` is called with the ports while the kernel sets the taps up.
    Raises PrivilegeError where the kernel wants a capability.
    """
    prober, refusal = make_prober(plan, namespaces, lambda: port_sockets(plan), connections)
    ports = prober.ports if isinstance(prober, PortSockets) else ()

    def hand_over(opened: Opened) -> None:
        opened.prober, opened.refusal, opened.source_ports = prober, refusal, ports
        meanwhile(ports)

    with ExitStack() as stack:
        if prober is not None:
            stack.callback(prober.close)
        yield stack.enter_context(open_taps(plan.points, namespaces, tap_program(ports), hand_over))
