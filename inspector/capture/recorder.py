"""Carry out a plan in the worker process: what it is told, and what it loads ahead."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from inspector.loading import without
from inspector.model.question import Plan
from inspector.model.topology import SandboxId, Topology
from inspector.worker import Call

if TYPE_CHECKING:
    from inspector.model.recording import Recording


class Order(Struct, frozen=True):
    """What is to be recorded; the descriptors of sandboxes and containers come with the call, in this order."""

    topology: Topology
    plan: Plan
    token: bytes
    identifier: int
    tap_program: bytes | Callable[[tuple[int, ...]], bytes]
    """Packed, or the function that makes it of the probes' source ports."""
    answer_program: bytes
    sandboxes: tuple[SandboxId, ...]
    containers: tuple[str, ...]


def load() -> None:
    """Load what a recording needs; the first packet would pay for scapy's layers otherwise."""
    # scapy asks for a hash function when it has a cache, which it has not: OpenSSL takes 3 ms.
    with without("_hashlib"):
        import inspector.capture.ready_rings
        import inspector.capture.session
        import inspector.wire.echo  # noqa: F401


def begin_rings(call: Call, counts: Sequence[int]) -> None:
    """Begin so many rings in each of the namespaces that come with the call; what nobody takes ends with the worker."""
    from inspector.capture.ready_rings import begin

    begin(call.descriptors, counts, call.until)


def carry_out(call: Call, order: Order) -> "Recording":
    """Return what was seen and done; the answer leaves before everything is closed."""
    from inspector.capture.session import record

    return record(
        order.topology,
        order.plan,
        namespaces_of(call, order.sandboxes),
        pidfds=pidfds_of(call, order.sandboxes, order.containers),
        token=order.token,
        identifier=order.identifier,
        tap_program=order.tap_program,
        answer_program=order.answer_program,
        interruption=call.interruption,
        finish=call.answer,
    )


def namespaces_of(call: Call, sandboxes: Sequence[SandboxId]) -> dict[SandboxId, int]:
    """Return the descriptor of each sandbox's namespace: those of a call stand in this order, before the processes."""
    return dict(zip(sandboxes, call.descriptors, strict=False))


def pidfds_of(call: Call, sandboxes: Sequence[SandboxId], containers: Sequence[str]) -> dict[str, int]:
    """Return the descriptor of each container's first process."""
    return dict(zip(containers, call.descriptors[len(sandboxes) :], strict=True))
