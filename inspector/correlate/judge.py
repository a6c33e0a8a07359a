"""Decide how it ended. Pure.

1. What the socket that sent the probe got is the answer; what the points saw says where it stopped.
2. `dropped` needs a known thing that stopped it; without one it is `lost`.
3. A point that lost frames, or could not be opened, can hide what we say was not there: then it is `unknown`.
"""

import errno
from collections.abc import Iterable
from statistics import median

from inspector.correlate.judge_port import judge_port
from inspector.correlate.name_report import judge_names
from inspector.correlate.paths import places
from inspector.correlate.tracks import Kind, Tracks
from inspector.model.names import NameReport
from inspector.model.path import Direction, Path, Unseen
from inspector.model.question import CapturePoint, PathKind
from inspector.model.recording import Answered, Failed, NotSent, Recording, Sent
from inspector.model.report import Outcome, Spread, Statistics, Verdict

REFUSALS = {
    errno.ENETUNREACH: "its routing table has no route to {target}",
    errno.EHOSTUNREACH: "it found no way to {target}",
    errno.EACCES: "its routing table forbids {target}",
    errno.EPERM: "a firewall rule in its own network stack refused the packet",
    errno.EMSGSIZE: "the packet is larger than its interface carries, and may not be cut up",
    errno.EADDRNOTAVAIL: "it does not have the address to send from",
}
"""What the source's own stack says when it will not send (errno of sendto(2))."""


def count(recording: Recording) -> Statistics:
    """Count the probes, and measure there and back by the socket's own clock."""
    sent = [each for each in recording.probes if isinstance(each, Sent | Answered)]
    replies = [each for each in recording.probes if isinstance(each, Answered) and each.answer == "reply"]
    times = [each.answered_ns - each.at_ns for each in replies]
    return Statistics(sent=len(sent), received=len(replies), rtt_ns=spread(times))


def spread(times: Iterable[int]) -> Spread | None:
    """Return minimum, median and maximum; None of nothing."""
    known = list(times)
    return Spread(min=min(known), median=int(median(known)), max=max(known)) if known else None


def judge(recording: Recording, tracks: Tracks, paths: tuple[Path, ...], names: NameReport | None = None) -> Verdict:
    """Return the verdict of a recording."""
    plan, statistics = recording.plan, count(recording)
    target = plan.destination.label
    if plan.obstacle is not None:
        return Verdict(outcome=Outcome.UNRESOLVED, summary=plan.obstacle)
    if names is not None and (plan.question.names_only or (recording.lookup and recording.lookup.cut_short)):
        return judge_names(recording, names)
    ending = judge_port(recording, paths) if plan.question.port is not None else None
    if ending is not None and ending.outcome is not Outcome.DELIVERED:
        return _stopped(ending.outcome, ending.summary, recording, paths, reason=ending.reason)
    if ending is not None:
        return Verdict(ending.outcome, ending.summary, last_seen=_last(paths), never_seen=())
    if statistics.received:
        summary = f"{statistics.received} of {statistics.sent} answered"
        return Verdict(Outcome.DELIVERED, summary, last_seen=_last(paths), never_seen=())
    refused = [each for each in recording.probes if isinstance(each, Failed)]
    if refused and not statistics.sent:
        why = REFUSALS.get(refused[0].errno, refused[0].why).format(target=plan.destination.address)
        return Verdict(Outcome.DROPPED, f"{plan.source.label} did not send it: {why}", reason=refused[0].why)
    if not recording.probes or all(isinstance(each, NotSent) for each in recording.probes):
        return Verdict(Outcome.UNKNOWN, "no probe was sent: " + _nothing_sent(recording))
    rejected = [each for each in recording.probes if isinstance(each, Answered)]
    unanswered = unanswered_neighbour(recording, tracks)
    if unanswered is not None and not _blindness(recording):
        who, link = unanswered
        summary = f"nobody answered for {who} on {link}: the packet waits for a MAC address and never leaves"
        return _stopped(Outcome.DROPPED, summary, recording, paths, reason="neighbour unanswered")
    if rejected:
        summary = f"somebody on the way to {target} said no: {rejected[0].answer}"
        return _stopped(Outcome.REJECTED, summary, recording, paths, reason=rejected[0].answer)
    return _silence(recording, paths)


def unanswered_neighbour(recording: Recording, tracks: Tracks) -> tuple[str, CapturePoint] | None:
    """Return the address that was asked for by ARP or ND and never answered about, and where it was asked.

    The kernel asks once a second: a packet that waits behind an earlier one's question may leave no frame in a short
    run. Then nothing was seen, and the source's own neighbour cache says what its packet waits for.
    """
    talk = tracks.neighbour_talk()
    answered = {each.target for each in talk if not each.asks}
    if any(kind is Kind.REPLY for kind, _ in tracks.packets):
        return None
    for each in talk:
        if each.asks and each.target not in answered and each.target in recording.plan.neighbours:
            return each.target, recording.point(each.observation.point)
    if recording.plan.request and not any(kind is Kind.REQUEST for kind, _ in tracks.packets):
        own = recording.plan.request[0].point.link
        return next(((address, point) for address, point in recording.unresolved() if point.link == own), None)
    return None


def _silence(recording: Recording, paths: tuple[Path, ...]) -> Verdict:
    """Nobody said anything: the points have to tell where it ended."""
    plan = recording.plan
    blind = _blindness(recording)
    if blind:
        return _stopped(Outcome.UNKNOWN, f"it cannot be told where it ended: {blind}", recording, paths)
    replies = [path for path in paths if path.direction is Direction.REPLY]
    if replies:
        last = (_furthest(paths) or replies[0]).seen[-1]
        summary = f"the answer was last seen at {last.point} ({last.heading}) and never reached {plan.source.label}"
        return _stopped(Outcome.LOST, summary, recording, paths)
    last_seen = _last(paths)
    final = plan.request[-1].point if plan.request else None
    if plan.barrier and (last_seen == final or (last_seen is None and len(plan.request) == 1)):
        came = f"it came to {last_seen}" if last_seen else f"{plan.source.label} sent it"
        return _stopped(Outcome.DROPPED, f"{came}, and {plan.barrier}", recording, paths, reason=plan.barrier)
    if last_seen is None:
        return _stopped(Outcome.LOST, f"{plan.source.label} sent it, and no point saw it", recording, paths)
    if last_seen == final and plan.kind is PathKind.OUTSIDE:
        summary = f"it left by {last_seen} towards {plan.destination.label}, and no answer came back in time"
        return _stopped(Outcome.UNANSWERED, summary, recording, paths)
    if last_seen == final and last_seen.sandbox == plan.destination.sandbox:
        summary = f"it arrived at {last_seen}, and {plan.destination.label} did not answer"
        return _stopped(Outcome.UNANSWERED, summary, recording, paths)
    furthest = _furthest(paths)
    onward_hops = furthest.hops[furthest.hops.index(furthest.seen[-1]) + 1 :] if furthest else ()
    missing = next((hop.point for hop in onward_hops if isinstance(hop, Unseen)), None)
    onward = f"; it never came to {missing}" if missing else ""
    return _stopped(Outcome.LOST, f"last seen at {last_seen}{onward}", recording, paths)


def _stopped(
    outcome: Outcome, summary: str, recording: Recording, paths: tuple[Path, ...], reason: str | None = None
) -> Verdict:
    seen = {hop.point.link for path in paths for hop in path.seen}
    expected = places(hop for path in paths for hop in path.hops)
    if not paths:
        expected = tuple(dict.fromkeys(step.point for step in (*recording.plan.request, *recording.plan.beyond)))
    never = tuple(point for point in expected if point.link not in seen)
    return Verdict(outcome, summary, last_seen=_last(paths), never_seen=never, reason=reason)


def _last(paths: tuple[Path, ...]) -> CapturePoint | None:
    """Return where the furthest packet was last seen."""
    path = _furthest(paths)
    return path.seen[-1].point if path else None


def _furthest(paths: tuple[Path, ...]) -> Path | None:
    """Return the path that was seen furthest along its hops: an answer is further than its request."""
    seen = [path for path in paths if path.seen]
    return max(seen, key=lambda path: (path.direction is Direction.REPLY, path.hops.index(path.seen[-1])), default=None)


def _blindness(recording: Recording) -> str | None:
    """Say what may hide the truth, where something may: frames lost, or a point of the way not opened."""
    planned = {str(step.point) for step in (*recording.plan.request, *recording.plan.reply)}
    for each in recording.counts:
        point = str(recording.point(each.point))
        if each.dropped and point in planned:
            return f"the capture at {point} lost {each.dropped} frames"
    for spot in recording.blind_spots:
        if spot.point in planned:
            return f"{spot.point} could not be watched ({spot.why})"
    return None


def _nothing_sent(recording: Recording) -> str:
    reasons = [each.why for each in recording.probes if isinstance(each, NotSent)]
    if recording.interrupted:
        return "interrupted"
    if recording.departed:
        return f"{', '.join(recording.departed)} went away"
    return reasons[0] if reasons else "the run ended before"
