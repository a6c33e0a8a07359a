"""A link on the way is down.

What: an interface of the path is administratively down, or its other end is.
Why: somebody set it down; the engine sets all of them up.
Remedy: set it up.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.topology import HOST, Link


def detect(case: Case) -> Finding | None:
    """Look at the links of both ends and the ports they lead to."""
    if case.verdict.outcome is Outcome.DELIVERED:
        return None
    for link in _links(case):
        if not link.up:
            mend = f"ip link set {link.name} up"
            inside = link.sandbox != HOST
            return Finding(
                id="interface-down",
                severity=Severity.ERROR,
                confidence=Confidence.CERTAIN,
                title=f"{link.sandbox}/{link.name} is down",
                evidence=(f"rtnetlink: {link.sandbox}/{link.name} has no IFF_UP",),
                remedy=(
                    f"nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {link.sandbox}) -n {mend}"
                    if inside
                    else mend,
                ),
            )
    return None


def _links(case: Case) -> list[Link]:
    found = []
    for sandbox in (case.recording.plan.source.sandbox, case.recording.plan.destination.sandbox):
        stack = case.topology.sandbox(sandbox) if sandbox and sandbox != HOST else None
        for link in stack.links if stack else ():
            peer = case.topology.link(link.peer)
            bridge = case.topology.link(peer.bridge) if peer else None
            found.extend([link, *([peer] if peer else []), *([bridge] if bridge else [])] if peer else [])
    return found
