"""Who shares a medium with whom: macvlan and ipvlan links on top of one parent (linux/if_link.h). Pure.

1. Macvlan links in mode `bridge` reach each other; those in `private`, `vepa` and `passthru` send everything out by the
   parent (drivers/net/macvlan.c: macvlan_queue_xmit).
2. Ipvlan links reach each other in every mode (drivers/net/ipvlan/ipvlan_core.c).
3. Between a link and the stack that has its parent nothing passes, either way.
"""

from ipaddress import ip_address

from inspector.model.topology import SHARING, Link, LinkKey, LinkKind, Topology

_AMONG_THEMSELVES = "bridge"


def has_address(topology: Topology, link: Link, address: str) -> bool:
    """Whether the link has the address: by the kernel, or, where its stack was not entered, by the engine."""
    wanted = ip_address(address)
    if any(each.ip == wanted for each in link.addresses):
        return True
    return any(
        each.link == link.key and address in each.addresses
        for container in topology.containers
        for each in container.endpoints
        if not link.addresses
    )


def sibling_with(topology: Topology, link: Link, address: str) -> Link | None:
    """Return the link beside this one, on the same parent, that takes what is for the address."""
    if link.parent is None or not _is_shared(link):
        return None
    others = [each for each in topology.children(link.parent) if each.key != link.key and _is_shared(each)]
    up = [each for each in others if each.up]
    exact = (each for each in up if has_address(topology, each, address))
    # A stack answers for all its addresses on any link (arp_ignore 0).
    return next(exact, None) or next((each for each in up if _stack_has(topology, each, address)), None)


def child_with(topology: Topology, parent: LinkKey, address: str) -> Link | None:
    """Return the macvlan or ipvlan link on this parent that takes what comes in for the address."""
    children = (each for each in topology.children(parent) if each.up and each.kind in SHARING)
    return next((each for each in children if has_address(topology, each, address)), None)


def _is_shared(link: Link) -> bool:
    return link.kind is LinkKind.IPVLAN or (link.kind is LinkKind.MACVLAN and link.mode == _AMONG_THEMSELVES)


def _stack_has(topology: Topology, link: Link, address: str) -> bool:
    wanted, stack = ip_address(address), topology.sandbox(link.sandbox)
    known = (each.ip for one in (stack.links if stack else ()) for each in one.addresses)
    return not (wanted.is_link_local or wanted.is_loopback) and wanted in known
