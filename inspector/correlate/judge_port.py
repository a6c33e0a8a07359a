"""Decide how connections and datagrams ended, as far as an answer decides it. Pure.

1. Silence is judged as for echoes: the points have to tell where it ended.
2. A stack sends its own RST out of its own interface (or over its loopback). One that was first seen elsewhere was
   made on the way, by a firewall.
3. A connection that is reset as soon as it was accepted was not delivered.
"""

from msgspec import Struct

from inspector.model.path import Direction, Path
from inspector.model.place import wanted
from inspector.model.question import CapturePoint, Carriage, Plan, Protocol, Publication
from inspector.model.recording import Answered, Recording
from inspector.model.report import Outcome

REFUSED = "TCP RST"
RESET = "reset after it was accepted"
PORT_UNREACHABLE = frozenset({"Destination Port Unreachable", "Destination unreachable: Port unreachable"})
"""What a stack says to a datagram that nobody listens for (RFC 1122, 3.2.2.1; RFC 4443, 3.1), in ping's words."""


class Ending(Struct, frozen=True):
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
    target = wanted(plan.destination.label, plan.answering_port, plan.question.protocol)
    if plan.publication is not None and plan.publication.carriage is Carriage.PROXY:
        return _by_proxy(recording, paths, plan.publication, len(whole))
    if whole:
        return _taken(recording, target, len(whole))
    if taken:
        by = first_seen(paths, "RST")
        at = f"; the RST was first seen at {by}" if by else ""
        return Ending(Outcome.REJECTED, f"{target} accepted the connection and reset it at once{at}", RESET)
    refused = next((each.answer for each in answers if each.answer in {REFUSED, *PORT_UNREACHABLE}), None)
    if refused is None:
        return None
    what = "RST" if refused == REFUSED else refused
    return Ending(Outcome.REJECTED, _refused(plan, target, what, first_seen(paths, what)), refused)


def _taken(recording: Recording, target: str, count: int) -> Ending:
    """Judge what was accepted or answered, and by whom: a published port is the container's, not the host's."""
    published = recording.plan.publication
    said = _delivered(recording, count)
    if published is None:
        return Ending(Outcome.DELIVERED, said)
    if published.carriage is Carriage.TRANSLATED:
        return Ending(Outcome.DELIVERED, f"{said}, by {target} behind the published port")
    said = f"the host itself took it, and nothing was seen to go on to {published.container}"
    return Ending(Outcome.UNKNOWN, f"{said}: who answered cannot be told")


def _by_proxy(recording: Recording, paths: tuple[Path, ...], published: Publication, count: int) -> Ending:
    """Judge what a proxy on the host took, by what became of the connection that it opened itself."""
    target = wanted(published.container, published.port, recording.plan.question.protocol)
    seconds = [path for path in paths if path.proxied and path.seen]
    back = [path for path in seconds if path.direction is Direction.REPLY]
    if count and any(path.segment in {"SYN-ACK", "UDP"} for path in back):
        return Ending(Outcome.DELIVERED, f"{_delivered(recording, count)}, by a proxy on the host for {target}")
    took = "a proxy on the host took it"
    refused = next((path for path in back if path.segment not in {"SYN-ACK", "UDP"}), None)
    if refused is not None:
        reason = REFUSED if refused.segment == "RST" else refused.segment
        said = f"{took}; {target} refused what the proxy sent on: {refused.segment}"
        return Ending(Outcome.REJECTED, f"{said}, first seen at {refused.seen[0].point}", reason)
    if back:
        return Ending(Outcome.LOST, f"{took}; {target} answered the proxy, and no answer came back from the proxy")
    if not seconds:
        return Ending(Outcome.UNKNOWN, f"{took}, and no point saw what it sent on to {target}")
    last = seconds[0].seen[-1].point
    outcome = Outcome.UNANSWERED if last.sandbox == published.sandbox else Outcome.LOST
    return Ending(outcome, f"{took}; what it sent on to {target} was last seen at {last}, and nobody answered it")


def first_seen(paths: tuple[Path, ...], segment: str) -> CapturePoint | None:
    """Return where the first packet of this kind that came back was seen first."""
    back = [path for path in paths if path.direction is Direction.REPLY and not path.proxied]
    return next((path.seen[0].point for path in back if path.segment == segment and path.seen), None)


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
