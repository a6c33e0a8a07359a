"""A paused container: its kernel answers ping, its programs answer nothing.

What: the container's processes are frozen.
Why: ICMP echo is answered by the kernel; a TCP service accepts and then stays silent.
Remedy: unpause it.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        if container and container.state == "paused":
            return Finding(
                id="container-paused",
                severity=Severity.WARNING,
                confidence=Confidence.CERTAIN,
                title=f"{container.name} is paused: its kernel still answers ping, its programs answer nothing",
                evidence=(f"the engine's list of containers: {container.name} is paused",),
                remedy=(f"{case.command} unpause {container.name}",),
            )
    return None
