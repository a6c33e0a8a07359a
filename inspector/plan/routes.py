"""Look a destination up in a routing table, as the kernel would without policy rules. Pure.

The local table before the main one, then the longest prefix, then the lowest metric (ip-rule(8), ip-route(8)).
"""

from ipaddress import ip_address

from inspector.model.topology import Interface, Link, LinkKey, Route, Sandbox


def find_route(stack: Sandbox, destination: str, scope: LinkKey | None = None) -> Route | None:
    """Return the route that the kernel would take, or None: network unreachable. `scope` allows one interface alone."""
    wanted = ip_address(destination)
    up = {link.key.ifindex for link in stack.links if link.up and scope in {None, link.key}}
    fitting = [
        route
        for route in stack.routes
        if route.destination.version == wanted.version and wanted in route.destination and route.ifindex in up
    ]
    fitting.sort(key=lambda route: (not route.local, -route.destination.prefixlen, route.metric))
    return fitting[0] if fitting else None


def route_source(stack: Sandbox, route: Route, destination: str) -> str | None:
    """Return the address that a packet on this route would be sent from."""
    if route.local:
        return destination
    if route.source:
        return route.source
    version = ip_address(destination).version
    link = link_of(stack, route.ifindex)
    own = [each for each in (link.addresses if link else ()) if each.version == version]
    near = ip_address(route.gateway or destination)
    own.sort(key=lambda each: (near not in each.network, each.ip.is_link_local))
    return str(own[0].ip) if own else None


def link_of(stack: Sandbox, ifindex: int) -> Link | None:
    """Return the link with this index."""
    return next((each for each in stack.links if each.key == LinkKey(stack.id, ifindex)), None)


def addresses_of(stack: Sandbox | None) -> tuple[Interface, ...]:
    """Return every address of the stack."""
    return tuple(address for link in stack.links for address in link.addresses) if stack else ()
