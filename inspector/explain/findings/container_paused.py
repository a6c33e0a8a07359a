"""A paused container: its kernel answers ping, its programs answer nothing.

What: the container's processes are frozen.
Why: ICMP echo is answered by the kernel; a TCP service accepts and then stays silent.
Remedy: unpause it.
"""

import shlex

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        if container and container.state == "paused":
            return Finding(
                id="container-paused",
                severity=Severity.WARNING,
                confidence=Confidence.CERTAIN,
                title=say(
                    "{container} is paused: its kernel still answers ping, its programs answer nothing",
                    container=container.name,
                ),
                evidence=(say("the engine's list of containers: {container} is paused", container=container.name),),
                remedy=(f"{case.command} unpause {shlex.quote(container.name)}",),
            )
    return None
