"""Decide how it ended. Pure.

1. What the socket that sent the probe got is the answer; what the points saw says where it stopped.
2. `dropped` needs a known thing that stopped it; without one it is `lost`.
3. A point that lost frames, or could not be opened, can hide what we say was not there: then it is `unknown`.
"""

import errno
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inspector.correlate.astray import OTHERHOST, astray
from inspector.correlate.discovery_stop import discovery_stop
from inspector.correlate.drops import FittingReason, fitting_reason
from inspector.correlate.judge_port import Ending, judge_port
from inspector.correlate.paths import places
from inspector.correlate.resolving import unanswered
from inspector.correlate.rule_verdict import find_rejection, find_stop
from inspector.correlate.tracks import Kind, Tracks
from inspector.correlate.unrouted import unrouted
from inspector.model.names import NameReport
from inspector.model.path import Direction, Path, Unseen
from inspector.model.question import CapturePoint, PathKind, Plan
from inspector.model.recording import Answered, Failed, NotSent, Recording, Sent
from inspector.model.report import Outcome, Spread, Statistics, Verdict
from inspector.wire.drop_words import drop_words

if TYPE_CHECKING:
    from inspector.correlate.legacy_rules import Comparison

NETFILTER = "NETFILTER_DROP"
"""The kernel's reason where a rule dropped it; which one it does not say."""
REFUSALS = {
    errno.ENETUNREACH: "its routing table has no route to {target}",
    errno.EHOSTUNREACH: "it found no way to {target}",
    errno.EACCES: "its routing table forbids {target}",
    errno.EPERM: "a firewall rule in its own network stack refused the packet",
    errno.EMSGSIZE: "the packet is larger than its way carries, and may not be cut up",
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
    plan = recording.plan
    if plan.obstacle is not None:
        return Verdict(outcome=Outcome.UNRESOLVED, summary=plan.obstacle)
    if names is not None and (plan.question.names_only or (recording.lookup and recording.lookup.cut_short)):
        from inspector.correlate.name_report import judge_names

        return judge_names(recording, names)
    ending = _answered(recording) if plan.question.port is None else judge_port(recording, paths)
    if ending is not None and ending.outcome is Outcome.DELIVERED:
        summary = ending.summary + _stopped_in_part(recording, paths)
        return Verdict(ending.outcome, summary, last_seen=_last(paths), never_seen=())
    by_rule = _by_rule(recording, paths)
    if by_rule is not None:
        return by_rule
    if ending is not None:
        return _stopped(ending.outcome, ending.summary, recording, paths, reason=ending.reason)
    return _not_delivered(recording, tracks, paths)


def _answered(recording: Recording) -> Ending | None:
    """Say that echoes were answered, where any was."""
    statistics = count(recording)
    summary = f"{statistics.received} of {statistics.sent} answered{_by_another(recording.plan)}"
    return Ending(Outcome.DELIVERED, summary) if statistics.received else None


def _stopped_in_part(recording: Recording, paths: tuple[Path, ...]) -> str:
    """Say of a run in which others were answered which rule stopped one, such as a limit of packets."""
    stop = find_stop(recording, paths)
    if stop is None:
        return ""
    answer = "the answer to " if stop.path.direction is Direction.REPLY else ""
    return f"; {answer}probe {stop.path.sequence} was dropped {stop.summary}"


def _not_delivered(recording: Recording, tracks: Tracks, paths: tuple[Path, ...]) -> Verdict:
    """No rule is known to have stopped it: find what else did."""
    plan = recording.plan
    refused = [each for each in recording.probes if isinstance(each, Failed)]
    if refused and not count(recording).sent and (left := _last(paths)):
        return _not_handed_over(left, refused[0], recording, paths)
    if refused and not count(recording).sent:
        why = REFUSALS.get(refused[0].errno, refused[0].why).format(target=plan.destination.address)
        return Verdict(Outcome.DROPPED, f"{plan.source.label} did not send it: {why}", reason=refused[0].why)
    if not recording.probes or all(isinstance(each, NotSent) for each in recording.probes):
        return Verdict(Outcome.UNKNOWN, "no probe was sent: " + _nothing_sent(recording))
    waits_for = _waits_for(recording, tracks)
    if waits_for is not None and not _blindness(recording):
        who, link = waits_for
        told = any(not each.asks and each.target == who for each in tracks.resolving)
        answer = f"an answer for {who} did not come to {link}" if told else f"nobody answered for {who} on {link}"
        summary = f"{answer}: the packet waits for a MAC address and never leaves"
        verdict = _stopped(Outcome.DROPPED, summary, recording, paths, reason="neighbour unanswered")
        stop = discovery_stop(recording, tracks, who)
        return replace(verdict, rule=stop.rule) if stop else verdict
    rejected = _refusals(recording)
    if rejected:
        summary = f"somebody on the way to {plan.destination.label} said no: {rejected[0].answer}"
        verdict = _stopped(Outcome.REJECTED, summary, recording, paths, reason=rejected[0].answer)
        found = _counted(recording, paths)
        return replace(verdict, summary=f"{summary}; {found.summary}", rule=found.rule) if found else verdict
    return _with_counters(recording, paths, _silence(recording, paths))


def _with_counters(recording: Recording, paths: tuple[Path, ...], verdict: Verdict) -> Verdict:
    """Where nothing else is known, a legacy rule whose counter rose is likely to have dropped it."""
    silent = verdict.outcome in {Outcome.LOST, Outcome.UNANSWERED} or verdict.reason == NETFILTER
    found = _counted(recording, paths) if silent else None
    if found is None:
        return verdict
    return replace(verdict, outcome=Outcome.DROPPED, summary=f"{verdict.summary}; {found.summary}", rule=found.rule)


def _counted(recording: Recording, paths: tuple[Path, ...]) -> "Comparison | None":
    from inspector.correlate.legacy_rules import compare_counters

    return compare_counters(recording, paths)


def _refusals(recording: Recording) -> list[Answered]:
    return [each for each in recording.probes if isinstance(each, Answered) and each.answer != "reply"]


def _by_rule(recording: Recording, paths: tuple[Path, ...]) -> Verdict | None:
    """Name the rule, where one is known; with an answer of its own it rejected, without it dropped."""
    rejected = _refusals(recording)
    stop = find_rejection(recording, paths) if rejected else find_stop(recording, paths)
    if stop is None:
        return None
    if rejected:
        answer = rejected[0].answer
        verdict = _stopped(Outcome.REJECTED, f"{stop.summary}: {answer}", recording, paths, reason=answer)
    else:
        packet = "the answer, " if stop.path.direction is Direction.REPLY else ""
        drop = fitting_reason(recording, paths)
        # Another reason is another copy's: a promiscuous bridge drops the one it takes in itself.
        reason = NETFILTER if drop and drop.reason == NETFILTER else None
        verdict = _stopped(Outcome.DROPPED, packet + stop.summary, recording, paths, reason=reason)
    return replace(verdict, rule=stop.rule)


def _by_another(plan: Plan) -> str:
    """Say so where the answer is the source's own: its stack has the destination's address, too."""
    own, theirs = plan.source.sandbox, plan.destination.sandbox
    if plan.kind is not PathKind.LOOPBACK or theirs in {None, own}:
        return ""
    return f" by {own} itself: it has the address {plan.destination.address}, too, and {theirs} was never asked"


def _not_handed_over(left: CapturePoint, refused: Failed, recording: Recording, paths: tuple[Path, ...]) -> Verdict:
    """Tell of a packet that left its stack, and then the device reported that it could not pass it on.

    A veth reports so where its peer takes no frame of that size: sendto(2) fails with ENOBUFS (measured, Linux 6.18).
    """
    summary = f"it left by {left}, which could not hand it over: {refused.why}"
    return _stopped(Outcome.DROPPED, summary, recording, paths, reason=refused.why)


def _waits_for(recording: Recording, tracks: Tracks) -> tuple[str, CapturePoint] | None:
    """Return the address that was asked for by ARP or ND and never answered about, and where it was asked.

    The kernel asks once a second: a packet that waits behind an earlier one's question may leave no frame in a short
    run. Then nothing was seen, and the source's own neighbour cache says what its packet waits for.
    """
    if any(kind is Kind.REPLY for kind, _ in tracks.packets):
        return None
    for each in unanswered(tracks):
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
    stray = astray(recording, _furthest(paths))
    if stray is not None:
        summary = f"it came to {stray.point}, addressed to {stray.destination_mac}, which is not the MAC there"
        return _stopped(Outcome.DROPPED, summary, recording, paths, reason=OTHERHOST)
    if (drop := fitting_reason(recording, paths)) is not None:
        return _stopped(Outcome.DROPPED, _said_of(drop, paths), recording, paths, reason=drop.reason)
    refused = unrouted(recording, _furthest(paths))
    if refused is not None:
        last, answer = refused
        what = "its answer" if answer.query.inbound is None else "it"
        summary = f"it came to {last.point}, and {last.point.sandbox} has no way for {what}: {answer.why}"
        return _stopped(Outcome.DROPPED, summary, recording, paths, reason=answer.why)
    replies = [path for path in paths if path.direction is Direction.REPLY and path.seen]
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
    if last_seen == final and plan.kind in {PathKind.OUTSIDE, PathKind.PAST_HOST, PathKind.TUNNELLED}:
        as_what = f" as {plan.passage}," if plan.passage else ""
        summary = f"it left by {last_seen}{as_what} towards {plan.destination.label}, and no answer came back in time"
        return _stopped(Outcome.UNANSWERED, summary, recording, paths)
    if last_seen == final and last_seen.sandbox == plan.destination.sandbox:
        summary = f"it arrived at {last_seen}, and {plan.destination.label} did not answer"
        return _stopped(Outcome.UNANSWERED, summary, recording, paths)
    furthest = _furthest(paths)
    onward_hops = furthest.hops[furthest.hops.index(furthest.seen[-1]) + 1 :] if furthest else ()
    missing = next((hop.point for hop in onward_hops if isinstance(hop, Unseen)), None)
    onward = f"; it never came to {missing}" if missing else ""
    return _stopped(Outcome.LOST, f"last seen at {last_seen}{onward}", recording, paths)


def _said_of(drop: FittingReason, paths: tuple[Path, ...]) -> str:
    last, what = _furthest(paths), "it"
    if last is not None and last.direction is Direction.REPLY:
        what = "the answer"
    meaning = drop_words(drop.reason)
    return f"{what} was last seen at {_last(paths)}; the kernel says {drop.reason} (likely)" + (
        meaning and f": {meaning}"
    )


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
