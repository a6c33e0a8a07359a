"""Decide what to watch and what to send, from the topology and the question alone. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inspector.errors import UsageError
from inspector.model.question import (
    CapturePoint,
    Heading,
    Party,
    PathKind,
    Plan,
    Publication,
    Question,
    Resolution,
    Step,
)
from inspector.model.sentence import say
from inspector.model.topology import HOST, LinkKey, LinkKind, Mode, SandboxId, Topology
from inspector.plan.parties import find_destination, find_source, own_address
from inspector.plan.predict import predict
from inspector.plan.published import Onward, find_publication
from inspector.plan.way import Way, find_way

if TYPE_CHECKING:
    from inspector.model.names import NameReport

MAX_BYSTANDERS = 32
"""Other ports of the bridges watched for flooding; each costs a socket and a small ring."""


def make_plan(topology: Topology, question: Question, names: "NameReport | None" = None) -> Plan:
    """Return the plan; `names` is what the source got when it looked the destination's name up.

    Raises UsageError where the question fits nothing that is there.
    """
    source = find_source(topology, question.source)
    if question.names_only:
        return _nothing_to_probe(topology, question, source, names)
    destination, resolution = find_destination(topology, question, source, names)
    if question.port is None:
        _refuse_same(topology, source, destination)
    obstacle = _obstacle(topology, source, destination)
    if names is not None and resolution.address is None and destination.container is None:
        obstacle = say(
            "{source} cannot resolve {name}: {cause}", source=source.label, name=question.destination, cause=names.why
        )
    if obstacle or source.sandbox is None or destination.address is None:
        return _nothing_to_send(question, source, destination, resolution, obstacle)
    address = destination.address
    sender = _sender(topology, question, source.sandbox, destination)
    request = find_way(topology, source.sandbox, address, destination.scope)
    reply = _way_back(topology, request, destination, sender)
    onward = find_publication(topology, question, source.sandbox, address)
    ends = (source.sandbox, destination.sandbox, onward.publication.sandbox if onward else None)
    ways = (request, reply, *(onward.ways if onward else ()))
    # No other bridge: where br_netfilter translated a frame, a promiscuous bridge also gives it to the host, which
    # routes what would have been switched or kept back (measured on Linux 6.18).
    promiscuous = set() if question.passive else {bridge for way in ways for bridge in way.switched}
    points = _points(topology, ways, ends, promiscuous)
    return Plan(
        question=question,
        source=replace(source, address=sender),
        destination=destination,
        resolution=resolution,
        kind=request.kind,
        family=ip_address(address).version,
        request=_placed(request.steps, points),
        reply=_placed(reply.steps, points),
        beyond=_placed(request.beyond, points),
        barrier=request.barrier,
        points=points,
        neighbours=_unique(
            [
                *([sender] if sender else []),
                address,
                *(hop for way in ways for hop in way.gateways),
                *([onward.publication.address] if onward else []),
            ]
        ),
        passage=request.passage,
        publication=_published(onward, points) if onward else None,
        prediction=predict(
            topology,
            replace(source, address=sender),
            destination,
            request,
            reply,
            protocol=question.protocol,
        ),
    )


def _published(onward: Onward, points: tuple[CapturePoint, ...]) -> Publication:
    there, back = onward.ways
    return replace(onward.publication, request=_placed(there.steps, points), reply=_placed(back.steps, points))


def _refuse_same(topology: Topology, source: Party, destination: Party) -> None:
    if destination.container and destination.container == source.container:
        raise UsageError(
            f"source and destination are the same: {source.label}", "name another container, an address or gateway"
        )
    if source.sandbox == HOST and destination.label == HOST and topology.sandbox(HOST):
        raise UsageError("source and destination are the same: the host", "name a container or an address")


def _obstacle(topology: Topology, source: Party, destination: Party) -> str | None:
    """Say why nothing can be sent, where nothing can."""
    for party in (source, destination):
        container = topology.container(party.container or "")
        if container and not container.running:
            known = {"container": container.name, "state": container.state}
            if party is source:
                return say("{container} is not running ({state}): it has no network stack to send from", **known)
            return say("{container} is not running ({state}): it has no address to probe", **known)
        if container and container.mode is Mode.NONE and party is not source:
            return say("{container} has no network (mode none): it has no address to probe", container=container.name)
        if container and container.shares_with and container.sandbox is None:
            return say(
                "{container} uses the stack of {owner}, which is not running",
                container=container.name,
                owner=container.shares_with,
            )
    if source.sandbox is None:
        return say("the network stack of {sandbox} could not be opened", sandbox=source.label)
    if destination.address is None and destination is not source:
        return say("{destination} has no address", destination=destination.label)
    return None


def _nothing_to_probe(topology: Topology, question: Question, source: Party, names: "NameReport | None") -> Plan:
    """Plan nothing behind a lookup; an obstacle is what keeps the source from looking anything up."""
    address = names.addresses[0] if names and names.addresses else None
    destination = Party(label=question.destination, sandbox=None, address=address)
    mechanism = names.mechanism if names else "unresolved"
    return Plan(
        question=question,
        source=source,
        destination=destination,
        resolution=Resolution(name=question.destination, mechanism=mechanism, address=address),
        kind=PathKind.NO_ROUTE,
        family=question.family or 4,
        obstacle=_obstacle(topology, source, source),
    )


def _nothing_to_send(
    question: Question, source: Party, destination: Party, resolution: Resolution, obstacle: str | None
) -> Plan:
    return Plan(
        question=question,
        source=source,
        destination=destination,
        resolution=replace(resolution, mechanism="unresolved") if destination.address is None else resolution,
        kind=PathKind.NO_ROUTE,
        family=question.family or 4,
        obstacle=obstacle or say("{destination} has no address", destination=destination.label),
    )


def _sender(topology: Topology, question: Question, sandbox: SandboxId, destination: Party) -> str | None:
    if question.source_address is None:
        return own_address(topology, sandbox, destination.address or "", destination.scope)
    stack = topology.sandbox(sandbox)
    try:
        wanted = ip_address(question.source_address.partition("%")[0])
    except ValueError as error:
        raise UsageError(f"{question.source_address!r} is no address", "write it like 172.17.0.2 or fd00::2") from error
    own = {each.ip for link in (stack.links if stack else ()) for each in link.addresses}
    if wanted not in own:
        have = ", ".join(sorted(str(each) for each in own if not each.is_loopback and not each.is_link_local))
        raise UsageError(f"{sandbox} does not have the address {wanted}", f"it has {have or 'none'}")
    return str(wanted)


def _way_back(topology: Topology, request: Way, destination: Party, sender: str | None) -> Way:
    """Find the answer's way by the destination's own routes; where those are unknown, turn the request's round."""
    last = request.steps[-1].point.sandbox if request.steps else None
    arrived = destination.sandbox is not None and last == destination.sandbox
    if arrived and destination.sandbox and sender and request.kind is not PathKind.LOOPBACK:
        near = request.steps[-1].point.link if destination.scope else None
        return find_way(topology, destination.sandbox, sender, near)
    return Way(kind=request.kind, steps=_turned(request), bridges=request.bridges, switched=request.switched)


def _turned(way: Way) -> list[Step]:
    """Read the steps backwards; a packet is routed between the same two points, so the mark moves to the other.

    Into a tunnel it is only forwarded: a bridge then takes a copy in, whichever way the packet goes.
    """
    turned, steps = [], way.steps
    copied = set(way.switched) if way.passage else set()
    for index, step in enumerate(reversed(steps)):
        inward = step.heading is Heading.OUT or step.point.link in copied
        heading = Heading.IN if inward else Heading.OUT
        before = len(steps) - index
        turned.append(Step(point=step.point, heading=heading, routed=before < len(steps) and steps[before].routed))
    return turned


def _points(
    topology: Topology,
    ways: tuple[Way, ...],
    ends: tuple[SandboxId | None, ...],
    promiscuous: set[LinkKey],
) -> tuple[CapturePoint, ...]:
    """Return the points of both ways, every interface of both ends, and the other ports of the bridges."""
    points = {step.point.link: step.point for way in ways for step in way.steps}
    for end in ends if ways[0].kind is not PathKind.LOOPBACK else ends[2:]:
        stack = topology.sandbox(end) if end and end != HOST else None
        for link in stack.links if stack else ():
            if link.up and link.kind is not LinkKind.LOOPBACK:
                points.setdefault(link.key, CapturePoint(link=link.key, interface=link.name))
    bystanders = 0
    for bridge in dict.fromkeys(bridge for way in ways for bridge in way.bridges):
        for port in topology.ports(bridge):
            if port.key not in points and port.up and bystanders < MAX_BYSTANDERS:
                points[port.key] = CapturePoint(link=port.key, interface=port.name)
                bystanders += 1
    return tuple(
        replace(point, promiscuous=key in promiscuous, role=role_of(topology, key)) for key, point in points.items()
    )


def role_of(topology: Topology, key: LinkKey) -> str:
    """Say what a link is to the networks: `port 1 of docker0`, `network mynet`; nothing where it is nothing."""
    link, network = topology.link(key), topology.network_of(key)
    if network:
        return say("network {network}", network=network.name)
    bridge = topology.link(link.bridge) if link else None
    parent = topology.link(link.parent) if link else None
    if link and parent:
        kind = f"{link.kind} ({link.mode})" if link.mode else link.kind.value
        return say("{kind} on {parent}", kind=kind, parent=f"{parent.sandbox}/{parent.name}")
    return say("port {port} of {bridge}", port=link.port, bridge=bridge.name) if link and bridge else ""


def _placed(steps: Iterable[Step], points: tuple[CapturePoint, ...]) -> tuple[Step, ...]:
    """Give each step the very point that will be captured at, promiscuous or not; behind a barrier there is none."""
    by_link = {point.link: point for point in points}
    return tuple(replace(step, point=by_link.get(step.point.link, step.point)) for step in steps)


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))
