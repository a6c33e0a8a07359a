"""Follow a frame into a VXLAN tunnel: to which node it goes, and by which link of the network beneath. Pure.

1. The tunnel's link has to know the next hop's MAC, and behind which node that is (RFC 7348, 4.1): what the engine told
   it stands in its own neighbour cache and forwarding table. Where that is not so, the walk ends at the bridge.
2. What leaves an encrypted tunnel cannot be told from anything else: nothing is expected of it at the uplink.
3. What carries the datagrams is not followed beyond the first link of the stack that sends them.
"""

from msgspec import Struct

from inspector.model.topology import Link, LinkKey, Sandbox, Topology
from inspector.model.tunnel import Passage
from inspector.plan.routes import find_route, link_of, route_source

ANYBODY = "00:00:00:00:00:00"
"""The MAC of the entry that a VXLAN link goes by where it has none for a frame (ip-link(8), vxlan)."""


class Mouth(Struct, frozen=True):
    """Where a frame enters a tunnel."""

    link: Link
    passage: Passage
    next_hop: str
    """Whose MAC the datagrams are sent to: the node, or a gateway."""
    uplink: Link | None
    """What the datagrams leave by; None where no route is known, or where they are encrypted."""


def mouth_of(topology: Topology, bridge: LinkKey, next_hop: str) -> Mouth | None:
    """Return the tunnel that the bridge has the next hop behind; None where none is known to have it."""
    stack = topology.sandbox(bridge.sandbox)
    for link in topology.ports(bridge):
        node = _node(stack, link, next_hop) if stack and link.tunnel else None
        if node and link.tunnel:
            network = topology.network_of(bridge)
            hidden = link.beneath is None or (network is not None and network.encrypted)
            beneath = topology.sandbox(link.beneath) if link.beneath and not hidden else None
            route = find_route(beneath, node) if beneath else None
            uplink = link_of(beneath, route.ifindex) if beneath and route else None
            own = route_source(beneath, route, node) if beneath and route else None
            passage = Passage(link.tunnel.number, link.tunnel.port, node, own)
            return Mouth(link, passage, (route.gateway if route else None) or node, uplink)
    return None


def _node(stack: Sandbox, link: Link, next_hop: str) -> str | None:
    macs = {each.mac for each in stack.neighbours if each.link == link.key and each.address == next_hop}
    remotes = [each for each in stack.remotes if each.ifindex == link.key.ifindex]
    exact = [each.node for each in remotes if each.mac in macs]
    flooded = [each.node for each in remotes if each.mac == ANYBODY]
    # A frame for a MAC that nobody told it goes to every node of the flood list: one is a way, several are none.
    found = exact or (flooded if len(flooded) == 1 else [])
    return found[0] if found else None
