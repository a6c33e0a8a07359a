"""Look again, when the probes are done, at what they may have changed."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from inspector import netns
from inspector.discover.assemble import fdb_of, neighbours_of
from inspector.discover.kernel import read_caches
from inspector.model.question import Plan
from inspector.model.recording import Aftermath
from inspector.model.topology import HOST, FdbEntry, LinkKey, LinkKind, Neighbour, SandboxId, Topology


def look_again(
    namespaces: Mapping[SandboxId, int], sandboxes: Iterable[SandboxId], bridges: Collection[LinkKey]
) -> Aftermath:
    """Read the caches of the host and of these sandboxes, given descriptors of the namespaces, and these bridges'."""
    fdb: list[FdbEntry] = []
    neighbours: list[Neighbour] = []
    for sandbox in dict.fromkeys((HOST, *sandboxes)):
        if sandbox in namespaces:
            own = [each.ifindex for each in bridges if each.sandbox == sandbox]
            near, forwarding = netns.enter(namespaces[sandbox], partial(read_caches, own))
            neighbours.extend(neighbours_of(sandbox, near))
            fdb.extend(fdb_of(sandbox, forwarding))
    return Aftermath(fdb=tuple(fdb), neighbours=tuple(neighbours))


def bridges_on_the_way(topology: Topology, plan: Plan) -> frozenset[LinkKey]:
    """Return the bridges that the plan watches, or a port of."""
    links = [link for point in plan.points if (link := topology.link(point.link))]
    itself = {each.key for each in links if each.kind is LinkKind.BRIDGE}
    return frozenset(itself | {each.bridge for each in links if each.bridge})
