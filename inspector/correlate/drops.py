"""Find the kernel's reason that fits the probes nobody answered. Pure.

1. A drop is a probe's if its packet came in, with the probe's length, where a tap saw the probe come in last, as the
   first one after the tap's stamp, and was freed at once.
2. Every unanswered probe that left while the kernel was asked needs a drop of its own, and all of them the same reason;
   else nothing is said.
3. Even so the tracepoint names no packet: the reason is likely, never certain.
"""

from msgspec import Struct

from inspector.model.path import Direction, Path, Seen
from inspector.model.question import Heading
from inspector.model.recording import Observation, Recording, Sent
from inspector.model.rules import KernelDrop

STAMPED_BEFORE_NS = 5_000_000
"""How long a packet may wait between a tap's stamp and its reception: in a CPU's backlog queue."""
CLOCKS_NS = 20_000
"""How far two clocks of one kernel may differ."""
PROMPT_NS = 1_000_000
"""A drop in the same softirq comes microseconds after the reception."""
OTHERHOST = "OTHERHOST"
PACKET_OTHERHOST = 3
"""linux/if_packet.h: addressed to another station; every flooded copy is dropped so somewhere"""
NO_SOCKET = "NO_SOCKET"
USUAL = frozenset({NO_SOCKET, "SOCKET_FILTER"})
"""What delivered echo messages meet, too: no ping socket wants them, or one raw socket of several does not."""
ETHERNET_HEADER = 14


class FittingReason(Struct, frozen=True):
    """Why the kernel dropped the probes that nobody answered, where one reason fits them all."""

    reason: str
    where: tuple[str, ...]
    """The kernel functions that freed them."""
    observations: tuple[int, ...]
    """Of each of them, where it came in last: indices into the recording's observations."""


def fitting_reason(recording: Recording, paths: tuple[Path, ...]) -> FittingReason | None:
    """Return the reason that fits, if one does."""
    since_ns = recording.drops_since_ns
    unanswered = [each.sequence for each in recording.probes if isinstance(each, Sent) and each.at_ns >= since_ns]
    fits = [_drop_of(recording, paths, sequence) for sequence in unanswered]
    found = [each for each in fits if each is not None]
    if not found or len(found) < len(fits) or len({drop for drop, _ in found}) < len(found):
        return None
    reasons = {drop.reason for drop, _ in found}
    if len(reasons) > 1:
        return None
    where = tuple(dict.fromkeys(drop.where for drop, _ in found))
    return FittingReason(reasons.pop(), where, tuple(hop.observation for _, hop in found))


def _drop_of(recording: Recording, paths: tuple[Path, ...], sequence: int) -> tuple[KernelDrop, Seen] | None:
    """Return the drop of one probe or its answer, and where that came in last."""
    path = _furthest(paths, sequence)
    inward = [hop for hop in path.seen if hop.heading is Heading.IN] if path else []
    if path is None or not inward:
        return None
    last, end_ns = inward[-1], max(hop.at_ns for hop in path.seen)
    # What a bridge forwards was received by its port; what it routes, by itself.
    ends = [hop for hop in inward[-2:] if hop.point.sandbox == last.point.sandbox]
    copied = any(hop.point.promiscuous for hop in ends)
    fitting = [
        (each, hop)
        for hop in ends
        for each in recording.drops
        if _says(recording, each)
        and _fits(each, hop, recording.observations[hop.observation], copied=copied)
        and each.at_ns >= end_ns - CLOCKS_NS
    ]
    return min(fitting, key=lambda each: _received_ns(each[0]), default=None)


def _furthest(paths: tuple[Path, ...], sequence: int) -> Path | None:
    """Return the answer's path where an answer was seen, else the request's."""
    seen = [each for each in paths if each.sequence == sequence and each.seen]
    return max(seen, key=lambda each: each.direction is Direction.REPLY, default=None)


def _says(recording: Recording, drop: KernelDrop) -> bool:
    """Whether the reason says anything: of a port it does that nobody listens."""
    return drop.reason not in USUAL or (drop.reason == NO_SOCKET and recording.plan.question.port is not None)


def _fits(drop: KernelDrop, hop: Seen, observation: Observation, *, copied: bool) -> bool:
    """Say whether it may be a drop of this packet; `copied`: a promiscuous bridge hands its own stack every frame."""
    reception = drop.reception
    if reception is None:
        return False
    # The host's stack drops what we had the bridge copy to it, whatever became of the packet itself.
    if drop.reason == OTHERHOST and (copied or observation.packet_type != PACKET_OTHERHOST):
        return False
    waited_ns = reception.at_ns - hop.at_ns
    return (
        reception.interface == hop.point.interface
        and reception.length == observation.wire_length - ETHERNET_HEADER
        and -CLOCKS_NS <= waited_ns <= STAMPED_BEFORE_NS
        and reception.alone_ns >= waited_ns
        and drop.at_ns - reception.at_ns <= PROMPT_NS
    )


def _received_ns(drop: KernelDrop) -> int:
    return drop.reception.at_ns if drop.reception else 0
