"""Find who has a link-local address: it is on one link (RFC 4007), so an interface goes with it. Pure."""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from msgspec.structs import replace

from inspector.errors import UsageError
from inspector.model.question import Party, Resolution
from inspector.model.topology import Link, LinkKind, Topology

MOST_NAMED = 8
"""Interfaces named to somebody who named none."""


def is_scoped(address: str) -> bool:
    """Whether the address needs an interface, or has one: `fe80::1`, `fe80::1%eth0`."""
    parsed = ip_address(address)
    return isinstance(parsed, IPv6Address) and (parsed.is_link_local or parsed.scope_id is not None)


def find_link_local(topology: Topology, source: Party, address: str) -> tuple[Party, Resolution]:
    """Return who has the address on the source's link, and the address. Raises UsageError where no link is meant."""
    bare, _, scope = address.partition("%")
    if not ip_address(bare).is_link_local:
        raise UsageError(f"{bare} is not link-local, so it is not on one interface alone", f"write {bare}")
    stack = topology.sandbox(source.sandbox) if source.sandbox else None
    if stack is None:
        return Party(label=address, sandbox=None, address=bare), Resolution(address, "address", address)
    link = next((each for each in stack.links if scope in {each.name, str(each.key.ifindex)}), None)
    if link is None:
        known = [each.name for each in stack.links if each.kind is not LinkKind.LOOPBACK and each.bridge is None]
        names = ", ".join(known[:MOST_NAMED]) or "none"
        why = f"{source.label} has no interface {scope!r}" if scope else f"{bare} is on one link, and none is named"
        raise UsageError(why, f"write {bare}%{known[0] if known else 'INTERFACE'} ({source.label} has {names})")
    full = f"{bare}%{link.name}"
    holder = next((each for each in _on_the_link(topology, link) if _has(each, bare)), None)
    party = Party(label=full, sandbox=None, address=bare, scope=link.key)
    if holder is not None:
        container = topology.container(holder.sandbox)
        name = container.name if container else None
        party = replace(party, label=holder.sandbox, sandbox=holder.sandbox, container=name)
    return party, Resolution(name=address, mechanism="address", address=full)


def _on_the_link(topology: Topology, link: Link) -> Iterator[Link]:
    """Yield the link, and all that share it: the far end of a veth pair, or a bridge and what hangs on its ports."""
    yield link
    peer = topology.link(link.peer)
    bridge = link if link.kind is LinkKind.BRIDGE else topology.link(peer.bridge) if peer else None
    if bridge is None:
        yield from (peer,) if peer else ()
        return
    yield bridge
    for port in topology.ports(bridge.key):
        far = topology.link(port.peer)
        yield from (far,) if far else ()


def _has(link: Link, address: str) -> bool:
    return any(each.ip == ip_address(address) for each in link.addresses)
