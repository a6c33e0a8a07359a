"""Who has an address or a MAC on a link: the kernel's word, and the engine's where a stack was not looked into."""

from collections.abc import Iterator
from ipaddress import ip_address

from inspector.model.topology import Link, LinkKey, LinkKind, Topology


def segment_of(topology: Topology, link: Link) -> LinkKey | None:
    """Return the bridge that a link is, hangs on, or is the far end of a port of."""
    if link.kind is LinkKind.BRIDGE:
        return link.key
    if link.bridge:
        return link.bridge
    peer = topology.link(link.peer)
    return peer.bridge if peer else None


def stations_on(topology: Topology, bridge: LinkKey) -> Iterator[Link]:
    """Yield the links that send and take frames of their own on a bridge: itself, and the far ends of its veth ports.

    What is beyond a port of another kind is not known; a bridge may well have the MAC of such a port.
    """
    itself = topology.link(bridge)
    if itself:
        yield itself
    for port in topology.ports(bridge):
        far = topology.link(port.peer) if port.kind is LinkKind.VETH else None
        if far:
            yield far


def macs_for(topology: Topology, bridge: LinkKey, address: str) -> frozenset[str]:
    """Return the MACs that an address should have on a bridge: by the kernels, else by the engine; none if unknown."""
    wanted = ip_address(address)
    known = tuple(stations_on(topology, bridge))
    by_kernel = frozenset(each.mac for each in known if any(own.ip == wanted for own in each.addresses))
    if by_kernel:
        return by_kernel
    network = topology.network_of(bridge)
    return frozenset(
        endpoint.mac
        for container in topology.containers
        if container.running and network
        for endpoint in container.endpoints
        if endpoint.network == network.name and endpoint.mac and address in endpoint.addresses
    )


def holders_of_mac(topology: Topology, bridge: LinkKey, mac: str) -> tuple[Link, ...]:
    """Return the stations of a bridge that have the MAC."""
    return tuple(each for each in stations_on(topology, bridge) if each.mac == mac)


def is_whole(topology: Topology, bridge: LinkKey) -> bool:
    """Whether every station of a bridge is known: behind each port there is a far end that we know the MAC of."""
    return all(port.kind is LinkKind.VETH and topology.link(port.peer) is not None for port in topology.ports(bridge))
