"""A container with interfaces on several networks.

What: it has several addresses; a name may give any of them, and routes pick the interface.
Why: docker network connect, or several networks in a Compose file.
Remedy: none is needed where it works; the ladder shows which interface carried what.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import target_of
from inspector.explain.mending import networks_of
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.topology import Container


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination or target_of(case)):
        endpoints = case.endpoints(container) if container and container.running else ()
        if container and len(endpoints) > 1:
            where = ", ".join(f"{each.network} {'/'.join(each.addresses) or 'without address'}" for each in endpoints)
            return Finding(
                id="dual-homed",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=f"{container.name} is on {len(endpoints)} networks{_answered(case, container)}",
                evidence=(f"the engine: {where}",),
            )
    return None


def _answered(case: Case, container: Container) -> str:
    """Say which of its addresses the name was answered with, and whether the source is on that network."""
    addresses = case.names.addresses if case.names and container is target_of(case) else ()
    mine = networks_of(case, case.source)
    told = [
        f"{address} ({endpoint.network}, {'in common' if endpoint.network in mine else 'not in common'})"
        for address in addresses
        for endpoint in case.endpoints(container)
        if address in endpoint.addresses
    ]
    return f"; its name was answered with {', '.join(told)}" if told else ""
