"""Drive a lookup through its rules by a clock of our own: servers that follow a script, and no sockets."""

import heapq
from collections.abc import Sequence
from errno import ECONNREFUSED, ECONNRESET
from typing import Protocol

from lookup_cases import Case, Says, Script
from msgspec import Struct, field

from inspector.model.dns import Asked, Message, Record, Transport
from inspector.model.lookup import Libc, Query, ResolverSetup, Service
from inspector.plan.exchange import NS_PER_S
from inspector.wire.resolver_files import read_hosts, read_nsswitch, read_resolv_conf

START_NS = 7 * NS_PER_S
MOST_STEPS = 2000


class Machine(Protocol):
    """What is driven: a resolver, or an inquiry."""

    @property
    def done(self) -> bool: ...
    def due(self, now_ns: int) -> Sequence[Query]: ...
    def wake_ns(self) -> int | None: ...
    def answered(self, query: Query, message: Message, now_ns: int) -> None: ...
    def refused(self, query: Query, errno: int, now_ns: int) -> None: ...


class Driven(Struct):
    """What was asked, and when it was over; times in seconds since the start."""

    queries: list[tuple[float, Query]] = field(default_factory=list)
    over_s: float = 0.0


def setup_of(case: Case) -> ResolverSetup:
    """Return what the resolver of the case goes by."""
    libc = Libc(case.libc)
    services = read_nsswitch(case.nsswitch or "")
    return ResolverSetup(
        libc,
        "told",
        services=(Service("files"), Service("dns")) if services is None else services,
        hosts=read_hosts(case.hosts),
        nameservers=read_resolv_conf(case.resolv_conf, libc=libc, hostname=case.hostname),
    )


def drive(machine: Machine, script: Script, refused: Sequence[str] = ()) -> Driven:
    """Let the machine ask until it is done."""
    driven = Driven()
    coming: list[tuple[int, int, Query, Says]] = []
    now_ns = START_NS
    for _ in range(MOST_STEPS):
        for query in machine.due(now_ns):
            driven.queries.append(((now_ns - START_NS) / NS_PER_S, query))
            says = Says(reply="closed")
            if query.server not in refused:
                says = script.answer(query.server, query.transport.value, query.type, query.name)
            if says.reply != "silence":
                heapq.heappush(coming, (now_ns + int(says.after_s * NS_PER_S), query.number, query, says))
        if machine.done:
            driven.over_s = (now_ns - START_NS) / NS_PER_S
            return driven
        wake_ns = machine.wake_ns()
        assert wake_ns is not None
        now_ns = max(now_ns, min([wake_ns, *(each[0] for each in coming[:1])]))
        if coming and coming[0][0] <= now_ns:
            _, _, query, says = heapq.heappop(coming)
            _tell(machine, query, says, now_ns)
    raise AssertionError("it does not end")


def _tell(machine: Machine, query: Query, says: Says, now_ns: int) -> None:
    if says.reply in {"closed", "reset"}:
        machine.refused(query, ECONNREFUSED if says.reply == "closed" else ECONNRESET, now_ns)
    else:
        machine.answered(query, message_of(query, says), now_ns)


def message_of(query: Query, says: Says) -> Message:
    """Return what the script says to a query."""
    truncated = says.reply == "truncated"
    return Message(
        identifier=query.identifier,
        response=True,
        rcode="NOERROR" if truncated else says.reply,
        truncated=truncated and query.transport is Transport.UDP,
        recursion_available=says.recursive,
        authoritative=False,
        asked=Asked(query.name, query.type),
        answers=tuple(Record(query.name, *each.split(), ttl=60) for each in says.answers),
    )
