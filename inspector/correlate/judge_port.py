"""Decide how connections and datagrams ended, as far as an answer decides it. Pure.

1. Silence is judged as for echoes: the points have to tell where it ended.
2. A stack sends its own RST out of its own interface (or over its loopback). One that was first seen elsewhere was
   made on the way, by a firewall.
3. A connection that is reset as soon as it was accepted was not delivered.
"""

from dataclasses import dataclass

from inspector.model.path import Direction, Path
from inspector.model.place import wanted
from inspector.model.question import CapturePoint, Plan, Protocol
from inspector.model.recording import Answered, Recording
from inspector.model.report import Outcome

REFUSED = "TCP RST"
RESET = "reset after it was accepted"
PORT_UNREACHABLE = frozenset({"Destination Port Unreachable", "Destination unreachable: Port unreachable"})
"""What a stack says to a datagram that nobody listens for (RFC 1122, 3.2.2.1; RFC 4443, 3.1), in ping's words."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome, and why."""

    outcome: Outcome
    summary: str
    reason: str | None = None


def judge_port(recording: Recording, paths: tuple[Path, ...]) -> Ending | None:
    """Return how it ended; None where no answer tells."""
    plan = recording.plan
    answers = [each for each in recording.probes if isinstance(each, Answered)]
    taken = [each for each in answers if each.answer == "reply"]
    whole = [each for each in taken if each.then != "reset"]
    target = wanted(plan.destination.label, plan.question.port, plan.question.protocol)
    if whole:
        return Ending(Outcome.DELIVERED, _delivered(recording, len(whole)))
    if taken:
        by = first_seen(paths, "RST")
        at = f"; the RST was first seen at {by}" if by else ""
        return Ending(Outcome.REJECTED, f"{target} accepted the connection and reset it at once{at}", RESET)
    refused = next((each.answer for each in answers if each.answer in {REFUSED, *PORT_UNREACHABLE}), None)
    if refused is None:
        return None
    what = "RST" if refused == REFUSED else refused
    return Ending(Outcome.REJECTED, _refused(plan, target, what, first_seen(paths, what)), refused)


def first_seen(paths: tuple[Path, ...], segment: str) -> CapturePoint | None:
    """Return where the first packet of this kind that came back was seen first."""
    return next(
        (path.seen[0].point for path in paths if path.direction is Direction.REPLY and path.segment == segment), None
    )


def _refused(plan: Plan, target: str, what: str, at: CapturePoint | None) -> str:
    if at is None:
        return f"{target} was refused ({what}) inside {plan.source.label} itself: nothing came back from any point"
    if plan.question.protocol is Protocol.TCP and what in PORT_UNREACHABLE:
        # A stack refuses a connection by RST alone (RFC 9293, 3.5.2); a firewall may do it by ICMP.
        return f"a firewall refused {target}: {what}, first seen at {at}"
    if plan.answering is not None and at.sandbox == plan.answering:
        return f"{target} refused: its own stack answered {what}, first seen at {at}"
    if plan.answering is None:
        return f"{target} refused: {what}, first seen at {at}"
    return f"{target} never refused: the {what} was made on the way, first seen at {at}"


def _delivered(recording: Recording, count: int) -> str:
    word = "accepted" if recording.plan.question.protocol is Protocol.TCP else "answered"
    asked = sum(1 for each in recording.probes if hasattr(each, "at_ns"))
    closed = sum(1 for each in recording.probes if isinstance(each, Answered) and each.then == "closed")
    ended = f"; {closed} closed by the peer at once" if closed else ""
    return f"{count} of {asked} {word}{ended}"
