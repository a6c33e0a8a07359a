"""The source's own stack has no route to the address.

What: sending fails at once with "Network is unreachable"; no frame leaves.
Why: an internal network has no gateway, mode none has no interface, or a route is missing.
Remedy: connect the source to a network that has a way there.
"""

import errno

from inspector.explain.case import Case
from inspector.explain.mending import connect_commands, outward_commands
from inspector.model.recording import Failed
from inspector.model.report import Confidence, Finding, Severity


def detect(case: Case) -> Finding | None:
    """Believe the errno that the source's own stack gave."""
    failed = [each for each in case.recording.probes if isinstance(each, Failed) and each.errno == errno.ENETUNREACH]
    if not failed:
        return None
    plan = case.recording.plan
    internal = [each.network for each in case.endpoints(case.source) if _is_internal(case, each.network)]
    because = f"; {', '.join(internal)} is internal: the engine gives it no gateway" if internal else ""
    return Finding(
        id="no-route",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=f"{plan.source.label} has no route to {plan.destination.address}{because}",
        evidence=(f"sendto in {plan.source.label}: {failed[0].why}", "no frame was seen at any point"),
        remedy=connect_commands(case) or outward_commands(case),
    )


def _is_internal(case: Case, name: str) -> bool:
    network = case.topology.network(name)
    return bool(network and network.internal)
