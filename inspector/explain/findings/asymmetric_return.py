"""The answer takes another interface than the request.

What: the request came in on one interface of a container and its answer went out on another.
Why: the container's routes, not the request, pick the interface for the answer.
Remedy: probe the address on the network both are on, or keep one network.
"""

from inspector.explain.case import Case
from inspector.model.path import Direction
from inspector.model.question import Heading
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.topology import HOST


def detect(case: Case) -> Finding | None:
    """Compare where the destination's stack saw the request come in and the answer go out."""
    sandbox = case.recording.plan.destination.sandbox
    came = _interfaces(case, Direction.REQUEST, Heading.IN)
    went = _interfaces(case, Direction.REPLY, Heading.OUT)
    if sandbox is None or not came or not went or came[0] == went[0]:
        return None
    return Finding(
        id="asymmetric-return",
        severity=Severity.WARNING,
        confidence=Confidence.CERTAIN,
        title=f"{sandbox} got the request on {came[0]} and answered on {went[0]}",
        evidence=(f"request in at {sandbox}/{came[0]}", f"answer out at {sandbox}/{went[0]}"),
        remedy=("ask for its address on a network that the source is on too",),
    )


def _interfaces(case: Case, direction: Direction, heading: Heading) -> list[str]:
    sandbox = case.recording.plan.destination.sandbox
    # On the host a routed packet enters by a port and its bridge; only a container's own interface is meant here.
    container = case.destination is not None and sandbox != HOST
    return [
        hop.point.interface
        for path in case.paths
        if path.direction is direction
        for hop in path.seen
        if container and hop.point.sandbox == sandbox and hop.heading is heading
    ]
