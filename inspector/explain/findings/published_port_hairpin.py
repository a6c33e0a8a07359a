"""A container asks for its own published port, by the host's address.

What: the packet goes to the host, is rewritten, and has to go back out of the very bridge port that it came in by.
Why: a bridge sends nothing back where it came from, unless the port is in hairpin mode; the engine sets that where it
runs without its userland proxy.
On the wire: it comes in by the container's bridge port, and is never seen to leave by it.
Remedy: set the port to hairpin mode, or ask the service at its own address.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.translating import entries_for, told
from inspector.model.place import place
from inspector.model.question import CapturePoint, Carriage, Heading
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST


def detect(case: Case) -> Finding | None:
    """Look for a source that is behind the port it asks for, by way of a translation."""
    plan = case.recording.plan
    publication = plan.publication
    if publication is None or publication.sandbox != plan.source.sandbox:
        return None
    behind = place(publication.address, publication.port)
    came_back = [
        hop
        for path in case.paths
        for hop in path.seen
        if hop.point.sandbox == publication.sandbox and hop.destination == behind and not path.proxied
    ]
    if publication.carriage is Carriage.TRANSLATED and came_back:
        client = came_back[0].source.rpartition(":")[0]
        title = say(
            "{source} asks itself through the host: the service sees {client} as its client",
            source=plan.source.label,
            client=client,
        )
        own = entries_for(case, [(came_back[0].source, came_back[0].destination)])
        evidence = (
            say(
                "it came back at {point}, from {client} to {behind}",
                point=came_back[0].point,
                client=client,
                behind=behind,
            ),
            *map(told, own),
        )
        return _finding(Severity.NOTE, title, evidence)
    return _kept_back(case, behind)


def _kept_back(case: Case, behind: str) -> Finding | None:
    """Look for a packet that came to the host by a port that sends nothing back."""
    plan, verdict, last = case.recording.plan, case.verdict, case.verdict.last_seen
    hops = [hop for path in case.paths for hop in path.seen]
    came = next((hop.point for hop in hops if hop.heading is Heading.IN and _leads_to_source(case, hop.point)), None)
    port = case.topology.link(came.link) if came else None
    if verdict.outcome not in {Outcome.LOST, Outcome.DROPPED} or last is None or came is None or port is None:
        return None
    left = any(hop.point == came and hop.heading is Heading.OUT for hop in hops)
    # The bridge itself sees it where the host has yet to learn who has the address; the port alone otherwise.
    if last.link not in {port.key, port.bridge} or port.bridge is None or left or port.hairpin:
        return None
    title = say(
        "{source} asks itself through the host, and {came} sends nothing back to it",
        source=plan.source.label,
        came=came,
    )
    evidence = (
        say("it came in at {came}, and was last seen at {last_seen}", came=came, last_seen=last),
        say("{came} is not in hairpin mode, and {behind} is behind it", came=came, behind=behind),
    )
    remedy = f"bridge link set dev {shlex.quote(came.interface)} hairpin on"
    return _finding(Severity.ERROR, title, evidence, (remedy,))


def _leads_to_source(case: Case, point: CapturePoint) -> bool:
    """Whether a point is the host's end of a veth pair of the source's."""
    link = case.topology.link(point.link)
    far = link.peer if link else None
    return point.sandbox == HOST and far is not None and far.sandbox == case.recording.plan.source.sandbox


def _finding(severity: Severity, title: str, evidence: tuple[str, ...], remedy: tuple[str, ...] = ()) -> Finding:
    return Finding(
        id="published-port-hairpin",
        severity=severity,
        # That it came back was seen; that the port's mode kept it back is concluded.
        confidence=Confidence.CERTAIN if severity is Severity.NOTE else Confidence.LIKELY,
        title=title,
        evidence=evidence,
        remedy=remedy,
    )
