"""Walk the topology as a packet would: route, switch, cross a veth, and again. Pure.

1. A stack decides by its routes; a bridge by who has the next hop's address.
2. A step is a place where the frame would be seen, in the order in which it passes.
3. Where the walk cannot go on (nobody has the address, a sandbox was not surveyed), it ends; what lies beyond is
   not invented.
4. A macvlan or ipvlan link reaches its siblings directly and all else by its parent's medium; the stack that has the
   parent is no party to it.
5. A link that is down, or a bridge port that does not forward, ends the steps. The walk goes on, to tell what lies
   beyond it.
"""

from ipaddress import ip_address

from msgspec import Struct, field

from inspector.model.question import CapturePoint, Heading, PathKind, Step
from inspector.model.sentence import say
from inspector.model.topology import HOST, PARENTED, SHARING, Link, LinkKey, LinkKind, SandboxId, Topology
from inspector.model.tunnel import Passage
from inspector.plan.parents import child_with, has_address, sibling_with
from inspector.plan.routes import find_route, link_of
from inspector.plan.tunnels import mouth_of

MAX_ROUTERS = 8
"""Routing decisions followed; a loop in the tables must not be one here."""


class Way(Struct):
    """What the walk found."""

    kind: PathKind
    steps: list[Step] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    """Next hops that are not the destination: their ARP belongs to the trace."""
    bridges: list[LinkKey] = field(default_factory=list)
    switched: list[LinkKey] = field(default_factory=list)
    """Bridges that only forward the packet: they show it to a promiscuous socket alone."""
    shared: list[LinkKey] = field(default_factory=list)
    """Parents whose medium the packet went out to by a macvlan or ipvlan link."""
    sibling: bool = False
    """The last link was reached directly from another one on the same parent."""
    passage: Passage | None = None
    """The tunnel that it leaves this node by."""
    beyond: list[Step] = field(default_factory=list)
    barrier: str = ""
    """What ended the steps, where something did: `host/veth7 is down`."""

    @property
    def whole(self) -> list[Step]:
        """The steps, and those beyond the barrier."""
        return [*self.steps, *self.beyond]


def find_way(topology: Topology, start: SandboxId, destination: str, scope: LinkKey | None = None) -> Way:
    """Return the way from a sandbox to an address, by the interface `scope` where it is a link-local one."""
    way = Way(kind=PathKind.NO_ROUTE)
    current: SandboxId | None = start
    # What is for a link-local address is never routed (RFC 4291, 2.5.6).
    for decision in range(1 if scope else MAX_ROUTERS):
        current = _leave(topology, way, current, destination, routed=decision > 0, scope=scope) if current else None
        if current is None:
            break
    if way.whole:
        way.kind = _kind(way, start)
    return way


def _leave(
    topology: Topology, way: Way, sandbox: SandboxId, destination: str, *, routed: bool, scope: LinkKey | None
) -> SandboxId | None:
    """Take one stack's decision and follow the frame to the next stack; None where the walk ends."""
    stack = topology.sandbox(sandbox)
    route = find_route(stack, destination, scope) if stack else None
    if stack is None or route is None:
        return None
    if route.local:
        if not routed:
            _loop_back(way, next((each for each in stack.links if each.kind is LinkKind.LOOPBACK), None))
        return None
    link = link_of(stack, route.ifindex)
    if link is None:
        return None
    next_hop = route.gateway or destination
    if route.gateway:
        way.gateways.append(route.gateway)
    _step(way, link, Heading.OUT, routed=routed)
    return _out_of(topology, way, link, next_hop)


def _out_of(topology: Topology, way: Way, link: Link, next_hop: str) -> SandboxId | None:
    """Follow a frame that left by a link to the stack that takes it."""
    if link.kind is LinkKind.BRIDGE:
        way.bridges.append(link.key)
        return _out_of_bridge(topology, way, link.key, next_hop)
    if link.kind in PARENTED:
        return _by_parent(topology, way, link, next_hop)
    peer = topology.link(link.peer) if link.kind is LinkKind.VETH else None
    return _into(topology, way, peer, next_hop) if peer else None


def _by_parent(topology: Topology, way: Way, link: Link, next_hop: str) -> SandboxId | None:
    """Leave a link on top of another: to a sibling directly, to all others by the parent."""
    sibling = sibling_with(topology, link, next_hop)
    if sibling:
        way.sibling = True
        _step(way, sibling, Heading.IN)
        return sibling.sandbox
    parent = topology.link(link.parent)
    if parent is None:
        return None
    _step(way, parent, Heading.OUT)
    if link.kind in SHARING:
        way.shared.append(parent.key)
    return _out_of(topology, way, parent, next_hop)


def _into(topology: Topology, way: Way, peer: Link, next_hop: str) -> SandboxId | None:
    """Enter the far side of a veth pair: a bridge port, or another stack directly."""
    _step(way, peer, Heading.IN)
    bridge = topology.link(peer.bridge)
    if bridge is None:
        return _taken(topology, way, peer, next_hop) if peer.bridge is None else None
    _bar(way, bridge)
    _bar_port(way, peer)
    way.bridges.append(bridge.key)
    _step(way, bridge, Heading.IN)
    if _is_bridge_s_own(topology, bridge, next_hop):
        return bridge.sandbox
    if child := child_with(topology, bridge.key, next_hop):
        _step(way, child, Heading.IN)
        return child.sandbox
    way.switched.append(bridge.key)
    return _out_of_bridge(topology, way, bridge.key, next_hop)


def _taken(topology: Topology, way: Way, link: Link, next_hop: str) -> SandboxId:
    """Say whose the frame is that came in by a link: a macvlan or ipvlan link's on top of it, or the stack's."""
    child = child_with(topology, link.key, next_hop)
    if child is None:
        return link.sandbox
    _step(way, child, Heading.IN)
    return child.sandbox


def _is_bridge_s_own(topology: Topology, bridge: Link, address: str) -> bool:
    """Whether the stack of the bridge takes what is for the address; a link-local one only by the link that has it."""
    wanted, stack = ip_address(address), topology.sandbox(bridge.sandbox)
    links = (bridge,) if wanted.is_link_local or stack is None else stack.links
    return any(each.ip == wanted for link in links for each in link.addresses)


def _out_of_bridge(topology: Topology, way: Way, bridge: LinkKey, next_hop: str) -> SandboxId | None:
    """Leave through the port behind which the next hop is."""
    for port in topology.ports(bridge):
        far = topology.link(port.peer)
        if far and has_address(topology, far, next_hop):
            _bar(way, port)
            _bar(way, far)
            _bar_port(way, port)
            _step(way, port, Heading.OUT)
            _step(way, far, Heading.IN)
            return far.sandbox
    _into_tunnel(topology, way, bridge, next_hop)
    return None


def _into_tunnel(topology: Topology, way: Way, bridge: LinkKey, next_hop: str) -> None:
    """Leave for another node: what is beyond the link that carries the datagrams cannot be looked at."""
    mouth = mouth_of(topology, bridge, next_hop)
    if mouth is None:
        return
    way.passage = mouth.passage
    _bar_port(way, mouth.link)
    _step(way, mouth.link, Heading.OUT)
    if mouth.uplink:
        way.gateways.append(mouth.next_hop)
        _step(way, mouth.uplink, Heading.OUT)


def _loop_back(way: Way, link: Link | None) -> None:
    if link:
        _step(way, link, Heading.OUT)
        _step(way, link, Heading.IN)
        way.kind = PathKind.LOOPBACK


def _bar(way: Way, link: Link) -> None:
    if not link.up and not way.barrier:
        way.barrier = say("{sandbox}/{link} is down", sandbox=link.sandbox, link=link.name)


def _bar_port(way: Way, port: Link) -> None:
    """Bar a port that takes frames and passes none on: blocked, or still learning (BR_STATE in linux/if_bridge.h)."""
    if not port.forwarding and not way.barrier:
        way.barrier = say("{sandbox}/{port} does not forward", sandbox=port.sandbox, port=port.name)


def _step(way: Way, link: Link, heading: Heading, *, routed: bool = False) -> None:
    _bar(way, link)
    step = Step(point=CapturePoint(link=link.key, interface=link.name), heading=heading, routed=routed)
    (way.beyond if way.barrier else way.steps).append(step)


def _kind(way: Way, start: SandboxId) -> PathKind:
    last = way.whole[-1]
    if way.kind is PathKind.LOOPBACK:
        return PathKind.LOOPBACK
    if way.passage is not None:
        return PathKind.TUNNELLED
    if last.point.sandbox == HOST and last.heading is Heading.OUT and last.point.link not in way.bridges:
        return PathKind.PAST_HOST if way.shared and start != HOST else PathKind.OUTSIDE
    if start == HOST:
        return PathKind.FROM_HOST
    if any(step.routed for step in way.whole):
        return PathKind.ROUTED
    if last.point.sandbox == HOST and not way.switched:
        return PathKind.TO_HOST
    return PathKind.SIBLINGS if way.sibling else PathKind.SWITCHED
