"""Tell how a trace ended of which nobody said anything: the points have to tell where. Pure."""

from inspector.correlate.astray import OTHERHOST, astray
from inspector.correlate.drops import FittingReason
from inspector.correlate.stop_point import furthest, last_of, stopped
from inspector.correlate.unrouted import unrouted
from inspector.model.path import Direction, Path, Seen, Unseen
from inspector.model.question import CapturePoint, PathKind, Plan
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Verdict
from inspector.model.routing import RouteAnswer
from inspector.model.sentence import say
from inspector.wire.drop_words import drop_words


def silence(recording: Recording, paths: tuple[Path, ...], drop: FittingReason | None) -> Verdict:
    """Nobody said anything: the points have to tell where it ended."""
    plan = recording.plan
    blind = blindness(recording)
    if blind:
        return stopped(Outcome.UNKNOWN, say("it cannot be told where it ended: {why}", why=blind), recording, paths)
    stray = astray(recording, furthest(paths))
    if stray is not None:
        summary = say(
            "it came to {point}, addressed to {mac}, which is not the MAC there",
            point=stray.point,
            mac=stray.destination_mac,
        )
        return stopped(Outcome.DROPPED, summary, recording, paths, reason=OTHERHOST)
    if drop is not None:
        return stopped(Outcome.DROPPED, _said_of(drop, paths), recording, paths, reason=drop.reason)
    if (refused := unrouted(recording, furthest(paths))) is not None:
        return stopped(Outcome.DROPPED, _no_way(*refused), recording, paths, reason=refused[1].why)
    replies = [path for path in paths if path.direction is Direction.REPLY and path.seen]
    if replies:
        last = (furthest(paths) or replies[0]).seen[-1]
        summary = say(
            "the answer was last seen at {point} ({heading}) and never reached {source}",
            point=last.point,
            heading=last.heading,
            source=plan.source.label,
        )
        return stopped(Outcome.LOST, summary, recording, paths)
    return _request_ended(recording, paths)


def _request_ended(recording: Recording, paths: tuple[Path, ...]) -> Verdict:
    """No answer was seen anywhere: tell how far the request came."""
    plan = recording.plan
    last_seen = last_of(paths)
    final = plan.request[-1].point if plan.request else None
    if plan.barrier and (last_seen == final or (last_seen is None and len(plan.request) == 1)):
        return stopped(Outcome.DROPPED, _barred(plan, last_seen), recording, paths, reason=plan.barrier)
    if last_seen is None:
        return stopped(
            Outcome.LOST, say("{source} sent it, and no point saw it", source=plan.source.label), recording, paths
        )
    if last_seen == final and plan.kind in {PathKind.OUTSIDE, PathKind.PAST_HOST, PathKind.TUNNELLED}:
        summary = _gone_out(plan, last_seen)
        return stopped(Outcome.UNANSWERED, summary, recording, paths)
    if last_seen == final and last_seen.sandbox == plan.destination.sandbox:
        summary = say(
            "it arrived at {point}, and {destination} did not answer",
            point=last_seen,
            destination=plan.destination.label,
        )
        return stopped(Outcome.UNANSWERED, summary, recording, paths)
    return stopped(Outcome.LOST, _never_came(furthest(paths), last_seen), recording, paths)


def _no_way(hop: Seen, answer: RouteAnswer) -> str:
    known = {"point": hop.point, "sandbox": hop.point.sandbox, "why": answer.why}
    if answer.query.inbound is None:
        return say("it came to {point}, and {sandbox} has no way for its answer: {why}", **known)
    return say("it came to {point}, and {sandbox} has no way for it: {why}", **known)


def _barred(plan: Plan, last_seen: CapturePoint | None) -> str:
    came = say("{source} sent it", source=plan.source.label)
    if last_seen:
        came = say("it came to {point}", point=last_seen)
    return say("{said}, and {barrier}", said=came, barrier=plan.barrier)


def _gone_out(plan: Plan, last_seen: CapturePoint) -> str:
    known = {"point": last_seen, "destination": plan.destination.label}
    if plan.passage:
        return say(
            "it left by {point} as {passage}, towards {destination}, and no answer came back in time",
            passage=plan.passage,
            **known,
        )
    return say("it left by {point} towards {destination}, and no answer came back in time", **known)


def _never_came(path: Path | None, last_seen: CapturePoint) -> str:
    onward = path.hops[path.hops.index(path.seen[-1]) + 1 :] if path else ()
    missing = next((hop.point for hop in onward if isinstance(hop, Unseen)), None)
    summary = say("last seen at {last_seen}", last_seen=last_seen)
    return say("{said}; it never came to {point}", said=summary, point=missing) if missing else summary


def _said_of(drop: FittingReason, paths: tuple[Path, ...]) -> str:
    path, meaning = furthest(paths), drop_words(drop.reason)
    known = {"point": last_of(paths), "reason": drop.reason}
    told = say("it was last seen at {point}; the kernel says {reason} (likely)", **known)
    if path is not None and path.direction is Direction.REPLY:
        told = say("the answer was last seen at {point}; the kernel says {reason} (likely)", **known)
    return say("{said}: {meaning}", said=told, meaning=meaning) if meaning else told


def blindness(recording: Recording) -> str | None:
    """Say what may hide the truth, where something may: frames lost, or a point of the way not opened."""
    planned = {str(step.point) for step in (*recording.plan.request, *recording.plan.reply)}
    for each in recording.counts:
        point = str(recording.point(each.point))
        if each.dropped and point in planned:
            return say("the capture at {point} lost {count} frames", point=point, count=each.dropped)
    for spot in recording.blind_spots:
        if spot.point in planned:
            return say("{point} could not be watched ({why})", point=spot.point, why=spot.why)
    return None
