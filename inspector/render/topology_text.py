"""A topology as a tree: each bridge, its ports, and both ends of each veth pair by number. Pure.

A pair is written as `ip addr` numbers it on either side: `87: veth777eb19 <-> 86: eth0`.
"""

from collections.abc import Iterator

from inspector.model.place import place
from inspector.model.topology import HOST, Container, Link, LinkKind, Mode, Network, Topology
from inspector.render.table import table
from inspector.render.text import NARROW, Paint, Style, indented


def render_text(topology: Topology, *, width: int = NARROW, coloured: bool = False, terminal: int | None = None) -> str:
    """Return the tree; where `terminal` says how many columns there are, rows are folded into them."""
    paint = Paint(coloured=coloured)
    lines = [*_host(topology, width, paint, terminal)]
    bridged = [each for each in topology.networks if each.bridge]
    for network in bridged:
        lines += ["", *_network(topology, network, paint, terminal)]
    for network in topology.networks:
        if network.parent and not network.bridge:
            lines += ["", *_shared(topology, network, paint, terminal)]
    lines += _published(topology, paint)
    lines += _others(topology, width, paint)
    for spot in topology.blind_spots:
        lines += indented(f"{spot.point}: {spot.why}", width, "could not see  ", "  ")
    return "\n".join(lines) + "\n"


def _host(topology: Topology, width: int, paint: Paint, terminal: int | None) -> Iterator[str]:
    yield paint(f"{topology.engine.name} {topology.engine.version}", Style.STRONG)
    host = topology.sandbox(HOST)
    own = [link for link in (host.links if host else ()) if _is_uplink(topology, link)]
    rows = [
        (f"  {each.key.ifindex}: {each.name}", _addresses(each) or "-", f"mtu {each.mtu}", each.mac) for each in own
    ]
    yield "host"
    yield from table(rows, terminal)
    for route in host.routes if host else ():
        if not route.destination.prefixlen and not route.local:
            link = next((each.name for each in (host.links if host else ()) if each.key.ifindex == route.ifindex), "?")
            yield f"  default route: {route.gateway or 'on link'} over {link}"
    forward = {each.name: each.value for each in (host.settings if host else ())}
    told = [f"{name} {value}" for name, value in forward.items() if name.endswith(("ip_forward", "nf-call-iptables"))]
    yield from indented(", ".join(each for each in told), width, "  ")


def _is_uplink(topology: Topology, link: Link) -> bool:
    bridges = {each.bridge for each in topology.networks}
    return link.up and link.bridge is None and link.key not in bridges and link.kind is not LinkKind.VETH


def _network(topology: Topology, network: Network, paint: Paint, terminal: int | None) -> Iterator[str]:
    bridge = topology.link(network.bridge)
    if bridge is None:
        return
    ports = topology.ports(bridge.key)
    kind = f"{network.driver}, internal" if network.internal else network.driver
    state = "" if bridge.running or not ports else "  DOWN" if not bridge.up else "  no carrier"
    yield paint(network.name, Style.STRONG) + f"  {kind}  {_subnets(network)}"
    yield (
        f"  {bridge.key.ifindex}: {bridge.name}  {_addresses(bridge) or 'no address'}  mtu {bridge.mtu}  {bridge.mac}"
        f"  {len(ports)} port{'s' * (len(ports) != 1)}{state}"
    )
    yield from table((_port(topology, network, each) for each in ports), terminal)


def _subnets(network: Network) -> str:
    return ", ".join(f"{each.prefix}{f' gateway {each.gateway}' if each.gateway else ''}" for each in network.subnets)


def _shared(topology: Topology, network: Network, paint: Paint, terminal: int | None) -> Iterator[str]:
    """Show a macvlan or ipvlan network: the parent, and the links on top of it, each by its number."""
    parent = topology.link(network.parent)
    if parent is None:
        return
    members = {end.link for each in topology.containers for end in each.endpoints if end.network == network.name}
    own = [each for each in topology.children(parent.key) if each.key in members or each.sandbox == parent.sandbox]
    kind = f"{network.driver}, internal" if network.internal else network.driver
    yield paint(network.name, Style.STRONG) + f"  {kind}  {_subnets(network)}"
    yield (
        f"  on {parent.key.ifindex}: {parent.name}  {_addresses(parent) or 'no address'}  mtu {parent.mtu}"
        f"  {parent.mac}  {len(own)} link{'s' * (len(own) != 1)}{'' if parent.up else '  DOWN'}"
    )
    yield from table((_child(topology, network, each) for each in own), terminal)


def _child(topology: Topology, network: Network, link: Link) -> tuple[str, ...]:
    state = "" if link.up else " DOWN"
    how = f"{link.kind} {link.mode}".rstrip()
    return (
        f"    {link.key.ifindex}: {link.name}{state}",
        link.sandbox,
        _addresses(link) or "no address",
        how,
        f"{link.mac}{_more(topology, network, link)}",
    )


def _port(topology: Topology, network: Network, port: Link) -> tuple[str, ...]:
    far = topology.link(port.peer)
    near = f"    port {port.port}  {port.key.ifindex}: {port.name}"
    if not port.up:
        near += " DOWN"
    if port.tunnel is not None:
        return (near, *_tunnel(topology, port))
    if far is None:
        return (f"{near} <-> {port.peer_ifindex or '?'}: (not seen)", "", "", "")
    container = topology.container(far.sandbox)
    endpoint = next((each for each in (container.endpoints if container else ()) if each.link == far.key), None)
    addresses = ", ".join(str(each.ip) for each in far.addresses if not each.ip.is_link_local)
    addresses = addresses or ", ".join(endpoint.addresses if endpoint else ()) or "no address"
    return (
        f"{near} <-> {far.key.ifindex}: {far.name}",
        far.sandbox,
        addresses,
        f"{far.mac}{_more(topology, network, far)}",
    )


def _tunnel(topology: Topology, port: Link) -> tuple[str, str, str]:
    """Say where a VXLAN port leads: which nodes have the MACs that it was told of."""
    stack = topology.sandbox(port.sandbox)
    nodes = dict.fromkeys(each.node for each in (stack.remotes if stack else ()) if each.ifindex == port.key.ifindex)
    number, udp = (port.tunnel.number, port.tunnel.port) if port.tunnel else (0, 0)
    return f"VXLAN {number}", ", ".join(nodes) or "no other node", f"UDP {udp}"


def _more(topology: Topology, network: Network, far: Link) -> str:
    """Say what else is to know about the container: its default route, its state, its other networks."""
    container = topology.container(far.sandbox)
    if container is None:
        return ""
    also = [each.network for each in container.endpoints if each.network != network.name]
    words = [f"also on {', '.join(also)}"] if also else []
    stack = topology.sandbox(far.sandbox)
    defaults = [each for each in (stack.routes if stack else ()) if not each.destination.prefixlen and not each.local]
    bridge = topology.link(network.bridge)
    usual = {str(each.ip) for each in (bridge.addresses if bridge else ())}
    here = [each.gateway for each in defaults if each.ifindex == far.key.ifindex and each.gateway]
    words += [f"default via {each}" for each in here if each not in usual]
    if stack and stack.inode and not defaults:
        words.append("no default route")
    if container.state != "running":
        words.append(container.state)
    return f"  ({', '.join(words)})" if words else ""


def _published(topology: Topology, paint: Paint) -> Iterator[str]:
    """Say which ports of the host lead to whom, one in a line: `0.0.0.0:8080 -> web:80/tcp`."""
    ports = sorted(
        ((each.port, each.protocol, each.address, container.name, each.target))
        for container in topology.containers
        for each in container.published
    )
    if ports:
        yield ""
        yield paint("published ports", Style.STRONG)
    for port, protocol, address, name, target in ports:
        yield f"  {place(address, port)} -> {name}:{target}/{protocol}"


def _others(topology: Topology, width: int, paint: Paint) -> Iterator[str]:
    """Everything without a place on a bridge: modes without an own stack, other drivers, what does not run."""
    groups = (
        ("host's own stack", [each.name for each in topology.containers if each.running and each.mode is Mode.HOST]),
        ("no network", [each.name for each in topology.containers if each.running and each.mode is Mode.NONE]),
        (
            "another's stack",
            [f"{each.name} (in {each.shares_with}'s)" for each in topology.containers if _shares(each)],
        ),
        ("other networks", [f"{each.name} ({each.driver})" for each in _unbridged(topology)]),
        ("not running", [f"{each.name} ({each.state})" for each in topology.containers if not each.running]),
    )
    for title, names in groups:
        if names:
            yield ""
            yield paint(title, Style.STRONG)
            yield from indented(", ".join(names), width, "  ")


def _shares(container: Container) -> bool:
    return container.running and container.mode is Mode.SHARED


def _unbridged(topology: Topology) -> list[Network]:
    return [
        each
        for each in topology.networks
        if each.bridge is None and each.parent is None and each.driver not in {"host", "null"}
    ]


def _addresses(link: Link) -> str:
    return ", ".join(str(each) for each in link.addresses if not each.ip.is_link_local)
