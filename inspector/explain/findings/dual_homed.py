"""A container with interfaces on several networks.

What: it has several addresses; a name may give any of them, and routes pick the interface.
Why: docker network connect, or several networks in a Compose file.
Remedy: none is needed where it works; the ladder shows which interface carried what.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination):
        endpoints = case.endpoints(container) if container and container.running else ()
        if container and len(endpoints) > 1:
            where = ", ".join(f"{each.network} {'/'.join(each.addresses) or 'without address'}" for each in endpoints)
            return Finding(
                id="dual-homed",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=f"{container.name} is on {len(endpoints)} networks",
                evidence=(f"the engine: {where}",),
            )
    return None
