"""Find the kernel's reason that fits the probes nobody answered. Pure.

1. A drop is a probe's if its packet came in, with the probe's length, where a tap saw the probe come in last, as the
   first one after the tap's stamp, and was freed at once.
2. Every unanswered probe needs a drop of its own, and all of them the same reason; else nothing is said.
3. Even so the tracepoint names no packet: the reason is likely, never certain.
"""

from dataclasses import dataclass

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
USUAL = frozenset({"NO_SOCKET", "SOCKET_FILTER"})
"""What delivered echo messages meet, too: no ping socket wants them, or one raw socket of several does not."""
ETHERNET_HEADER = 14


@dataclass(frozen=True, slots=True)
class FittingReason:
    """Why the kernel dropped the probes that nobody answered, where one reason fits them all."""

    reason: str
    where: tuple[str, ...]
    """The kernel functions that freed them."""
    observations: tuple[int, ...]
    """Of each of them, where it came in last: indices into the recording's observations."""


def fitting_reason(recording: Recording, paths: tuple[Path, ...]) -> FittingReason | None:
    """Return the reason that fits, if one does."""
    unanswered = [each.sequence for each in recording.probes if isinstance(each, Sent)]
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
    observation = recording.observations[last.observation]
    fitting = [each for each in recording.drops if _fits(each, last, observation) and each.at_ns >= end_ns - CLOCKS_NS]
    drop = min(fitting, key=_received_ns, default=None)
    return None if drop is None else (drop, last)


def _furthest(paths: tuple[Path, ...], sequence: int) -> Path | None:
    """Return the answer's path where an answer was seen, else the request's."""
    seen = [each for each in paths if each.sequence == sequence and each.seen]
    return max(seen, key=lambda each: each.direction is Direction.REPLY, default=None)


def _fits(drop: KernelDrop, hop: Seen, observation: Observation) -> bool:
    reception = drop.reception
    if reception is None or drop.reason in USUAL:
        return False
    # A bridge that is promiscuous through us takes a copy of all that it passes on, and drops it for this reason.
    if drop.reason == OTHERHOST and hop.point.promiscuous:
        return False
    if drop.reason == OTHERHOST and observation.packet_type != PACKET_OTHERHOST:
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
