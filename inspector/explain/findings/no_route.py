"""The source's own stack has no route to the address.

What: sending fails at once with "Network is unreachable"; no frame leaves.
Why: an internal network has no gateway, mode none has no interface, or a route is missing.
Remedy: give back the default route, or connect the source to a network that has a way there.
"""

import errno
import shlex
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import connect_commands, inside, outward_commands
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
        remedy=_gateway_commands(case) or connect_commands(case) or outward_commands(case),
    )


def _gateway_commands(case: Case) -> tuple[str, ...]:
    """Give a stack the default route that the engine meant it to have, where that is what is missing."""
    plan = case.recording.plan
    stack = case.topology.sandbox(plan.source.sandbox) if plan.source.sandbox else None
    default = [each for each in (stack.routes if stack else ()) if not each.destination.prefixlen and not each.local]
    if stack is None or any(each.destination.version == plan.family for each in default):
        return ()
    for end in case.endpoints(case.source):
        link = case.topology.link(end.link)
        gateway = next((each for each in end.gateways if ip_address(each).version == plan.family), None)
        if link is not None and gateway is not None and link.up and not _is_internal(case, end.network):
            ip = "ip" if plan.family == 4 else "ip -6"  # noqa: PLR2004
            return (inside(case, stack.id, f"{ip} route add default via {gateway} dev {shlex.quote(link.name)}"),)
    return ()


def _is_internal(case: Case, name: str) -> bool:
    network = case.topology.network(name)
    return bool(network and network.internal)
