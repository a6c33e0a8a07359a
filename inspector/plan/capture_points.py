"""Find the capture points that a user's words mean: of containers, of networks, of the host. Pure.

1. A container: its own interfaces, `lo` among them, since that is where names are asked for; the host side of each veth
   pair; the bridges that those are ports of; the parent of a macvlan or ipvlan interface.
2. A network: its bridge, and the same of each member, of the interfaces on that network only.
3. The host: every interface of its own stack.
4. A word keeps meaning the container it meant first, also under another name, and whatever has the name later.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from inspector.errors import UsageError
from inspector.model.naming import find_containers
from inspector.model.question import CapturePoint
from inspector.model.text import safe
from inspector.model.topology import HOST, Container, Link, LinkKind, Mode, Network, SandboxId, Topology


class Wanted(Struct, frozen=True):
    """What is to be captured, by what does not change with a name."""

    containers: frozenset[str] = frozenset()
    """By id."""
    networks: frozenset[str] = frozenset()
    """By id."""
    host: bool = False


def find(words: Iterable[str], containers: Sequence[Container], networks: Sequence[Network]) -> Wanted:
    """Return what the words mean. Raises UsageError where one means nothing, or several things."""
    return _joined(_meaning(word, containers, networks) for word in words)


def find_again(
    words: Iterable[str], before: Wanted, containers: Sequence[Container], networks: Sequence[Network]
) -> Wanted:
    """Return what was meant before, and what the words mean by now."""

    def found() -> Iterator[Wanted]:
        yield before
        for word in words:
            try:
                yield _meaning(word, containers, networks)
            except UsageError:
                continue

    return _joined(found())


def looked_into(wanted: Wanted, containers: Sequence[Container], networks: Sequence[Network]) -> tuple[str, ...]:
    """Return the ids of the containers whose stacks have to be looked into."""
    names = {each.name for each in networks if each.id in wanted.networks}
    return tuple(
        each.id
        for each in containers
        if each.id in wanted.containers or any(place.network in names for place in each.endpoints)
    )


def points_of(topology: Topology, wanted: Wanted, *, passive: bool = False) -> tuple[CapturePoint, ...]:
    """Return the points, each once, bridges last: a frame comes in by a port and by its bridge at one time."""
    links: list[Link] = []
    for container in topology.containers:
        if container.id in wanted.containers and container.running:
            links += _of_container(topology, container)
    for network in topology.networks:
        if network.id in wanted.networks:
            links += _of_network(topology, network)
    if wanted.host:
        links += _up(topology, HOST)
    unique = {each.key: each for each in links}
    return tuple(
        CapturePoint(each.key, each.name, promiscuous=each.kind is LinkKind.BRIDGE and not passive)
        for each in sorted(unique.values(), key=lambda link: link.kind is LinkKind.BRIDGE)
    )


def _meaning(word: str, containers: Sequence[Container], networks: Sequence[Network]) -> Wanted:
    if word == HOST:
        return Wanted(host=True)
    if exact := [each for each in containers if word in {each.name, each.id}]:
        return _container(exact[0])
    if named := [each for each in networks if each.name == word]:
        return _network(named[0])
    found = find_containers(containers, word)
    by_id = [each for each in networks if len(word) > 1 and each.id.startswith(word)]
    if len(found) + len(by_id) == 1:
        return _container(found[0]) if found else _network(by_id[0])
    if found or by_id:
        several = [*(each.name for each in found), *(each.name for each in by_id)][:5]
        raise UsageError(f"{safe(word)!r} could mean {', '.join(several)}", "write more of it")
    raise _unknown(word, containers, networks)


def _unknown(word: str, containers: Sequence[Container], networks: Sequence[Network]) -> UsageError:
    names = [*(each.name for each in containers), *(each.name for each in networks)]
    from difflib import get_close_matches

    nearest = get_close_matches(word, names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else "`dnetsniff ls` shows what there is"
    return UsageError(f"there is no container or network {safe(word)!r}", hint)


def _container(container: Container) -> Wanted:
    return Wanted(containers=frozenset((container.id,)))


def _network(network: Network) -> Wanted:
    if network.driver == "host":
        return Wanted(host=True)
    if network.driver == "null":
        raise UsageError(f"network {network.name} has no interfaces", "name a container or another network")
    return Wanted(networks=frozenset((network.id,)))


def _joined(parts: Iterable[Wanted]) -> Wanted:
    whole = Wanted()
    for each in parts:
        whole = replace(
            whole,
            containers=whole.containers | each.containers,
            networks=whole.networks | each.networks,
            host=whole.host or each.host,
        )
    return whole


def _of_container(topology: Topology, container: Container) -> Iterator[Link]:
    sandbox = HOST if container.mode is Mode.HOST else container.sandbox
    if sandbox is None:
        return
    own = tuple(_up(topology, sandbox))
    yield from own
    if sandbox != HOST:
        for link in own:
            yield from _beside(topology, link)


def _of_network(topology: Topology, network: Network) -> Iterator[Link]:
    for container in topology.containers:
        for endpoint in container.endpoints:
            link = topology.link(endpoint.link) if endpoint.network == network.name and container.running else None
            if link is not None:
                yield link
                yield from _beside(topology, link)
    for key in (network.bridge, network.parent):
        link = topology.link(key)
        if link is not None:
            yield link


def _beside(topology: Topology, link: Link) -> Iterator[Link]:
    """Yield the far end of a veth pair, its bridge, and what a link is on top of."""
    peer = topology.link(link.peer)
    for each in (peer, topology.link(peer.bridge) if peer else None, topology.link(link.parent)):
        if each is not None:
            yield each


def _up(topology: Topology, sandbox: SandboxId) -> Iterator[Link]:
    stack = topology.sandbox(sandbox)
    for link in stack.links if stack else ():
        if link.up:
            yield link
