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

from inspector.correlate.discovery_stop import discovery_stop
from inspector.correlate.drops import FittingReason
from inspector.correlate.judge_port import Ending, judge_port
from inspector.correlate.resolving import unanswered
from inspector.correlate.rule_verdict import Stop, find_rejection
from inspector.correlate.silence import blindness, silence
from inspector.correlate.stop_point import last_of, stopped
from inspector.correlate.tracks import Kind, Tracks
from inspector.model.names import NameReport
from inspector.model.path import Direction, Path
from inspector.model.question import CapturePoint, PathKind, Plan
from inspector.model.recording import Answered, Failed, NotSent, Recording, Sent
from inspector.model.report import Outcome, Spread, Statistics, Verdict
from inspector.model.sentence import join, say

if TYPE_CHECKING:
    from inspector.correlate.legacy_rules import Comparison

NETFILTER = "NETFILTER_DROP"
"""The kernel's reason where a rule dropped it; which one it does not say."""


def count(recording: Recording) -> Statistics:
    """Count the probes, and measure there and back by the socket's own clock."""
    sent = [each for each in recording.probes if isinstance(each, Sent | Answered)]
    replies = [each for each in recording.probes if isinstance(each, Answered) and each.answer == "reply"]
    question = recording.plan.question
    longest_ns = int((question.count * (question.timeout_s + (question.interval_s or 0)) + 1) * 1e9)
    # Where the clock was set between the two stamps, their difference is no time; no answer is waited for longer.
    times = [took for each in replies if 0 <= (took := each.answered_ns - each.at_ns) <= longest_ns]
    return Statistics(sent=len(sent), received=len(replies), rtt_ns=spread(times))


def spread(times: Iterable[int]) -> Spread | None:
    """Return minimum, median and maximum; None of nothing."""
    known = list(times)
    return Spread(min=min(known), median=int(median(known)), max=max(known)) if known else None


def judge(
    recording: Recording,
    tracks: Tracks,
    paths: tuple[Path, ...],
    names: NameReport | None,
    *,
    stop: Stop | None,
    drop: FittingReason | None,
) -> Verdict:
    """Return the verdict of a recording; `stop` and `drop` are the rule and the kernel's reason that were found."""
    plan = recording.plan
    if plan.obstacle is not None:
        return Verdict(outcome=Outcome.UNRESOLVED, summary=plan.obstacle)
    if names is not None and (plan.question.names_only or (recording.lookup and recording.lookup.cut_short)):
        from inspector.correlate.name_report import judge_names

        return judge_names(recording, names)
    ending = _answered(recording) if plan.question.port is None else judge_port(recording, paths)
    if ending is not None and ending.outcome is Outcome.DELIVERED:
        summary = _stopped_in_part(ending.summary, stop)
        return Verdict(ending.outcome, summary, last_seen=last_of(paths), never_seen=())
    by_rule = _by_rule(recording, paths, stop, drop)
    if by_rule is not None:
        return by_rule
    if ending is not None:
        return stopped(ending.outcome, ending.summary, recording, paths, reason=ending.reason)
    return _not_delivered(recording, tracks, paths, drop)


def _answered(recording: Recording) -> Ending | None:
    """Say that echoes were answered, where any was."""
    statistics = count(recording)
    summary = say("{received} of {sent} answered", received=statistics.received, sent=statistics.sent)
    return Ending(Outcome.DELIVERED, _by_another(recording.plan, summary)) if statistics.received else None


def _stopped_in_part(said: str, stop: Stop | None) -> str:
    """Say of a run in which others were answered which rule stopped one, such as a limit of packets."""
    if stop is None:
        return said
    known = {"said": said, "sequence": stop.path.sequence, "where": stop.summary}
    if stop.path.direction is Direction.REPLY:
        return say("{said}; the answer to probe {sequence} was dropped {where}", **known)
    return say("{said}; probe {sequence} was dropped {where}", **known)


def _not_delivered(
    recording: Recording, tracks: Tracks, paths: tuple[Path, ...], drop: FittingReason | None
) -> Verdict:
    """No rule is known to have stopped it: find what else did."""
    plan = recording.plan
    refused = [each for each in recording.probes if isinstance(each, Failed)]
    if refused and not count(recording).sent and (left := last_of(paths)):
        return _not_handed_over(left, refused[0], recording, paths)
    if refused and not count(recording).sent:
        why = _refusal(refused[0], plan.destination.address)
        summary = say("{source} did not send it: {why}", source=plan.source.label, why=why)
        return Verdict(Outcome.DROPPED, summary, reason=refused[0].why)
    if not recording.probes or all(isinstance(each, NotSent) for each in recording.probes):
        return Verdict(Outcome.UNKNOWN, say("no probe was sent: {why}", why=_nothing_sent(recording)))
    waits_for = _waits_for(recording, tracks)
    if waits_for is not None and not blindness(recording):
        who, link = waits_for
        told = any(not each.asks and each.target == who for each in tracks.resolving)
        answer = say("nobody answered for {address} on {point}", address=who, point=link)
        if told:
            answer = say("an answer for {address} did not come to {point}", address=who, point=link)
        summary = say("{said}: the packet waits for a MAC address and never leaves", said=answer)
        verdict = stopped(Outcome.DROPPED, summary, recording, paths, reason="neighbour unanswered")
        stop = discovery_stop(recording, tracks, who)
        return replace(verdict, rule=stop.rule) if stop else verdict
    rejected = _refusals(recording)
    if rejected:
        summary = say(
            "somebody on the way to {destination} said no: {answer}",
            destination=plan.destination.label,
            answer=rejected[0].answer,
        )
        verdict = stopped(Outcome.REJECTED, summary, recording, paths, reason=rejected[0].answer)
        found = _counted(recording, paths)
        return replace(verdict, summary=join("; ", (summary, found.summary)), rule=found.rule) if found else verdict
    return _with_counters(recording, paths, silence(recording, paths, drop))


def _with_counters(recording: Recording, paths: tuple[Path, ...], verdict: Verdict) -> Verdict:
    """Where nothing else is known, a legacy rule whose counter rose is likely to have dropped it."""
    silent = verdict.outcome in {Outcome.LOST, Outcome.UNANSWERED} or verdict.reason == NETFILTER
    found = _counted(recording, paths) if silent else None
    if found is None:
        return verdict
    summary = join("; ", (verdict.summary, found.summary))
    return replace(verdict, outcome=Outcome.DROPPED, summary=summary, rule=found.rule)


def _counted(recording: Recording, paths: tuple[Path, ...]) -> "Comparison | None":
    from inspector.correlate.legacy_rules import compare_counters

    return compare_counters(recording, paths)


def _refusals(recording: Recording) -> list[Answered]:
    return [each for each in recording.probes if isinstance(each, Answered) and each.answer != "reply"]


def _by_rule(
    recording: Recording, paths: tuple[Path, ...], stop: Stop | None, drop: FittingReason | None
) -> Verdict | None:
    """Name the rule, where one is known; with an answer of its own it rejected, without it dropped."""
    rejected = _refusals(recording)
    stop = find_rejection(recording, paths) if rejected else stop
    if stop is None:
        return None
    if rejected:
        answer = rejected[0].answer
        verdict = stopped(
            Outcome.REJECTED, say("{said}: {answer}", said=stop.summary, answer=answer), recording, paths, reason=answer
        )
    else:
        summary: str = stop.summary
        if stop.path.direction is Direction.REPLY:
            summary = say("the answer, {where}", where=summary)
        # Another reason is another copy's: a promiscuous bridge drops the one it takes in itself.
        reason = NETFILTER if drop and drop.reason == NETFILTER else None
        verdict = stopped(Outcome.DROPPED, summary, recording, paths, reason=reason)
    return replace(verdict, rule=stop.rule)


def _by_another(plan: Plan, said: str) -> str:
    """Say so where the answer is the source's own: its stack has the destination's address, too."""
    own, theirs = plan.source.sandbox, plan.destination.sandbox
    if plan.kind is not PathKind.LOOPBACK or theirs in {None, own}:
        return said
    return say(
        "{said} by {own} itself: it has the address {address}, too, and {theirs} was never asked",
        said=said,
        own=own,
        address=plan.destination.address,
        theirs=theirs,
    )


def _refusal(refused: Failed, target: str | None) -> str:
    """Say what the source's own stack means by the errno of sendto(2)."""
    match refused.errno:
        case errno.ENETUNREACH:
            return say("its routing table has no route to {target}", target=target)
        case errno.EHOSTUNREACH:
            return say("it found no way to {target}", target=target)
        case errno.EACCES:
            return say("its routing table forbids {target}", target=target)
        case errno.EPERM:
            return say("a firewall rule in its own network stack refused the packet")
        case errno.EMSGSIZE:
            return say("the packet is larger than its way carries, and may not be cut up")
        case errno.EADDRNOTAVAIL:
            return say("it does not have the address to send from")
    return refused.why


def _not_handed_over(left: CapturePoint, refused: Failed, recording: Recording, paths: tuple[Path, ...]) -> Verdict:
    """Tell of a packet that left its stack, and then the device reported that it could not pass it on.

    A veth reports so where its peer takes no frame of that size: sendto(2) fails with ENOBUFS (measured, Linux 6.18).
    """
    summary = say("it left by {point}, which could not hand it over: {why}", point=left, why=refused.why)
    return stopped(Outcome.DROPPED, summary, recording, paths, reason=refused.why)


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


def _nothing_sent(recording: Recording) -> str:
    reasons = [each.why for each in recording.probes if isinstance(each, NotSent)]
    if recording.interrupted:
        return say("interrupted")
    if recording.departed:
        return say("{parties} went away", parties=", ".join(recording.departed))
    return reasons[0] if reasons else say("the run ended before")
