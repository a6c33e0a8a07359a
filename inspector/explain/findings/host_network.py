"""A container in mode host has no network stack of its own.

What: its interfaces, addresses and firewall are the host's.
Why: it was started with --network host.
Remedy: none is needed; what is traced is the host.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Mode


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        if container and container.mode is Mode.HOST:
            return Finding(
                id="host-network",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=say(
                    "{container} uses the host's own network stack: what was traced is the host",
                    container=container.name,
                ),
                evidence=(say("the engine: network mode of {container} is host", container=container.name),),
            )
    return None
