"""Carry out a lookup in the worker process: what it is told, and what it loads ahead."""

from typing import TYPE_CHECKING

from msgspec import Struct

from inspector.capture.recorder import namespaces_of, pidfds_of
from inspector.model.lookup import LookupPlan
from inspector.model.topology import SandboxId
from inspector.worker import Call

if TYPE_CHECKING:
    from inspector.capture.asking import Inquiry
    from inspector.model.recording import Lookup


class LookupOrder(Struct, frozen=True):
    """What is to be looked up; descriptors come as for an Order. The inquiry knows what to ask, and travels whole."""

    plan: LookupPlan
    inquiry: "Inquiry"
    tap_program: bytes
    sandboxes: tuple[SandboxId, ...]
    containers: tuple[str, ...]


def load() -> None:
    """Load what a lookup needs; the first query would pay for scapy's layers otherwise."""
    import inspector.capture.asking  # noqa: F401
    from inspector.wire.craft import dns_query

    dns_query(name="localhost", type="A", identifier=1)


def carry_out_lookup(call: Call, order: LookupOrder) -> "Lookup":
    """Return what was asked and seen; the answer leaves before everything is closed."""
    from inspector.capture.asking import look_up

    return look_up(
        order.plan,
        order.inquiry,
        namespaces_of(call, order.sandboxes),
        pidfds=pidfds_of(call, order.sandboxes, order.containers),
        tap_program=order.tap_program,
        interruption=call.interruption,
        until=call.until,
        finish=call.answer,
    )
