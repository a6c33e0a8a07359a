"""A container that uses another container's network stack.

What: both have the same interfaces, addresses and ports.
Why: it was started with --network container:OTHER.
Remedy: none is needed; what is traced is the other's stack.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Mode


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        if container and container.mode is Mode.SHARED:
            return Finding(
                id="shared-sandbox",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=say(
                    "{container} uses the network stack of {shares_with}",
                    container=container.name,
                    shares_with=container.shares_with,
                ),
                evidence=(
                    say(
                        "the engine: network mode of {container} is container:{shares_with}",
                        container=container.name,
                        shares_with=container.shares_with,
                    ),
                ),
            )
    return None
