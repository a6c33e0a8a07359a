"""The live machine: where the adapters are chosen that survey and record."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec.structs import replace

from inspector.capture import recorder
from inspector.discover.engine_view import EngineView
from inspector.discover.survey import Stacks, survey
from inspector.loading import load_until
from inspector.model.question import Party, PathKind, Plan
from inspector.model.topology import HOST, Topology
from inspector.plan.filters import answer_program, tap_program
from inspector.wire.craft import TOKEN_LENGTH
from inspector.worker import Call, Worker

if TYPE_CHECKING:
    from inspector.model.lookup import LookupPlan, ResolverSetup
    from inspector.model.recording import Lookup, Recording
    from inspector.model.rules import Chain


SURVEYING = ("inspector.discover.kernel", "inspector.discover.assemble")
LOOKING_AGAIN = (
    "inspector.discover.rtnetlink",
    "inspector.discover.aftermath",
    "inspector.discover.met_chains",
    "inspector.discover.routing",
    "inspector.discover.tracked",
)
"""What the survey and the look after the probes take."""
HOST_RINGS, MOST_STACKS = 5, 4
"""Between two containers: a bridge, their ports, and two that it might flood; the host's stack, theirs, one more."""

Order = TypeVar("Order")
T = TypeVar("T")


class LiveHost:
    """An engine and its kernel. Holds namespaces open, by descriptor, until the block ends."""

    def __init__(
        self,
        engine: EngineView,
        worker: Worker,
        words: Iterable[str] | None = None,
        needed_next: Iterable[str] = (),
    ) -> None:
        """Look into the containers that the words mean, or into all. The worker stays the caller's.

        `needed_next` names modules that are loaded while the probes are on their way.
        """
        self._engine = engine
        self._worker = worker
        self._words = tuple(words) if words is not None else None
        self._needed_next = (*LOOKING_AGAIN, *needed_next)
        self._stacks = Stacks()
        self._rings: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        """Start with nothing open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every descriptor."""
        self._stacks.__exit__(kind, value, trace)
        self._engine.close()

    def survey(self) -> Topology:
        """Say what is there."""
        return survey(self._engine, self._stacks, self._words, opened=self._begin_rings)

    def resolver(self, topology: Topology, source: Party) -> "ResolverSetup":  # noqa: ARG002 - the port's signature
        """Say what the source's resolver goes by."""
        from inspector.discover.resolver import resolver_setup

        return resolver_setup(self._engine, self._stacks, source)

    def look_up(self, topology: Topology, plan: "LookupPlan") -> "Lookup":  # noqa: ARG002 - the port's signature
        """Watch, ask the resolver's questions, and say what came back and was seen."""
        from inspector.capture.lookup_recorder import LookupOrder, carry_out_lookup
        from inspector.plan.bpf import pack
        from inspector.plan.inquiry import MOST_QUERIES, Inquiry
        from inspector.plan.lookup import lookup_program

        order = LookupOrder(
            plan=plan,
            inquiry=Inquiry(plan, tuple(_random16() for _ in range(MOST_QUERIES))),
            tap_program=pack(lookup_program(plan)),
            sandboxes=tuple(self._stacks.namespaces),
            containers=tuple(self._stacks.processes),
        )
        asked = self._start(carry_out_lookup, order)
        load_until(self._worker.has_answered, self._needed_next)
        return asked()

    def record(self, topology: Topology, plan: Plan) -> "Recording":
        """Watch, send the probes, and say what was seen."""
        identifier = _random16() or 1
        order = recorder.Order(
            # Where to listen stands in the plan; a large host would take longer to send over than to read.
            topology=Topology(engine=topology.engine, sandboxes=(), networks=(), containers=()),
            plan=plan,
            token=os.urandom(TOKEN_LENGTH),
            identifier=identifier,
            tap_program=_for_ports(plan) if plan.question.port else tap_program(plan, identifier),
            answer_program=answer_program(plan, identifier),
            sandboxes=tuple(self._stacks.namespaces),
            containers=tuple(self._stacks.processes),
        )
        recorded = self._start(recorder.carry_out, order)
        load_until(self._worker.has_answered, self._needed_next)
        standing = self._standing(plan)
        recording = recorded()
        recording = replace(recording, topology=topology, firewall=replace(recording.firewall, standing=standing))
        from inspector.correlate.flows import flows_met
        from inspector.discover.aftermath import bridges_on_the_way, look_again
        from inspector.discover.met_chains import with_chains
        from inspector.discover.routing import ask_routing
        from inspector.discover.tracked import with_conntrack
        from inspector.plan.consult import route_queries, settings_to_read

        ends = [each for each in (plan.source.sandbox, plan.destination.sandbox) if each]
        opened, inhabited = self._stacks.descriptors(), self._stacks.inhabited(topology)
        recording = with_conntrack(recording, flows_met(recording), opened)
        recording = with_chains(recording, opened)
        queries, settings = route_queries(topology, plan), settings_to_read(topology, plan)
        aftermath = look_again(inhabited, ends, bridges_on_the_way(topology, plan))
        if plan.question.port is not None:
            from inspector.discover.listeners import read_listeners

            behind = plan.publication.sandbox if plan.publication else None
            stacks, protocol = (plan.answering, behind), plan.question.protocol
            listeners, listened = read_listeners(inhabited, stacks, protocol)
            aftermath = replace(aftermath, listeners=listeners, listened=listened)
        routing = ask_routing(inhabited, topology, queries, settings, plan.family)
        return replace(recording, aftermath=aftermath, routing=routing)

    def _begin_rings(self) -> None:
        """Have rings set up where a trace between two containers listens; one that needs more waits for them."""
        stacks = self._stacks.descriptors()
        if self._words is not None and len(stacks) <= MOST_STACKS:
            counts = [HOST_RINGS if each == HOST else 1 for each in stacks]
            self._rings = self._worker.start(recorder.begin_rings, tuple(stacks.values()), counts)

    def _start(self, work: Callable[[Call, Order], T], order: Order) -> Callable[[], T]:
        waiting = self._worker.start(work, self._descriptors(), order)
        if self._rings is not None:
            self._rings()
            self._rings = None
        return waiting

    def _standing(self, plan: Plan) -> "tuple[Chain, ...]":
        """Read the rules of a host that is to route, for what they let one expect."""
        if plan.kind is not PathKind.ROUTED or plan.question.passive or not plan.question.rule_trace:
            return ()
        from inspector.discover.met_chains import standing_chains

        return standing_chains(self._stacks.descriptors())

    def _descriptors(self) -> tuple[int, ...]:
        """Return what the worker is given: the namespaces, then the processes."""
        return (*self._stacks.descriptors().values(), *self._stacks.processes.values())


def _random16() -> int:
    return int.from_bytes(os.urandom(2))


def _for_ports(plan: Plan) -> Callable[[tuple[int, ...]], bytes]:
    from inspector.plan.port_filter import port_program

    return partial(port_program, plan)
