"""Carry out a plan in the worker process: what it is told, and what it loads ahead."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inspector.model.lookup import LookupPlan
from inspector.model.question import Plan
from inspector.model.topology import SandboxId, Topology
from inspector.worker import Call

if TYPE_CHECKING:
    from inspector.capture.asking import Inquiry
    from inspector.model.recording import Lookup, Recording


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be recorded; the descriptors of sandboxes and containers come with the call, in this order."""

    topology: Topology
    plan: Plan
    token: bytes
    identifier: int
    tap_program: bytes
    answer_program: bytes
    sandboxes: tuple[SandboxId, ...]
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookupOrder:
    """What is to be looked up; descriptors come as for an Order. The inquiry knows what to ask, and travels whole."""

    plan: LookupPlan
    inquiry: "Inquiry"
    tap_program: bytes
    sandboxes: tuple[SandboxId, ...]
    containers: tuple[str, ...]


def load() -> None:
    """Load what a recording needs; the first probe would pay for scapy's layers otherwise."""
    import inspector.capture.session  # noqa: F401
    from inspector.wire.craft import echo_request

    echo_request(family=4, source="0.0.0.0", destination="0.0.0.0", identifier=1, sequence=1, payload=b"")  # noqa: S104


def carry_out(call: Call, order: Order) -> "Recording":
    """Return what was seen and done; the answer leaves before everything is closed."""
    from inspector.capture.session import record

    def deliver(recording: "Recording") -> "Recording":
        call.answer(recording)
        return recording

    return record(
        order.topology,
        order.plan,
        _namespaces(call, order),
        pidfds=_pidfds(call, order),
        token=order.token,
        identifier=order.identifier,
        tap_program=order.tap_program,
        answer_program=order.answer_program,
        interruption=call.interruption,
        finish=deliver,
    )


def carry_out_lookup(call: Call, order: LookupOrder) -> "Lookup":
    """Return what was asked and seen; the answer leaves before everything is closed."""
    from inspector.capture.asking import look_up

    def deliver(lookup: "Lookup") -> "Lookup":
        call.answer(lookup)
        return lookup

    return look_up(
        order.plan,
        order.inquiry,
        _namespaces(call, order),
        pidfds=_pidfds(call, order),
        tap_program=order.tap_program,
        interruption=call.interruption,
        finish=deliver,
    )


def _namespaces(call: Call, order: Order | LookupOrder) -> dict[SandboxId, int]:
    return dict(zip(order.sandboxes, call.descriptors, strict=False))


def _pidfds(call: Call, order: Order | LookupOrder) -> dict[str, int]:
    return dict(zip(order.containers, call.descriptors[len(order.sandboxes) :], strict=True))
