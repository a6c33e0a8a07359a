"""Decide which routing questions belong to a plan: those that its packets put to the stacks they pass. Pure.

1. The sender of a request or answer is asked as for a packet of its own; a stack that a packet enters, as for one that
   came in by that interface: then the kernel consults its reverse-path filter and its forwarding, too.
2. A bridge that only forwards at layer 2 is asked nothing.
"""

from collections.abc import Iterator

from inspector.model.path import Direction
from inspector.model.question import Heading, PathKind, Plan, Step
from inspector.model.routing import RouteQuery
from inspector.model.topology import SandboxId, Topology


def route_queries(topology: Topology, plan: Plan) -> tuple[RouteQuery, ...]:
    """Return the questions, in the order of the way."""
    mine, theirs = plan.source.address, plan.destination.address
    if theirs is None or plan.source.sandbox is None or plan.kind is PathKind.LOOPBACK:
        return ()
    bound = plan.question.source_address.partition("%")[0] if plan.question.source_address else None
    scope = plan.destination.scope.ifindex if plan.destination.scope else None
    queries = [RouteQuery(Direction.REQUEST, plan.source.sandbox, theirs, bound, scope=scope)]
    # A link-local address means something on one link alone: nobody else is asked about it.
    if scope is None and mine is not None:
        queries += _on_the_way(topology, Direction.REQUEST, plan.request, mine, theirs)
        if plan.destination.sandbox is not None:
            queries.append(RouteQuery(Direction.REPLY, plan.destination.sandbox, mine, theirs))
        queries += _on_the_way(topology, Direction.REPLY, plan.reply, theirs, mine)
    return tuple(dict.fromkeys(queries))


def settings_to_read(topology: Topology, plan: Plan) -> tuple[tuple[SandboxId, str], ...]:
    """Return which settings decide about the plan's packets where they enter a stack, and of the stack itself."""
    wanted: dict[tuple[SandboxId, str], None] = {}
    of_stack = ("net.ipv4.ip_forward",) if plan.family == 4 else ("net.ipv6.conf.all.forwarding",)  # noqa: PLR2004
    per_interface = ("forwarding", "rp_filter") if plan.family == 4 else ("forwarding", "disable_ipv6")  # noqa: PLR2004
    for step in (*plan.request, *plan.reply):
        link = topology.link(step.point.link)
        if link is None or link.bridge is not None:
            continue
        for name in of_stack:
            wanted[step.point.sandbox, name] = None
        for place in ("all", link.name):
            for name in per_interface:
                wanted[step.point.sandbox, f"net/ipv{plan.family}/conf/{place}/{name}"] = None
    return tuple(wanted)


def _on_the_way(
    topology: Topology, direction: Direction, steps: tuple[Step, ...], source: str, destination: str
) -> Iterator[RouteQuery]:
    for index, step in enumerate(steps):
        link = topology.link(step.point.link)
        after = steps[index + 1] if index + 1 < len(steps) else None
        routed = after is not None and after.routed and after.point.sandbox == step.point.sandbox
        arrived = after is None and not step.point.promiscuous
        if step.heading is Heading.IN and link and link.bridge is None and (routed or arrived):
            yield RouteQuery(direction, step.point.sandbox, destination, source, inbound=link.key, interface=link.name)
