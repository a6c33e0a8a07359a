"""Find the namespaces that hold a network's bridge and are neither the host's nor a container's, as an overlay's are.

The kernel says that a container's veth pair ends in a namespace, and by which number the container's own knows it. No
process may be in there; the engine keeps it by a mount (nsfs). So the mounts of the engine's process are asked for, and
the kernel which of them that number means. No path is assumed.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from inspector import netns
from inspector.discover.facts import StackFact
from inspector.discover.rtnetlink import Rtnetlink
from inspector.model.topology import HOST, Container, LinkKind, Network, SandboxId

_MOUNT = re.compile(r"^\d+ \d+ \S+ net:\[(\d+)\] (\S+) .* - nsfs ")
"""proc_pid_mountinfo(5): mount, parent, device, root, mount point, options, and the type behind a dash."""
_ESCAPE = re.compile(r"\\([0-7]{3})")


def open_hidden(
    engine_process: Callable[[], int | None],
    known: Mapping[SandboxId, netns.Namespace],
    facts: Iterable[StackFact],
    networks: Iterable[Network],
    containers: Iterable[Container],
) -> dict[SandboxId, netns.Namespace]:
    """Open the namespaces that veth pairs of known sandboxes lead to: by driver and name of the network they carry.

    `engine_process` is asked only where there are any; None is this one. They are the caller's to close. What cannot be
    found is left out.
    """
    wanted = _far_ends(tuple(facts), tuple(networks), tuple(containers))
    if not wanted:
        return {}
    inodes = {each.inode for each in known.values()}
    found: dict[SandboxId, netns.Namespace] = {}
    with ExitStack() as stack:
        candidates = [stack.enter_context(each) for each in mounted(engine_process(), inodes)]
        for sandbox, numbers in wanted.items():
            for number, candidate in netns.enter(known[sandbox].fd, lambda: _numbered(candidates)).items():
                name = numbers.get(number)
                if name is not None and name not in found:
                    found[name] = netns.Namespace(os.dup(candidate.fd), candidate.inode)
    return found


def _far_ends(
    facts: tuple[StackFact, ...], networks: tuple[Network, ...], containers: tuple[Container, ...]
) -> dict[SandboxId, dict[int, SandboxId]]:
    """Return for each sandbox which numbers of namespaces there are of which networks."""
    drivers = {each.name: each.driver for each in networks if each.driver != "bridge"}
    places = {
        address: place.network
        for each in containers
        for place in each.endpoints
        for address in place.addresses
        if place.network in drivers
    }
    found: dict[SandboxId, dict[int, SandboxId]] = {}
    for stack in facts:
        entered = {number for number, _ in stack.nsids}
        for link in stack.links if stack.sandbox != HOST else ():
            network = next((places[str(each.ip)] for each in link.addresses if str(each.ip) in places), None)
            if link.kind is LinkKind.VETH and network and link.peer_nsid is not None and link.peer_nsid not in entered:
                name = SandboxId(f"{drivers[network]} {network}")
                found.setdefault(stack.sandbox, {})[link.peer_nsid] = name
    return found


def _numbered(candidates: Iterable[netns.Namespace]) -> dict[int, netns.Namespace]:
    """Return the candidates that the calling thread's namespace has a number for."""
    with Rtnetlink() as kernel:
        numbers = ((kernel.namespace_number(each.fd), each) for each in candidates)
        return {number: each for number, each in numbers if number is not None}


def mounted(process: int | None, known: set[int]) -> Iterator[netns.Namespace]:
    """Open each network namespace that is mounted where the process can see it, once."""
    place = f"/proc/{process or 'self'}"
    with suppress(OSError):
        for inode, point in _mounts(Path(place, "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")):
            namespace = _opened(f"{place}/root{point}", inode) if inode not in known else None
            if namespace is not None:
                known = known | {inode}
                yield namespace


def _mounts(mountinfo: str) -> Iterator[tuple[int, str]]:
    """Yield inode and mount point of each network namespace that is mounted."""
    for line in mountinfo.splitlines():
        if found := _MOUNT.match(line):
            yield int(found[1]), _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), found[2])


def _opened(path: str, inode: int) -> netns.Namespace | None:
    """Open a namespace, unless something else is there by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_ino == inode:
        return netns.Namespace(descriptor, inode)
    os.close(descriptor)
    return None
