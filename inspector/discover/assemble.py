"""Facts become a Topology: all links first, then what they are to each other. Pure.

1. The kernel says what is; the engine says what it is called.
2. Links are created first and related last: only the ports know their bridge, and a peer may be missing.
3. A fact that fits nowhere is left out, never guessed into place.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from msgspec.structs import replace

from inspector.discover.facts import LinkFact, NeighbourFact, StackFact
from inspector.model.sentence import say
from inspector.model.topology import (
    HOST,
    PARENTED,
    SHARING,
    BlindSpot,
    Container,
    Endpoint,
    EngineIdentity,
    FdbEntry,
    Link,
    LinkKey,
    LinkKind,
    Mode,
    Neighbour,
    Network,
    Route,
    Sandbox,
    SandboxId,
    Topology,
)


def assemble(
    *,
    engine: EngineIdentity,
    networks: Iterable[tuple[Network, str | None]],
    containers: Iterable[Container],
    stacks: Iterable[StackFact],
    owners: Mapping[str, SandboxId],
    blind_spots: tuple[BlindSpot, ...] = (),
) -> Topology:
    """Relate what the kernel and the engine said. `owners`: which sandbox each looked-into container is in."""
    stacks = tuple(stacks)
    known = tuple(containers)
    sandboxes = _name_bystanders(tuple(_sandbox(each) for each in stacks), stacks, known)
    sandboxes = _mirror_peers(sandboxes)
    links = {each.id: each.links for each in reversed(sandboxes)}
    placed = tuple(_with_links(each, owners, links) for each in known)
    bridged = (_with_bridge(network, named, sandboxes, placed) for network, named in networks)
    return Topology(
        engine=engine,
        sandboxes=sandboxes,
        networks=tuple(_with_parent(each, placed, sandboxes) for each in bridged),
        containers=placed,
        blind_spots=(*blind_spots, *_far_ends_elsewhere(placed, sandboxes)),
    )


def neighbours_of(sandbox: SandboxId, facts: Iterable[NeighbourFact]) -> tuple[Neighbour, ...]:
    """Say whose neighbour cache these lines are from."""
    return tuple(
        Neighbour(link=LinkKey(sandbox, each.ifindex), address=each.address or "", mac=each.mac, state=each.state)
        for each in facts
    )


def fdb_of(sandbox: SandboxId, facts: Iterable[NeighbourFact]) -> tuple[FdbEntry, ...]:
    """Say which sandbox's bridges these forwarding entries are from."""
    return tuple(
        FdbEntry(
            bridge=LinkKey(sandbox, each.bridge or 0),
            port=LinkKey(sandbox, each.ifindex),
            mac=each.mac or "",
            learned=each.learned,
        )
        for each in facts
    )


def _sandbox(stack: StackFact) -> Sandbox:
    numbers = dict(stack.nsids)
    bridges = {each.ifindex for each in stack.links if each.kind is LinkKind.BRIDGE}
    return Sandbox(
        id=stack.sandbox,
        inode=stack.inode,
        links=tuple(_link(each, stack.sandbox, numbers, bridges) for each in stack.links),
        routes=tuple(
            Route(
                destination=each.destination,
                gateway=each.gateway,
                ifindex=each.ifindex,
                metric=each.metric,
                source=each.source,
                local=each.local,
            )
            for each in stack.routes
        ),
        neighbours=neighbours_of(stack.sandbox, stack.neighbours),
        fdb=fdb_of(stack.sandbox, stack.fdb),
        settings=stack.settings,
        remotes=stack.remotes,
    )


def _link(fact: LinkFact, sandbox: SandboxId, numbers: Mapping[int, SandboxId], bridges: set[int]) -> Link:
    peer_sandbox = sandbox if fact.peer_nsid is None else numbers.get(fact.peer_nsid)
    other = LinkKey(peer_sandbox, fact.peer_ifindex) if peer_sandbox and fact.peer_ifindex else None
    has_parent = fact.kind in PARENTED
    is_peer = not has_parent and fact.tunnel is None
    return Link(
        key=LinkKey(sandbox, fact.ifindex),
        name=fact.name,
        kind=fact.kind,
        up=fact.up,
        running=fact.running,
        mtu=fact.mtu,
        mac=fact.mac,
        addresses=fact.addresses,
        peer_ifindex=fact.peer_ifindex if is_peer else None,
        peer=other if is_peer else None,
        parent=other if has_parent else None,
        mode=fact.mode,
        bridge=LinkKey(sandbox, fact.master) if fact.master in bridges and fact.master else None,
        port=fact.port,
        forwarding=fact.forwarding,
        promiscuity=fact.promiscuity,
        hairpin=fact.hairpin,
        tunnel=fact.tunnel,
        beneath=peer_sandbox if fact.tunnel else None,
    )


def _name_bystanders(
    sandboxes: tuple[Sandbox, ...], stacks: tuple[StackFact, ...], containers: tuple[Container, ...]
) -> tuple[Sandbox, ...]:
    """Give each far end that was only asked for, not entered, the name of the container with its MAC."""
    known = {each.id for each in sandboxes}
    # Two containers may have one MAC: what was not entered belongs to the other one.
    by_mac = {
        each.mac: owner.name
        for owner in containers
        for each in owner.endpoints
        if each.mac and SandboxId(owner.name) not in known
    }
    found: dict[SandboxId, list[Link]] = {}
    for stack in stacks:
        for near, far in stack.bystanders:
            owner = SandboxId(by_mac.get(far.mac, ""))
            if owner:
                peer = LinkKey(stack.sandbox, near)
                found.setdefault(owner, []).append(replace(_link(far, owner, {}, set()), peer=peer))
    return sandboxes + tuple(Sandbox(id=owner, inode=0, links=tuple(links)) for owner, links in found.items())


def _mirror_peers(sandboxes: tuple[Sandbox, ...]) -> tuple[Sandbox, ...]:
    """Fill in at the near end what only the far end knew."""
    back = {link.peer: link.key for each in sandboxes for link in each.links if link.peer}
    present = {link.key for each in sandboxes for link in each.links}

    def mended(link: Link) -> Link:
        if link.kind is not LinkKind.VETH:
            return link
        peer = link.peer if link.peer in present else back.get(link.key)
        return replace(link, peer=peer)

    return tuple(replace(each, links=tuple(mended(link) for link in each.links)) for each in sandboxes)


def _with_bridge(
    network: Network, named: str | None, sandboxes: tuple[Sandbox, ...], containers: tuple[Container, ...]
) -> Network:
    """Find the network's bridge: the device of that name, one that carries its gateway, one its members hang on."""
    host = next((each for each in sandboxes if each.id == HOST), None)
    bridges = [each for each in host.links if each.kind is LinkKind.BRIDGE] if host else []
    gateways = {ip_address(each.gateway) for each in network.subnets if each.gateway}
    found = (
        [each.key for each in bridges if each.name == named]
        or [each.key for each in bridges if gateways & {address.ip for address in each.addresses}]
        or _hung_on(network, sandboxes, containers)
    )
    return replace(network, bridge=found[0] if found else None)


def _hung_on(network: Network, sandboxes: tuple[Sandbox, ...], containers: tuple[Container, ...]) -> list[LinkKey]:
    """Return the bridges that the far ends of the network's members are ports of."""
    links = {link.key: link for each in sandboxes for link in each.links}
    members = [place.link for each in containers for place in each.endpoints if place.network == network.name]
    near = [links[each] for each in members if each in links]
    far = [links[each.peer] for each in near if each.peer in links]
    return [each.bridge for each in far if each.bridge]


def _far_ends_elsewhere(containers: tuple[Container, ...], sandboxes: tuple[Sandbox, ...]) -> Iterable[BlindSpot]:
    """Name each member of a network whose veth pair ends in a namespace that was not opened, and its bridge with it."""
    links = {link.key: link for each in sandboxes for link in each.links}
    for container in containers:
        for place in container.endpoints:
            near = links.get(place.link) if place.link else None
            if near and near.kind is LinkKind.VETH and near.peer is None:
                yield BlindSpot(
                    point=say("{sandbox}/{link}, far end", sandbox=near.sandbox, link=near.name),
                    why=say(
                        "it is in a namespace that was not found, as of a rootless engine or an overlay network: the "
                        "bridge of {network} and what is beyond it are not watched",
                        network=place.network,
                    ),
                )


def _with_parent(network: Network, containers: tuple[Container, ...], sandboxes: tuple[Sandbox, ...]) -> Network:
    """Find the link that the network's members share, where they are macvlan or ipvlan links."""
    members = {end.link for each in containers for end in each.endpoints if end.link and end.network == network.name}
    links = (each for stack in sandboxes for each in stack.links if each.key in members and each.kind in SHARING)
    return replace(network, parent=next((each.parent for each in links if each.parent), None))


def _with_links(
    container: Container, owners: Mapping[str, SandboxId], stacks: Mapping[SandboxId, tuple[Link, ...]]
) -> Container:
    sandbox = owners.get(container.name, container.sandbox)
    place = sandbox or SandboxId(container.name)
    links = stacks.get(place, ())
    mode = Mode.HOST if sandbox == HOST else container.mode
    endpoints = tuple(replace(each, link=_carrier(each, links)) for each in container.endpoints)
    return replace(container, sandbox=sandbox, mode=mode, endpoints=endpoints)


def _carrier(endpoint: Endpoint, links: tuple[Link, ...]) -> LinkKey | None:
    """Find the link with the endpoint's address; a link that was not entered is known by its MAC alone."""
    wanted = {ip_address(each) for each in endpoint.addresses}
    by_address = [each for each in links if wanted & {address.ip for address in each.addresses}]
    by_mac = [each for each in links if endpoint.mac and each.mac == endpoint.mac]
    found = by_address or by_mac
    return found[0].key if found else None
