"""A container that is not running has no network stack.

What: the container exists, and none of its processes runs.
Why: its network namespace, interfaces and address went with its last process.
Remedy: start it; its address may be another one then.
"""

import shlex

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look at both ends, the asking one first."""
    for container in (case.source, case.destination):
        if container and not container.running:
            return Finding(
                id="container-not-running",
                severity=Severity.ERROR,
                confidence=Confidence.CERTAIN,
                title=say(
                    "{container} is not running ({state}), so it has no network stack and no address",
                    container=container.name,
                    state=container.state,
                ),
                evidence=(
                    say(
                        "the engine's list of containers: {container} is {state}",
                        container=container.name,
                        state=container.state,
                    ),
                ),
                remedy=(f"{case.command} start {shlex.quote(container.name)}",),
            )
    return None
