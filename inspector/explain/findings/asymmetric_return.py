"""The answer takes another interface than the request.

What: the request came in on one interface of a container and its answer went out on another.
Why: the container's routes, not the request, pick the interface for the answer; a default route moves with every
network that a container is connected to.
On the wire: request in on one interface, answer out on the other; what is between may drop it for its source
(rp_filter) or as a packet of no connection it knows.
Remedy: ask for its address on a network that both are on; or a table for each address, so that an answer leaves where
its request came in.
"""

import shlex
from collections.abc import Iterator
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.path import Direction
from inspector.model.question import Heading
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, Link, Sandbox, SandboxId

TABLE = 1000
"""Routing tables from here on are made for the addresses; only 253 to 255 are taken (ip-route(8))."""


def detect(case: Case) -> Finding | None:
    """Compare where the destination's stack saw the request come in and the answer go out."""
    sandbox = case.recording.plan.destination.sandbox
    came = _interfaces(case, Direction.REQUEST, Heading.IN)
    went = _interfaces(case, Direction.REPLY, Heading.OUT)
    if sandbox is None or not came or not went or came[0] == went[0]:
        return None
    return Finding(
        id="asymmetric-return",
        severity=Severity.WARNING,
        confidence=Confidence.CERTAIN,
        title=say(
            "{sandbox} got the request on {came} and answered on {went}", sandbox=sandbox, came=came[0], went=went[0]
        ),
        evidence=(
            say("request in at {sandbox}/{came}", sandbox=sandbox, came=came[0]),
            say("answer out at {sandbox}/{went}", sandbox=sandbox, went=went[0]),
            *_consulted(case, sandbox),
        ),
        remedy=_shared_address(case) or _own_table(case, sandbox, came[0]),
    )


def _interfaces(case: Case, direction: Direction, heading: Heading) -> list[str]:
    sandbox = case.recording.plan.destination.sandbox
    # On the host a routed packet enters by a port and its bridge; only a container's own interface is meant here.
    container = case.destination is not None and sandbox != HOST
    return [
        hop.point.interface
        for path in case.paths
        if path.direction is direction
        for hop in path.seen
        if container and hop.point.sandbox == sandbox and hop.heading is heading
    ]


def _consulted(case: Case, sandbox: SandboxId) -> Iterator[str]:
    """Yield what the destination's kernel said about the answer, and the policy rules it went by."""
    routing = case.recording.routing
    for each in routing.answers_of(sandbox, Direction.REPLY):
        yield say("{sandbox}: {query}: {answer}", sandbox=sandbox, query=each.query, answer=each)
    special = routing.special_rules(sandbox)
    if special:
        yield say("{sandbox}: ip rule: {rules}", sandbox=sandbox, rules="; ".join(each.text for each in special))
    elif routing.rules:
        yield say("{sandbox}: no policy rule of its own", sandbox=sandbox)


def _shared_address(case: Case) -> tuple[str, ...]:
    """Ask for the address on a network that both are on, where another one was asked for."""
    plan, mine = case.recording.plan, {each.network for each in case.endpoints(case.source)}
    for end in case.endpoints(case.destination):
        if end.network in mine and plan.destination.address not in end.addresses:
            near = [each for each in end.addresses if ip_address(each).version == plan.family]
            if near:
                return (
                    say(
                        "{command}   # its address on {network}",
                        command=f"dnetsniff trace {shlex.quote(plan.source.label)} {near[0]}",
                        network=end.network,
                    ),
                )
    return ()


def _own_table(case: Case, sandbox: SandboxId, interface: str) -> tuple[str, ...]:
    """Write the lines that make answers from this address leave by its interface."""
    stack, address = case.topology.sandbox(sandbox), case.recording.plan.destination.address
    link = next((each for each in stack.links if each.name == interface), None) if stack else None
    own = next((each for each in link.addresses if str(each.ip) == address), None) if link else None
    if stack is None or link is None or own is None:
        return ()
    ip = "ip" if own.version == 4 else "ip -6"  # noqa: PLR2004
    table, device = TABLE + link.key.ifindex, shlex.quote(interface)
    lines = [f"{ip} route add {own.network} dev {device} table {table}"]
    if gateway := _gateway(case, stack, link):
        lines.append(f"{ip} route add default via {gateway} dev {device} table {table}")
    lines.append(f"{ip} rule add from {address} lookup {table}")
    return tuple(inside(case, sandbox, each) for each in lines)


def _gateway(case: Case, stack: Sandbox, link: Link) -> str | None:
    """Return the gateway on the interface's network, by the engine's word or the stack's default route."""
    family = case.recording.plan.family
    told = [one for end in case.endpoints(case.destination) if end.link == link.key for one in end.gateways]
    told += [each.gateway for each in stack.routes if each.gateway and each.ifindex == link.key.ifindex]
    return next((each for each in told if ip_address(each).version == family), None)
