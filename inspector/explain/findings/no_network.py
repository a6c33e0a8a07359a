"""A container in mode none has a network stack with nothing in it but loopback.

What: the container was started with --network none.
Why: nobody gave it an interface; that is what the mode is for.
Remedy: connect it to a network.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Mode


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        if container and container.running and container.mode is Mode.NONE:
            return Finding(
                id="no-network",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=say(
                    "{container} was started with --network none: it has loopback and nothing else",
                    container=container.name,
                ),
                evidence=(say("the engine: network mode of {container} is none", container=container.name),),
                remedy=(
                    say(
                        "start {container} again without --network none: the engine connects no network to mode none",
                        container=container.name,
                    ),
                ),
            )
    return None
