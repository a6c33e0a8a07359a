"""A container with interfaces on several networks.

What: it has several addresses; a name may give any of them, and routes pick the interface.
Why: docker network connect, or several networks in a Compose file.
Remedy: none is needed where it works; the ladder shows which interface carried what.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import target_of
from inspector.explain.mending import networks_of
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import join, say
from inspector.model.topology import Container, Endpoint


def detect(case: Case) -> Finding | None:
    """Look at both ends."""
    for container in (case.source, case.destination or target_of(case)):
        endpoints = case.endpoints(container) if container and container.running else ()
        if container and len(endpoints) > 1:
            where = join(", ", (_place(each) for each in endpoints))
            title = say("{container} is on {count} networks", container=container.name, count=len(endpoints))
            told = _answered(case, container)
            return Finding(
                id="dual-homed",
                severity=Severity.NOTE,
                confidence=Confidence.CERTAIN,
                title=say("{said}; its name was answered with {addresses}", said=title, addresses=told)
                if told
                else title,
                evidence=(say("the engine: {where}", where=where),),
            )
    return None


def _answered(case: Case, container: Container) -> str:
    """Say which of its addresses the name was answered with, and whether the source is on that network."""
    addresses = case.names.addresses if case.names and container is target_of(case) else ()
    mine = networks_of(case, case.source)
    return join(
        ", ",
        (
            say("{address} ({network}, in common)", address=address, network=endpoint.network)
            if endpoint.network in mine
            else say("{address} ({network}, not in common)", address=address, network=endpoint.network)
            for address in addresses
            for endpoint in case.endpoints(container)
            if address in endpoint.addresses
        ),
    )


def _place(endpoint: Endpoint) -> str:
    if not endpoint.addresses:
        return say("{network} without address", network=endpoint.network)
    return f"{endpoint.network} {'/'.join(endpoint.addresses)}"
