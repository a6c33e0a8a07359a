"""Find the two ends of a question in the topology. Pure; raises UsageError where the words fit nothing."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inspector.errors import UsageError
from inspector.model.naming import find_containers, nearest_names
from inspector.model.question import Party, Question, Resolution
from inspector.model.topology import HOST, SHARING, Container, Link, LinkKey, Mode, SandboxId, Topology
from inspector.plan.link_local import find_link_local, is_scoped
from inspector.plan.routes import addresses_of, find_route, route_source

if TYPE_CHECKING:
    from inspector.model.names import NameReport

GATEWAY = "gateway"


def find_source(topology: Topology, word: str) -> Party:
    """Return who asks. Its address is chosen later, by the route."""
    if word == HOST:
        return Party(label=HOST, sandbox=HOST, address=None)
    container = the_container(topology, word)
    return Party(label=container.name, sandbox=container.sandbox, address=None, container=container.name)


def find_destination(
    topology: Topology, question: Question, source: Party, names: "NameReport | None" = None
) -> tuple[Party, Resolution]:
    """Return who is asked, and the address to probe: the one the source got, where looking the name up gave it one."""
    word = question.destination
    if word == HOST:
        return _host_as_seen_from(topology, source, question)
    if word == GATEWAY:
        return _gateway(topology, source, question)
    if (address := _as_address(word)) is not None:
        if question.family and question.family != _family(address):
            raise UsageError(f"{word} is no IPv{question.family} address", f"leave -{question.family} out")
        if is_scoped(address):
            return find_link_local(topology, source, address)
        return _holder(topology, address), Resolution(name=word, mechanism="address", address=address)
    if names is not None and names.addresses:
        from inspector.plan.preference import preferred

        address = preferred(topology, source, names)[0]
        if question.family:
            address = _of_family(names.addresses, question.family, word) or address
        engines = _engine_addresses(topology, word)
        return _holder(topology, address), Resolution(word, names.mechanism, address, engines)
    if names is not None and not find_containers(topology.containers, word):
        return Party(label=word, sandbox=None, address=None), Resolution(word, "unresolved", None)
    container = the_container(topology, word)
    address = _address_of(topology, container, source, question)
    party = Party(label=container.name, sandbox=container.sandbox, address=address, container=container.name)
    return party, Resolution(name=word, mechanism="engine", address=address)


def is_a_name(topology: Topology, question: Question) -> bool:
    """Whether the destination is something that a program would look up.

    The start of a container's id is not, nor are `host` and `gateway`, and an address only where its name is asked for.
    """
    word = question.destination
    if question.names_only:
        return True
    if word in {HOST, GATEWAY, question.source} or _as_address(word) is not None:
        return False
    found = find_containers(topology.containers, word)
    return not found or any(each.name == word for each in found)


def the_container(topology: Topology, word: str) -> Container:
    """Return the one container the word means. Raises UsageError with the nearest names, or all that fit."""
    found = find_containers(topology.containers, word)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(each.name for each in found[:5])
        raise UsageError(f"{word!r} fits several containers: {names}", "write more of the name or id")
    near = nearest_names(topology.containers, word)
    running = tuple(each.name for each in topology.containers if each.running)[:5]
    hint = f"did you mean {' or '.join(near)}?" if near else f"running: {', '.join(running) or 'none'}"
    raise UsageError(f"there is no container {word!r}", hint)


def own_address(topology: Topology, sandbox: SandboxId, destination: str, scope: LinkKey | None = None) -> str | None:
    """Return the address the sandbox would send from, as its route says."""
    stack = topology.sandbox(sandbox)
    route = find_route(stack, destination, scope) if stack else None
    return route_source(stack, route, destination) if stack and route else None


def _engine_addresses(topology: Topology, name: str) -> tuple[str, ...]:
    """Return every address that the engine's container of exactly this name has."""
    container = topology.container(name)
    if container and container.shares_with:
        container = topology.container(container.shares_with)
    if container is None or not container.running:
        return ()
    return tuple(each for endpoint in container.endpoints for each in endpoint.addresses)


def _address_of(topology: Topology, container: Container, source: Party, question: Question) -> str | None:
    """Choose among the container's addresses: one on a network that the source is on, IPv4 first."""
    if container.mode is Mode.HOST:
        party, _ = _host_as_seen_from(topology, source, question)
        return party.address
    if container.mode is Mode.SHARED and container.shares_with:
        owner = topology.container(container.shares_with)
        container = owner or container
    near = _networks_of(topology, source)
    ordered = sorted(container.endpoints, key=lambda each: each.network not in near)
    addresses = [address for each in ordered for address in each.addresses]
    return _of_family(addresses, question.family, container.name) if container.running else None


def _of_family(addresses: Iterable[str], family: int | None, whose: str) -> str | None:
    """Return the first address of the family; of either, IPv4 first, where none is asked."""
    known = list(addresses)
    for wanted in (family,) if family else (4, 6):
        for address in known:
            if _family(address) == wanted:
                return address
    if family and known:
        raise UsageError(
            f"{whose} has no IPv{family} address", f"leave -{family} out, or give its network an IPv{family} subnet"
        )
    return None


def _networks_of(topology: Topology, source: Party) -> set[str]:
    container = topology.container(source.container or "")
    if container and container.mode is Mode.SHARED and container.shares_with:
        container = topology.container(container.shares_with)
    return {each.network for each in container.endpoints} if container else set()


def _host_as_seen_from(topology: Topology, source: Party, question: Question) -> tuple[Party, Resolution]:
    """Find the host's address as the source sees it: the bridge it hangs on, else the host's first."""
    if source.sandbox == HOST:
        raise UsageError("source and destination are the same: the host", "name a container, an address or gateway")
    stack = topology.sandbox(source.sandbox) if source.sandbox else None
    host = topology.sandbox(HOST)
    bridges: list[str] = []
    for link in stack.links if stack else ():
        bridges += _beside(topology, link)
        peer = topology.link(link.peer)
        bridge = topology.link(peer.bridge) if peer else None
        bridges.extend(str(each.ip) for each in (bridge.addresses if bridge else ()) if not each.ip.is_link_local)
    everywhere = [str(each.ip) for each in addresses_of(host) if not (each.ip.is_loopback or each.ip.is_link_local)]
    address = _of_family([*bridges, *everywhere], question.family, "the host")
    return Party(label=HOST, sandbox=HOST, address=address), Resolution(HOST, "engine", address)


def _beside(topology: Topology, link: Link) -> list[str]:
    """Return the host's addresses on the medium of a macvlan or ipvlan link: its own such links', then the parent's."""
    if link.parent is None or link.kind not in SHARING:
        return []
    parent = topology.link(link.parent)
    own = [each for each in topology.children(link.parent) if each.sandbox == HOST]
    near = [*own, *([parent] if parent and parent.sandbox == HOST else [])]
    return [str(each.ip) for one in near for each in one.addresses if not each.ip.is_link_local]


def _gateway(topology: Topology, source: Party, question: Question) -> tuple[Party, Resolution]:
    stack = topology.sandbox(source.sandbox) if source.sandbox else None
    gateways = [
        f"{each.gateway}%{each.ifindex}" if is_scoped(each.gateway) else each.gateway
        for each in (stack.routes if stack else ())
        if each.gateway and not each.destination.prefixlen
    ]
    if not gateways and stack:
        raise UsageError(
            f"{source.label} has no default gateway", "an internal network has none; name an address or a container"
        )
    address = _of_family(gateways, question.family, f"the gateway of {source.label}")
    if address and is_scoped(address):
        party, resolution = find_link_local(topology, source, address)
        return party, replace(resolution, name=GATEWAY, mechanism="engine")
    party = _holder(topology, address) if address else Party(GATEWAY, None, None)
    return party, Resolution(GATEWAY, "engine", address)


def _holder(topology: Topology, address: str) -> Party:
    """Return the sandbox that has the address, the host before any container; else a party with only the address."""
    wanted = ip_address(address)
    for stack in sorted(topology.sandboxes, key=lambda each: each.id != HOST):
        if wanted.is_loopback:
            break
        if any(each.ip == wanted for each in addresses_of(stack)):
            container = topology.container(stack.id)
            return Party(stack.id, stack.id, address, container.name if container else None)
    return Party(label=address, sandbox=None, address=address)


def _as_address(word: str) -> str | None:
    try:
        return str(ip_address(word))
    except ValueError:
        return None


def _family(address: str) -> int:
    return ip_address(address).version
