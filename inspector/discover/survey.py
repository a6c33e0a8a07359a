"""Walk the world once: the engine's lists, then the network stacks that matter, then relate them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from inspector import netns
from inspector.discover.assemble import assemble, fdb_of, neighbours_of
from inspector.discover.engine import Engine
from inspector.discover.facts import StackFact
from inspector.discover.kernel import read_caches, read_stack
from inspector.errors import DepartedError, EngineUnreachableError
from inspector.model.naming import find_containers
from inspector.model.recording import Aftermath
from inspector.model.topology import HOST, BlindSpot, Container, FdbEntry, Mode, Neighbour, SandboxId, Topology


@dataclass(slots=True)
class Stacks:
    """The namespaces held open for one run, by descriptor and never by pid, and the processes that own them."""

    namespaces: dict[SandboxId, netns.Namespace] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)
    """A pidfd for each looked-into container: readable when its first process ends."""

    def __enter__(self) -> Self:
        """Hold them until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of every descriptor, so that no namespace outlives its container on our account."""
        for namespace in self.namespaces.values():
            namespace.close()
        for descriptor in self.processes.values():
            os.close(descriptor)
        self.namespaces.clear()
        self.processes.clear()

    def descriptors(self) -> dict[SandboxId, int]:
        """Return the namespace descriptors alone."""
        return {sandbox: namespace.fd for sandbox, namespace in self.namespaces.items()}


def survey(engine: Engine, stacks: Stacks, words: Iterable[str] | None = None) -> Topology:
    """Return the world as it is. `words` limits the containers looked into; None means all that run."""
    identity = engine.identity()
    networks = engine.networks()
    containers = engine.containers()
    stacks.namespaces[HOST] = host_namespace(engine)
    blind_spots: list[BlindSpot] = []
    owners: dict[str, SandboxId] = {}
    for container in _wanted(containers, words):
        try:
            owners[container.name] = _open(engine, container, stacks)
        except DepartedError as error:
            blind_spots.append(BlindSpot(point=container.name, why=error.message))
    facts = [_read(sandbox, stacks) for sandbox in stacks.namespaces]
    return assemble(
        engine=identity,
        networks=((each.network, each.bridge_name) for each in networks),
        containers=containers,
        stacks=facts,
        owners=owners,
        blind_spots=tuple(blind_spots),
    )


def look_again(stacks: Stacks, sandboxes: Iterable[SandboxId]) -> Aftermath:
    """Read the caches that a probe may have changed."""
    fdb: list[FdbEntry] = []
    neighbours: list[Neighbour] = []
    for sandbox in dict.fromkeys((HOST, *sandboxes)):
        if sandbox in stacks.namespaces:
            near, forwarding = netns.enter(stacks.namespaces[sandbox].fd, read_caches)
            neighbours.extend(neighbours_of(sandbox, near))
            fdb.extend(fdb_of(sandbox, forwarding))
    return Aftermath(fdb=tuple(fdb), neighbours=tuple(neighbours))


def host_routes(engine: Engine) -> list[str]:
    """List the prefixes that the engine's host already has a route for."""
    with Stacks() as stacks:
        stacks.namespaces[HOST] = host_namespace(engine)
        routes = _read(HOST, stacks).routes
    return sorted({str(each.destination) for each in routes if each.destination.prefixlen and not each.local})


def host_namespace(engine: Engine) -> netns.Namespace:
    """Open the namespace the engine's bridges are in: that of the process behind its socket, not always ours."""
    if not engine.is_local:
        raise EngineUnreachableError(
            f"the engine at {engine.api.base_url} is not on this machine, and its interfaces cannot be seen from here",
            "run dnetsniff on that machine",
        )
    pid = engine.peer_pid()
    if pid is None:
        return netns.own()
    try:
        return netns.open_of(pid)
    except DepartedError:
        # The pid is another pid namespace's: we are in a container with the socket mounted.
        return netns.own()


def _wanted(containers: tuple[Container, ...], words: Iterable[str] | None) -> tuple[Container, ...]:
    running = tuple(each for each in containers if each.running)
    words = None if words is None else tuple(words)
    # The engine does not know who has a link-local address; the kernels of all do.
    if words is None or any(word.lower().startswith("fe80:") for word in words):
        return running
    named = [found[0] for word in words if len(found := find_containers(containers, word)) == 1]
    shared = {each.shares_with for each in named if each.mode is Mode.SHARED}
    return tuple(each for each in running if each in named or each.name in shared)


def _open(engine: Engine, container: Container, stacks: Stacks) -> SandboxId:
    """Hold the container's namespace open and return its sandbox: a shared stack is opened once."""
    process = engine.process(container)
    descriptor = netns.open_pidfd(process.pid)
    stacks.processes[container.name] = descriptor
    namespace = netns.open_of(process.pid)
    if engine.process(container) != process:
        # The pid was reused between the question and the descriptor; what we hold is somebody else's.
        namespace.close()
        raise DepartedError(f"container {container.name} restarted while we looked", "ask again")
    for sandbox, known in stacks.namespaces.items():
        if known.inode == namespace.inode:
            namespace.close()
            return sandbox
    owner = container.shares_with if container.mode is Mode.SHARED and container.shares_with else container.name
    sandbox = SandboxId(owner if owner != HOST else container.id[:12])
    stacks.namespaces[sandbox] = namespace
    return sandbox


def _read(sandbox: SandboxId, stacks: Stacks) -> StackFact:
    namespace = stacks.namespaces[sandbox]
    others = {each: known.fd for each, known in stacks.namespaces.items() if each != sandbox}
    return netns.enter(namespace.fd, lambda: read_stack(sandbox, namespace.inode, others))
