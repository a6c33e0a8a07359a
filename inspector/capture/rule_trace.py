"""Have the kernel tell which firewall rules the probe meets, in each network stack on the way.

1. In each stack a table of ours marks the probe's packets (inspector.wire.nft_mark). It is owned by one socket: the
   kernel removes it when that closes, also after kill -9. No rule of anybody else's is touched.
2. Where no chain of nf_tables is hooked there is nothing to tell of, and nothing is inserted.
3. What cannot be traced is a blind spot named `rules of HOST`, and the run goes on without.
4. The sockets are read in the loop of the run; what they said is only understood at its end.
"""

import errno
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain

from msgspec import Struct, field

from inspector import netns
from inspector.capture.listening import Listening
from inspector.errors import InspectorError
from inspector.model.question import Plan, Protocol
from inspector.model.rules import FirewallRecord, Traversal
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot, SandboxId
from inspector.wire.nfnetlink import DONE, ERROR, GET_CHAIN, error_number, messages, request
from inspector.wire.nft_chains import is_hooked
from inspector.wire.nft_mark import OWN_TABLES, batch, messages_in
from inspector.wire.nft_trace import TraceEvent, gather, read_trace
from inspector.wire.probe_flow import ICMP, ICMPV6, TCP, UDP, ProbeFlow

MOST_BYTES = 32 << 20
"""What one stack may tell in one run."""
_BUFFER = 8 << 20
_RECEIVED = 65_536
_PATIENCE_S = 2
_NETLINK_NETFILTER, _SOL_NETLINK, _ADD_MEMBERSHIP, _NFTRACE = 12, 270, 1, 9
"""linux/netlink.h; NFNLGRP_NFTRACE (linux/netfilter/nfnetlink.h)"""
_SO_RCVBUFFORCE = 33
_ABSENT = frozenset({errno.ENOENT, errno.EINVAL, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT})
_V6 = 6
_NUMBERS = {Protocol.TCP: TCP, Protocol.UDP: UDP}


class UntraceableError(Exception):
    """Why a stack's rules cannot be traced."""


def flow_of(plan: Plan, identifiers: tuple[int, ...]) -> ProbeFlow:
    """Return which packets are the plan's: `identifiers` are the echo's, or the ports that its probes leave from."""
    return ProbeFlow(
        family=plan.family,
        protocol=_NUMBERS.get(plan.question.protocol, ICMPV6 if plan.family == _V6 else ICMP),
        addresses=tuple(each.address for each in (plan.source, plan.destination) if each.address),
        identifiers=identifiers,
        neighbours=plan.neighbours if plan.family == _V6 else (),
        tunnel=plan.passage.port if plan.passage else None,
        nodes=(plan.passage.node,) if plan.passage else (),
    )


class RuleTrace:
    """The trace of one network stack: owns the socket that owns the table."""

    def __init__(self, sandbox: SandboxId, table: str, sock: socket.socket) -> None:
        """Take a socket on which the table was made."""
        self.sandbox = sandbox
        self.table = table
        self.why = ""
        """Why something is missing from what was told."""
        self._sock = sock
        self._parts: list[bytes | None] = []
        """What was received; None where something was lost."""
        self._size = 0

    def fileno(self) -> int:
        """Let selectors wait for it."""
        return self._sock.fileno()

    def close(self) -> None:
        """Let the kernel remove the table; it has when this returns."""
        self._sock.close()

    def read(self) -> None:
        """Take in all that is there."""
        losing = False
        while True:
            try:
                data = self._sock.recv(_RECEIVED)
            except BlockingIOError:
                if losing:
                    self._parts.append(None)
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.why, losing = "the kernel told more than there was room for", True
                self._parts.append(None)
                continue
            self._size += len(data)
            if self._size > MOST_BYTES:
                self.why, losing = "the rules had too much to tell in one run", True
            # From a loss until the queue is empty, whose event is whose cannot be known.
            if not losing:
                self._parts.append(data)

    def traversals(self, flow: ProbeFlow) -> tuple[Traversal, ...]:
        """Understand what was received, and keep what the flow's packets met."""
        found = gather(self.sandbox, self._events(), OWN_TABLES)
        return tuple(each for each in found if flow.has(each.frame))

    def _events(self) -> Iterator[TraceEvent | None]:
        for part in self._parts:
            if part is None:
                yield None
            else:
                yield from (event for message in messages(part) if (event := read_trace(message)))


class RuleTraces(Struct):
    """All rule traces of a run."""

    namespaces: Mapping[SandboxId, int]
    """Of the stacks to trace in."""
    flow: ProbeFlow | None = None
    traces: list[RuleTrace] = field(default_factory=list)
    blind_spots: list[BlindSpot] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=4))
    waiting: dict[SandboxId, "Future[RuleTrace | None]"] = field(default_factory=dict)
    closing: list["Future[None]"] = field(default_factory=list)

    def begin(self, flow: ProbeFlow) -> None:
        """Have the kernel make the tables; `collect` waits for them."""
        self.flow = flow
        for sandbox, namespace in self.namespaces.items() if flow.addresses and flow.identifiers else ():
            self.waiting[sandbox] = self.pool.submit(_entered, namespace, sandbox, flow)

    def collect(self) -> None:
        """Wait until all that was begun stands, or has said why it does not."""
        for sandbox, future in self.waiting.items():
            try:
                trace = future.result()
            except (UntraceableError, InspectorError, OSError) as error:
                self.blind_spots.append(BlindSpot(say("rules of {sandbox}", sandbox=sandbox), _reason(error)))
            else:
                self.traces.extend([trace] if trace else [])
        self.waiting = {}

    def join(self, listening: Listening) -> None:
        """Read in the loop of the run."""
        for each in self.traces:
            listening.join(each, each.read)

    def record(self) -> FirewallRecord:
        """Read to the end, and give an account of it."""
        for each in self.traces:
            each.read()
            if each.why:
                self.blind_spots.append(BlindSpot(say("rules of {sandbox}", sandbox=each.sandbox), each.why))
        told = (each.traversals(self.flow) for each in self.traces) if self.flow else ()
        return FirewallRecord(traversals=tuple(chain.from_iterable(told)))

    def side_effects(self) -> tuple[str, ...]:
        """Say what was inserted where."""
        if not self.traces:
            return ()
        return tuple(
            say(
                "nf_tables table {table} in {sandbox} traced our probes, gone with our socket",
                table=each.table,
                sandbox=each.sandbox,
            )
            for each in self.traces
        )

    def begin_closing(self) -> None:
        """Close everything, without waiting for it."""
        self.closing.extend(self.pool.submit(each.close) for each in self.traces)
        self.traces = []


@contextmanager
def open_rule_traces(plan: Plan, namespaces: Mapping[SandboxId, int], *, wanted: bool = True) -> Iterator[RuleTraces]:
    """Have rule traces, once they are begun, wherever packets of the plan may pass. `namespaces` stay the caller's."""
    stacks = {each: namespaces[each] for each in _stacks(plan) if wanted and each in namespaces}
    with ExitStack() as stack:
        traces = RuleTraces(stacks)
        stack.callback(traces.pool.shutdown)
        stack.callback(traces.begin_closing)
        stack.callback(traces.collect)
        yield traces


def _stacks(plan: Plan) -> Iterable[SandboxId]:
    ends = (plan.source.sandbox, plan.destination.sandbox)
    return dict.fromkeys((*(each.sandbox for each in plan.points), *(each for each in ends if each)))


def _entered(namespace: int, sandbox: SandboxId, flow: ProbeFlow) -> RuleTrace | None:
    return netns.enter(namespace, partial(open_here, sandbox, flow))


def open_here(sandbox: SandboxId, flow: ProbeFlow) -> RuleTrace | None:
    """Begin to trace in the calling thread's namespace; None where no chain is hooked.

    Raises UntraceableError, or OSError where a capability is missing.
    """
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    except OSError as error:
        if error.errno in _ABSENT:
            raise UntraceableError("this kernel has no nf_tables") from error
        raise
    with ExitStack() as stack:
        stack.callback(sock.close)
        sock.settimeout(_PATIENCE_S)
        if not _anything_hooked(sock, flow.family):
            return None
        sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTRACE)
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        trace = RuleTrace(sandbox, f"{OWN_TABLES}{os.urandom(4).hex()}", sock)
        _insert(sock, flow, trace.table)
        sock.settimeout(0)
        stack.pop_all()
        return trace


def _anything_hooked(sock: socket.socket, family: int) -> bool:
    """Say whether any base chain could see a packet of the family, whatever its table is called."""
    found = False
    sock.send(request(GET_CHAIN))
    while True:
        for message in messages(sock.recv(_RECEIVED)):
            if message.type in {DONE, ERROR}:
                number = error_number(message) if message.type == ERROR else 0
                if number in _ABSENT:
                    raise UntraceableError("this kernel has no nf_tables")
                if number:
                    raise OSError(number, os.strerror(number))
                return found
            found = found or is_hooked(message, family)


def _insert(sock: socket.socket, flow: ProbeFlow, table: str) -> None:
    sock.sendall(batch(flow, table))
    left = messages_in(flow)
    while left:
        for message in messages(sock.recv(_RECEIVED)):
            if message.type != ERROR:
                continue
            left -= 1
            if number := error_number(message):
                raise UntraceableError(f"the kernel refused our table: {os.strerror(number).lower()}")


def _reason(error: Exception) -> str:
    if isinstance(error, InspectorError):
        return error.message
    if isinstance(error, TimeoutError):
        return say("the kernel did not answer in time")
    if isinstance(error, OSError):
        if error.errno in {errno.EPERM, errno.EACCES}:
            return say("CAP_NET_ADMIN is missing: the rules that a packet meets cannot be told")
        return os.strerror(error.errno or 0).lower()
    return str(error)
