"""A published port is carried by the engine's userland proxy.

What: the connection ends on the host, and a second one goes from the host to the container.
Why: the engine's rules leave out what comes from the host's loopback or from its own bridges; its proxy takes that.
On the wire: two connections; the container sees the bridge's own address as its client, not the one that asked.
Remedy: none is needed; a service that has to know its client is asked at the container's own address and port.
"""

from inspector.explain.case import Case
from inspector.explain.translating import entries_for, told
from inspector.model.path import Direction
from inspector.model.place import wanted
from inspector.model.question import Carriage
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST


def detect(case: Case) -> Finding | None:
    """Look for the second connection."""
    publication = case.recording.plan.publication
    seconds = [path for path in case.paths if path.proxied and path.direction is Direction.REQUEST and path.seen]
    if publication is None or publication.carriage is not Carriage.PROXY or not seconds:
        return None
    question, start = case.recording.plan.question, seconds[0].seen[0]
    client = start.source.rpartition(":")[0]
    behind = wanted(publication.container, publication.port, question.protocol)
    asked = next((each.seen[0] for each in case.paths if not each.proxied and each.seen), None)
    flows = [(each.source, each.destination) for each in (asked, start) if each]
    return Finding(
        id="published-port-proxy",
        severity=Severity.NOTE,
        confidence=Confidence.LIKELY,
        title=say(
            "port {port} of the host is carried to {behind} by a proxy: the service sees {client} as its client",
            port=question.port,
            behind=behind,
            client=client,
        ),
        evidence=(
            say(
                "a second connection, {source} to {destination}, first seen at {point}",
                source=start.source,
                destination=start.destination,
                point=start.point,
            ),
            *(told(each) for each in entries_for(case, flows) if each.sandbox == HOST),
        ),
    )
