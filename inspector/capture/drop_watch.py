"""Hear from the kernel why it drops packets while a trace runs: tracepoint skb:kfree_skb, on every CPU.

1. The tracepoint is the whole machine's. The kernel passes over what is of another family; and, of received packets,
   what has another length than a probe.
2. Nothing is understood while the probes are under way: bytes are put aside, and read if a probe stays without answer.
3. The kernel does more for every packet of the machine while it tells: so it does for ATTENTION_NS after each probe.
4. What cannot be had is one blind spot, and the trace goes on.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack

from inspector.capture.drop_samples import tie
from inspector.capture.kernel_symbols import symbols
from inspector.model.question import Plan, Protocol
from inspector.model.rules import KernelDrop
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot
from inspector.tracing import TraceEvent, TraceRing, drop_tracepoints, online_cpus
from inspector.wire.perf_records import Missed, Sample, read_records
from inspector.wire.tracepoints import Tracepoint

PLACE = "kernel drop reasons"
IRRELEVANT = frozenset(
    {"NOT_SPECIFIED", "NO_SOCKET", "SOCKET_FILTER", "UDP_CSUM", "TCP_OLD_ACK", "TCP_OFOMERGE", "OTHERHOST"}
)
"""No reason at all; what delivered echo messages meet (see correlate/drops); what is common, and they cannot meet; and
what taps tell of (see correlate/astray), while a bridge that we made promiscuous drops a copy of each frame for it."""
TELLING = {Protocol.TCP: frozenset({"NO_SOCKET"}), Protocol.UDP: frozenset({"NO_SOCKET", "UDP_CSUM"})}
"""Of those what says something about a probe of a port: nobody listens there, and the refusal may be kept back."""
MOST_PAGES, LEAST_PAGES, ALL_PAGES = 64, 8, 2048
"""Of 4 KiB, a power of two: of one CPU's ring at most and at least, and about what all may have."""
MOST_BYTES = 16 << 20
MOST_NAMES = 40
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
ETHERTYPES = {4: 0x0800, 6: 0x86DD}
HEADERS = {4: 20, 6: 40}
"""Bytes of an IP header without options (RFC 791; RFC 8200)."""
BEFORE_PAYLOAD = 8
"""Bytes of an echo's or a datagram's header (RFC 792, RFC 4443, RFC 768)."""
LONGEST_TCP_HEADER = 60
"""RFC 9293, 3.1: which options a SYN has depends on settings of its stack."""


ATTENTION_NS = 300_000_000
"""A packet is dropped within microseconds after it came in; this is for its way, and that of its answer."""


class DropWatch:
    """The events of all CPUs, open from `begin` on; without them it says why, and stays silent otherwise."""

    def __init__(self, plan: Plan) -> None:
        """Watch for packets such as the plan's probes."""
        self.blind_spots: list[BlindSpot] = []
        self._plan = plan
        self._tracepoints: tuple[Tracepoint, Tracepoint] | None = None
        self._rings: list[tuple[TraceEvent, TraceRing]] = []
        self._leaders: list[TraceEvent] = []
        self._stack = ExitStack()
        self._taken: list[bytes] = []
        self._room = MOST_BYTES
        self._symbols: Future[Callable[[int], str]] | None = None

    def begin(self) -> None:
        """Make all ready for `attend`."""
        try:
            self._tracepoints = freed, received = drop_tracepoints()
            cpus = online_cpus()
            pages = _pages(len(cpus))
            with ExitStack() as stack:
                self._rings = [self._open(stack, cpu, freed, received, pages) for cpu in cpus]
                self._stack = stack.pop_all()
        except OSError as error:
            self._rings, self._leaders = [], []
            self.blind_spots.append(BlindSpot(PLACE, str(error.strerror or error)))

    def attend(self) -> None:
        """Have the kernel tell from now on."""
        for each in self._leaders:
            each.start()

    def rest(self) -> None:
        """Have it tell no more until `attend`."""
        for each in self._leaders:
            each.pause()

    def descriptors(self) -> Iterator[TraceEvent]:
        """Yield what turns readable when `take` is to be called."""
        return (event for event, _ in self._rings)

    def take(self) -> None:
        """Put aside what the kernel has told, so that it has room for more."""
        for _, ring in self._rings:
            data = ring.take()
            if len(data) <= self._room:
                self._room -= len(data)
                self._taken.append(data)

    def expect(self, pool: Executor) -> None:
        """Read the kernel's symbols ahead: a probe has stayed without answer, and something may want a name."""
        if self._symbols is None and self._rings:
            self._symbols = pool.submit(symbols)

    def drops(self) -> tuple[KernelDrop, ...]:
        """Return what is known to have been dropped; `finish` goes before."""
        if self._tracepoints is None:
            return ()
        records = [record for data in self._taken for record in read_records(data)]
        missed = sum(each.count for each in records if isinstance(each, Missed))
        if missed:
            self.blind_spots.append(
                BlindSpot(
                    PLACE, say("the kernel told of more than fitted: {count} times it was not heard", count=missed)
                )
            )
        samples = [each for each in records if isinstance(each, Sample)]
        offset_ns = time.time_ns() - time.monotonic_ns()
        return tie(samples, *self._tracepoints, offset_ns=offset_ns, name=self._name)

    def finish(self) -> Callable[[], None]:
        """Hear no more; what is returned closes the events, and waits until every CPU has left the tracepoints."""
        self.take()
        self._rings, self._leaders = [], []
        return self._stack.close

    def _name(self, address: int) -> str:
        named = self._symbols.result() if self._symbols else symbols()
        if self._symbols is None:
            self._symbols = Future()
            self._symbols.set_result(named)
        return named(address)

    def _open(
        self, stack: ExitStack, cpu: int, freed: Tracepoint, received: Tracepoint, pages: int
    ) -> tuple[TraceEvent, TraceRing]:
        """Open a CPU's group: a count of all it receives, the drops, and the receptions of our length."""
        family = self._plan.family
        counter = TraceEvent(received.id, cpu, sampled=False)
        stack.callback(counter.close)
        drops = TraceEvent(freed.id, cpu, leader=counter, wakeup_bytes=pages * 4096 // 2)
        stack.callback(drops.close)
        ours = TraceEvent(received.id, cpu, leader=counter, wakeup_bytes=pages * 4096 // 2)
        stack.callback(ours.close)
        ring = TraceRing(drops, pages)
        stack.callback(ring.close)
        ours.write_to(drops)
        drops.accept(f"protocol == {ETHERTYPES[family]}{_meaning(freed, self._plan)}")
        ours.accept(_length(self._plan) + _named(self._plan))
        self._leaders.append(counter)
        return drops, ring


def _length(plan: Plan) -> str:
    """Say how long a probe is, from the IP header on."""
    header = HEADERS[plan.family]
    if plan.question.protocol is Protocol.TCP:
        return f"len <= {header + LONGEST_TCP_HEADER}"
    return f"len == {header + BEFORE_PAYLOAD + plan.question.size}"


def _meaning(freed: Tracepoint, plan: Plan) -> str:
    """Leave out the reasons that say nothing about a probe."""
    words = IRRELEVANT - TELLING.get(plan.question.protocol, frozenset())
    irrelevant = [value for value, word in freed.symbols.get("reason", {}).items() if word in words]
    return "".join(f" && reason != {value}" for value in irrelevant)


def _named(plan: Plan) -> str:
    """Leave out interfaces that nobody listens at, where their names can stand in a condition."""
    names = sorted({each.interface for each in plan.points})
    if not names or len(names) > MOST_NAMES or not all(PLAIN.fullmatch(each) for each in names):
        return ""
    return " && (" + " || ".join(f'name == "{each}"' for each in names) + ")"


def _pages(cpus: int) -> int:
    pages = MOST_PAGES
    while pages > LEAST_PAGES and pages * cpus > ALL_PAGES:
        pages //= 2
    return pages
