"""Find the container behind a port of the host, and the way from the host to it. Pure.

The engine carries a published port by a rule that rewrites the destination, or by a proxy that opens a connection of
its own; which of both, a plan cannot know (it depends on the address asked, on who asks and on the engine's settings).
So both ways are watched, and the wire tells.
"""

from ipaddress import ip_address

from msgspec import Struct

from inspector.model.question import Publication, Question
from inspector.model.topology import HOST, Container, Published, SandboxId, Topology
from inspector.plan.routes import addresses_of, find_route, route_source
from inspector.plan.way import Way, find_way


class Onward(Struct, frozen=True):
    """A publication, and the ways from the host to the container and back."""

    publication: Publication
    ways: tuple[Way, Way]


def find_publication(topology: Topology, question: Question, source: SandboxId, address: str) -> Onward | None:
    """Return who is behind the port that is asked for; None where the host does not publish it."""
    if question.port is None or not _is_the_host_s(topology, source, address):
        return None
    for container in topology.containers:
        for each in container.published:
            asked = (each.port, each.protocol) == (question.port, question.protocol)
            if container.running and asked and _takes(each, address):
                return _onward(topology, container, each, address)
    return None


def _is_the_host_s(topology: Topology, source: SandboxId, address: str) -> bool:
    wanted = ip_address(address)
    if wanted.is_loopback:
        return source == HOST
    return any(each.ip == wanted for each in addresses_of(topology.sandbox(HOST)))


def _takes(published: Published, address: str) -> bool:
    bound, asked = ip_address(published.address), ip_address(address)
    return bound == asked or (bound.is_unspecified and bound.version == asked.version)


def _onward(topology: Topology, container: Container, published: Published, asked: str) -> Onward | None:
    """Follow the way to the address that the engine carries the port to: of the network that has the default route.

    It may be of another family than was asked: the proxy takes IPv6 and opens IPv4 where the container has no other.
    """
    addresses = _addresses(topology, container)
    same = [each for each in addresses if ip_address(each).version == ip_address(asked).version]
    if container.sandbox is None or not addresses:
        return None
    address = (same or addresses)[0]
    host = topology.sandbox(HOST)
    route = find_route(host, address) if host else None
    sender = route_source(host, route, address) if host and route else None
    there = find_way(topology, HOST, address)
    back = find_way(topology, container.sandbox, sender) if sender else Way(there.kind)
    return Onward(Publication(container.name, container.sandbox, address, published.target), (there, back))


def _addresses(topology: Topology, container: Container) -> list[str]:
    stack = topology.sandbox(container.sandbox) if container.sandbox else None
    default = {each.ifindex for each in (stack.routes if stack else ()) if not each.destination.prefixlen}
    ends = sorted(container.endpoints, key=lambda each: not (each.link and each.link.ifindex in default))
    return [address for end in ends for address in end.addresses]
