"""The host does not route.

What: the packet reaches the host and is never sent on.
Why: net.ipv4.ip_forward (or the IPv6 one) is 0; something turned it off after the engine had turned it on.
Remedy: turn it on.
"""

from inspector.explain.case import Case
from inspector.model.path import Direction
from inspector.model.question import PathKind
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST

REASON = "IP_INADDRERRORS"
"""What the kernel gives for a packet that is not for it where it does not route IPv4 (ip_error, net/ipv4/route.c)."""


def detect(case: Case) -> Finding | None:
    """Look at the setting where a packet that had to be routed stopped at the host."""
    plan, (name, value) = case.recording.plan, case.forwarding
    stopped = case.verdict.outcome in {Outcome.LOST, Outcome.DROPPED} and case.verdict.last_seen
    at_host = stopped and stopped.sandbox == HOST
    if value != "0" or not at_host or plan.kind not in {PathKind.ROUTED, PathKind.OUTSIDE}:
        return None
    reason = (
        [say("the kernel's drop reason: {reason}", reason=case.verdict.reason)] if case.verdict.reason == REASON else []
    )
    return Finding(
        id="ip-forward-off",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say("the host does not route: {name} is 0", name=name),
        evidence=(
            say("/proc/sys: {name} = 0", name=name),
            say("last seen at {last_seen}", last_seen=case.verdict.last_seen),
            *reason,
            *_consulted(case),
        ),
        remedy=(f"sysctl -w {name}=1",),
    )


def _consulted(case: Case) -> tuple[str, ...]:
    """Return what the host's kernel said about a packet that came in there."""
    asked = case.recording.routing.answers_of(HOST, Direction.REQUEST)
    return tuple(
        say("host: {query}: {answer}", query=each.query, answer=each)
        for each in asked
        if each.query.inbound and each.error
    )
