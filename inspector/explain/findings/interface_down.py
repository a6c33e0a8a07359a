"""A link on the way is down.

What: an interface of the path is administratively down, or its other end is.
Why: somebody set it down; the engine sets all of them up.
Remedy: set it up. In a container its routes went with it; a restart brings those back, too.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, Link


def detect(case: Case) -> Finding | None:
    """Look at the links of both ends and the ports they lead to."""
    if case.verdict.outcome is Outcome.DELIVERED:
        return None
    for link in (*_on_the_way(case), *_links(case)):
        if not link.up:
            return Finding(
                id="interface-down",
                severity=Severity.ERROR,
                confidence=Confidence.CERTAIN,
                title=say("{sandbox}/{link} is down", sandbox=link.sandbox, link=link.name),
                evidence=(say("rtnetlink: {sandbox}/{link} has no IFF_UP", sandbox=link.sandbox, link=link.name),),
                remedy=_remedy(case, link),
            )
    return None


def _remedy(case: Case, link: Link) -> tuple[str, ...]:
    mend = inside(case, link.sandbox, f"ip link set {shlex.quote(link.name)} up")
    return (mend,) if link.sandbox == HOST else (mend, f"{case.command} restart {shlex.quote(link.sandbox)}")


def _on_the_way(case: Case) -> list[Link]:
    """Return what ends the planned way, where something does."""
    places = (case.topology.link(step.point.link) for step in case.recording.plan.beyond)
    return [each for each in places if each]


def _links(case: Case) -> list[Link]:
    found = []
    for sandbox in (case.recording.plan.source.sandbox, case.recording.plan.destination.sandbox):
        stack = case.topology.sandbox(sandbox) if sandbox and sandbox != HOST else None
        for link in stack.links if stack else ():
            peer = case.topology.link(link.peer)
            bridge = case.topology.link(peer.bridge) if peer else None
            found.extend([link, *([peer] if peer else []), *([bridge] if bridge else [])] if peer else [])
    return found
