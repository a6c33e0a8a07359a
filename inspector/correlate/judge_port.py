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
from inspector.model.sentence import say

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
        said = say("{target} accepted the connection and reset it at once", target=target)
        if by:
            said = say("{said}; the RST was first seen at {point}", said=said, point=by)
        return Ending(Outcome.REJECTED, said, RESET)
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
        return Ending(Outcome.DELIVERED, say("{said}, by {target} behind the published port", said=said, target=target))
    said = say("the host itself took it, and nothing was seen to go on to {container}", container=published.container)
    return Ending(Outcome.UNKNOWN, say("{said}: who answered cannot be told", said=said))


def _by_proxy(recording: Recording, paths: tuple[Path, ...], published: Publication, count: int) -> Ending:
    """Judge what a proxy on the host took, by what became of the connection that it opened itself."""
    target = wanted(published.container, published.port, recording.plan.question.protocol)
    seconds = [path for path in paths if path.proxied and path.seen]
    back = [path for path in seconds if path.direction is Direction.REPLY]
    if count and any(path.segment in {"SYN-ACK", "UDP"} for path in back):
        said = say("{said}, by a proxy on the host for {target}", said=_delivered(recording, count), target=target)
        return Ending(Outcome.DELIVERED, said)
    took = say("a proxy on the host took it")
    refused = next((path for path in back if path.segment not in {"SYN-ACK", "UDP"}), None)
    if refused is not None:
        reason = REFUSED if refused.segment == "RST" else refused.segment
        said = say(
            "{said}; {target} refused what the proxy sent on: {segment}, first seen at {point}",
            said=took,
            target=target,
            segment=refused.segment,
            point=refused.seen[0].point,
        )
        return Ending(Outcome.REJECTED, said, reason)
    if back:
        said = say(
            "{said}; {target} answered the proxy, and no answer came back from the proxy", said=took, target=target
        )
        return Ending(Outcome.LOST, said)
    if not seconds:
        said = say("{said}, and no point saw what it sent on to {target}", said=took, target=target)
        return Ending(Outcome.UNKNOWN, said)
    last = seconds[0].seen[-1].point
    outcome = Outcome.UNANSWERED if last.sandbox == published.sandbox else Outcome.LOST
    said = say(
        "{said}; what it sent on to {target} was last seen at {point}, and nobody answered it",
        said=took,
        target=target,
        point=last,
    )
    return Ending(outcome, said)


def first_seen(paths: tuple[Path, ...], segment: str) -> CapturePoint | None:
    """Return where the first packet of this kind that came back was seen first."""
    back = [path for path in paths if path.direction is Direction.REPLY and not path.proxied]
    return next((path.seen[0].point for path in back if path.segment == segment and path.seen), None)


def _refused(plan: Plan, target: str, what: str, at: CapturePoint | None) -> str:
    if at is None:
        return say(
            "{target} was refused ({what}) inside {source} itself: nothing came back from any point",
            target=target,
            what=what,
            source=plan.source.label,
        )
    if plan.question.protocol is Protocol.TCP and what in PORT_UNREACHABLE:
        # A stack refuses a connection by RST alone (RFC 9293, 3.5.2); a firewall may do it by ICMP.
        return say("a firewall refused {target}: {what}, first seen at {point}", target=target, what=what, point=at)
    if plan.answering is not None and at.sandbox == plan.answering:
        return say(
            "{target} refused: its own stack answered {what}, first seen at {point}", target=target, what=what, point=at
        )
    if plan.answering is None:
        return say("{target} refused: {what}, first seen at {point}", target=target, what=what, point=at)
    return say(
        "{target} never refused: the {what} was made on the way, first seen at {point}",
        target=target,
        what=what,
        point=at,
    )


def _delivered(recording: Recording, count: int) -> str:
    asked = sum(1 for each in recording.probes if hasattr(each, "at_ns"))
    closed = sum(1 for each in recording.probes if isinstance(each, Answered) and each.then == "closed")
    said = say("{received} of {sent} answered", received=count, sent=asked)
    if recording.plan.question.protocol is Protocol.TCP:
        said = say("{received} of {sent} accepted", received=count, sent=asked)
    return say("{said}; {count} closed by the peer at once", said=said, count=closed) if closed else said
