"""Facts become a Topology: all links first, then what they are to each other. Pure.

1. The kernel says what is; the engine says what it is called.
2. Links are created first and related last: only the ports know their bridge, and a peer may be missing.
3. A fact that fits nowhere is left out, never guessed into place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address

from inspector.discover.facts import LinkFact, NeighbourFact, StackFact
from inspector.model.topology import (
    HOST,
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
    host = next((each for each in sandboxes if each.id == HOST), None)
    return Topology(
        engine=engine,
        sandboxes=sandboxes,
        networks=tuple(_with_bridge(network, named, host) for network, named in networks),
        containers=tuple(_with_links(each, owners, sandboxes) for each in known),
        blind_spots=blind_spots,
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
    )


def _link(fact: LinkFact, sandbox: SandboxId, numbers: Mapping[int, SandboxId], bridges: set[int]) -> Link:
    peer_sandbox = sandbox if fact.peer_nsid is None else numbers.get(fact.peer_nsid)
    return Link(
        key=LinkKey(sandbox, fact.ifindex),
        name=fact.name,
        kind=fact.kind,
        up=fact.up,
        running=fact.running,
        mtu=fact.mtu,
        mac=fact.mac,
        addresses=fact.addresses,
        peer_ifindex=fact.peer_ifindex,
        peer=LinkKey(peer_sandbox, fact.peer_ifindex) if peer_sandbox and fact.peer_ifindex else None,
        bridge=LinkKey(sandbox, fact.master) if fact.master in bridges and fact.master else None,
        port=fact.port,
        forwarding=fact.forwarding,
        promiscuity=fact.promiscuity,
        hairpin=fact.hairpin,
    )


def _name_bystanders(
    sandboxes: tuple[Sandbox, ...], stacks: tuple[StackFact, ...], containers: tuple[Container, ...]
) -> tuple[Sandbox, ...]:
    """Give each far end that was only asked for, not entered, the name of the container with its MAC."""
    by_mac = {each.mac: owner.name for owner in containers for each in owner.endpoints if each.mac}
    known = {each.id for each in sandboxes}
    found: dict[SandboxId, list[Link]] = {}
    for stack in stacks:
        for near, far in stack.bystanders:
            owner = SandboxId(by_mac.get(far.mac, ""))
            if owner and owner not in known:
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


def _with_bridge(network: Network, named: str | None, host: Sandbox | None) -> Network:
    """Find the network's bridge: the device of that name, else the one that carries its gateway address."""
    bridges = [each for each in host.links if each.kind is LinkKind.BRIDGE] if host else []
    gateways = {ip_address(each.gateway) for each in network.subnets if each.gateway}
    by_name = [each for each in bridges if each.name == named]
    by_address = [each for each in bridges if gateways & {address.ip for address in each.addresses}]
    found = by_name or by_address
    return replace(network, bridge=found[0].key if found else None)


def _with_links(container: Container, owners: Mapping[str, SandboxId], sandboxes: tuple[Sandbox, ...]) -> Container:
    sandbox = owners.get(container.name, container.sandbox)
    place = sandbox or SandboxId(container.name)
    links = next((each.links for each in sandboxes if each.id == place), ())
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
