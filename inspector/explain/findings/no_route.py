"""A stack has no route to the address that it has to send to.

What: sending fails at once with "Network is unreachable", and no frame leaves; or the request arrives, and the
destination has no way back.
Why: an internal network has no gateway, mode none has no interface, or a route is missing.
Remedy: give back the default route, or connect the source to a network that has a way there.
"""

import errno
import shlex
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import connect_commands, inside, outward_commands
from inspector.model.path import Direction
from inspector.model.question import Party
from inspector.model.recording import Failed
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import Container


def detect(case: Case) -> Finding | None:
    """Believe the errno that a stack gave: the source's when it sent, the destination's when it was asked for a way."""
    plan = case.recording.plan
    failed = [each for each in case.recording.probes if isinstance(each, Failed) and each.errno == errno.ENETUNREACH]
    # One whose interfaces went with it has no way anywhere, and never lacked one.
    if failed and plan.source.container not in case.recording.departed:
        said = say("sendto in {source}: {why}", source=plan.source.label, why=failed[0].why)
        unseen = () if case.recording.observations else (say("no frame was seen at any point"),)
        evidence = (said, *unseen)
        return _finding(case, case.source, plan.source, plan.destination.address, evidence)
    for answer in case.recording.routing.answers_of(plan.destination.sandbox, Direction.REPLY):
        stopped = case.verdict.outcome is Outcome.DROPPED and case.verdict.reason == answer.why
        if stopped and answer.error == errno.ENETUNREACH and answer.query.inbound is None:
            evidence = (
                say(
                    "{sandbox}: {query}: {answer}", sandbox=answer.query.sandbox, query=answer.query, answer=answer.why
                ),
                say("no answer left it"),
            )
            return _finding(case, case.destination, plan.destination, plan.source.address, evidence)
    return None


def _finding(
    case: Case, container: Container | None, party: Party, address: str | None, evidence: tuple[str, ...]
) -> Finding:
    internal = [each.network for each in case.endpoints(container) if _is_internal(case, each.network)]
    title = say("{party} has no route to {address}", party=party.label, address=address)
    if party is case.recording.plan.destination:
        title = say("{party} has no route back to {address}", party=party.label, address=address)
    networks = ", ".join(internal)
    return Finding(
        id="no-route",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say("{said}; {networks} is internal: the engine gives it no gateway", said=title, networks=networks)
        if internal
        else title,
        evidence=evidence,
        remedy=_gateway_commands(case, container, party) or connect_commands(case) or outward_commands(case),
    )


def _gateway_commands(case: Case, container: Container | None, party: Party) -> tuple[str, ...]:
    """Give a stack the default route that the engine meant it to have, where that is what is missing."""
    family = case.recording.plan.family
    stack = case.topology.sandbox(party.sandbox) if party.sandbox else None
    default = [each for each in (stack.routes if stack else ()) if not each.destination.prefixlen and not each.local]
    if stack is None or any(each.destination.version == family for each in default):
        return ()
    for end in case.endpoints(container):
        link = case.topology.link(end.link)
        gateway = next((each for each in end.gateways if ip_address(each).version == family), None)
        if link is not None and gateway is not None and link.up and not _is_internal(case, end.network):
            ip = "ip" if family == 4 else "ip -6"  # noqa: PLR2004
            return (inside(case, stack.id, f"{ip} route add default via {gateway} dev {shlex.quote(link.name)}"),)
    return ()


def _is_internal(case: Case, name: str) -> bool:
    network = case.topology.network(name)
    return bool(network and network.internal)
