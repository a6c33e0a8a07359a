"""Read which sockets of a network stack anybody may connect or send to, after the probes."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from inspector import netns
from inspector.model.question import Protocol
from inspector.model.recording import Listener
from inspector.model.topology import SandboxId
from inspector.wire.proc_net import TCP_CLOSE, TCP_LISTEN, OpenPort, read_open_ports

TABLES = {Protocol.TCP: (("tcp", "tcp6"), TCP_LISTEN), Protocol.UDP: (("udp", "udp6"), TCP_CLOSE)}
MOST_LISTENERS = 1000
"""Kept of one stack: a busy host has some hundred."""


def read_listeners(
    namespaces: Mapping[SandboxId, int], sandboxes: Iterable[SandboxId | None], protocol: Protocol
) -> tuple[tuple[Listener, ...], tuple[SandboxId, ...]]:
    """Return the listeners of these stacks, and which of the stacks were read."""
    found: list[Listener] = []
    read: list[SandboxId] = []
    for sandbox in dict.fromkeys(each for each in sandboxes if each in namespaces and protocol in TABLES):
        if sandbox is None or (ports := netns.enter(namespaces[sandbox], partial(_open_ports, protocol))) is None:
            continue
        read.append(sandbox)
        found.extend(Listener(sandbox, each.address, each.port, protocol) for each in ports[:MOST_LISTENERS])
    return tuple(found), tuple(read)


def _open_ports(protocol: Protocol) -> tuple[OpenPort, ...] | None:
    """Read the tables of the namespace the calling thread is in; None where this kernel shows none."""
    names, state = TABLES[protocol]
    ports: list[OpenPort] = []
    for name in names:
        try:
            # /proc/net is the main thread's (proc(5)).
            text = Path("/proc/thread-self/net", name).read_text(encoding="ascii")
        except OSError:
            if name == names[0]:
                return None
            continue
        ports.extend(read_open_ports(text, state))
    return tuple(dict.fromkeys(sorted(ports, key=lambda each: (each.port, each.address))))
