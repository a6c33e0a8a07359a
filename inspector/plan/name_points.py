"""Choose where to watch while a name is looked up. Pure.

1. The source's loopback: what goes to the embedded DNS is seen there and nowhere else.
2. The source's other interfaces, their far ends and bridges: the proof that nothing left, or where it left.
3. The way to each server that may be asked, from the source and, for what the embedded DNS forwards, from the host.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from inspector.model.dns import is_loopback
from inspector.model.lookup import ResolverSetup
from inspector.model.question import CapturePoint
from inspector.model.topology import HOST, Link, LinkKey, LinkKind, SandboxId, Topology
from inspector.plan.make import role_of
from inspector.plan.way import Way, find_way


def name_points(
    topology: Topology, source: SandboxId, setup: ResolverSetup, *, passive: bool = False
) -> tuple[CapturePoint, ...]:
    """Return the points, the source's own first. Promiscuous on the bridges that would show nothing otherwise."""
    points: dict[LinkKey, CapturePoint] = {}
    switched: set[LinkKey] = set()
    for link in _own(topology, source):
        points.setdefault(link.key, CapturePoint(link=link.key, interface=link.name))
    for way in _ways(topology, source, setup):
        switched |= set(way.switched)
        for step in way.steps:
            points.setdefault(step.point.link, step.point)
    promiscuous = set() if passive else switched
    return tuple(
        replace(point, promiscuous=key in promiscuous, role=role_of(topology, key)) for key, point in points.items()
    )


def servers_of(setup: ResolverSetup) -> tuple[str, ...]:
    """Return every server that may be asked, by the source or on its behalf, without scope."""
    named = (*setup.nameservers.addresses, *(each.address for each in setup.upstreams))
    return tuple(dict.fromkeys(each.partition("%")[0] for each in named))


def _own(topology: Topology, source: SandboxId) -> Iterator[Link]:
    """Yield the source's links, then what each hangs on: the far end of its veth pair and the bridge of that."""
    stack = topology.sandbox(source)
    links = [each for each in (stack.links if stack else ()) if each.up]
    yield from (each for each in links if each.kind is LinkKind.LOOPBACK)
    if source == HOST:
        return
    for link in links:
        if link.kind is LinkKind.LOOPBACK:
            continue
        yield link
        peer = topology.link(link.peer)
        bridge = topology.link(peer.bridge) if peer else None
        yield from (each for each in (peer, bridge) if each and each.up)


def _ways(topology: Topology, source: SandboxId, setup: ResolverSetup) -> Iterator[Way]:
    asked = [(source, each.partition("%")[0]) for each in setup.nameservers.addresses]
    for each in setup.upstreams:
        asked.append((HOST, each.address))
        if not each.from_host:
            asked.append((source, each.address))
    for start, address in dict.fromkeys(asked):
        if start == HOST or not is_loopback(address):
            yield find_way(topology, start, address)
