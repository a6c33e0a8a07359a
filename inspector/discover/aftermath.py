"""Look again, when the probes are done, at what they may have changed."""

from collections.abc import Iterable, Mapping

from inspector import netns
from inspector.discover.assemble import fdb_of, neighbours_of
from inspector.discover.kernel import read_caches
from inspector.model.recording import Aftermath
from inspector.model.topology import HOST, FdbEntry, Neighbour, SandboxId


def look_again(namespaces: Mapping[SandboxId, int], sandboxes: Iterable[SandboxId]) -> Aftermath:
    """Read the caches of the host and of these sandboxes, given descriptors of the namespaces."""
    fdb: list[FdbEntry] = []
    neighbours: list[Neighbour] = []
    for sandbox in dict.fromkeys((HOST, *sandboxes)):
        if sandbox in namespaces:
            near, forwarding = netns.enter(namespaces[sandbox], read_caches)
            neighbours.extend(neighbours_of(sandbox, near))
            fdb.extend(fdb_of(sandbox, forwarding))
    return Aftermath(fdb=tuple(fdb), neighbours=tuple(neighbours))
