"""Walk the world once: the engine's lists, then the network stacks that matter, then relate them."""

import os
import select
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from inspector import netns
from inspector.discover.assemble import assemble
from inspector.discover.beneath import Refusal, Root, open_root
from inspector.discover.engine_answers import ProcessFact
from inspector.discover.engine_view import EngineView
from inspector.discover.group import is_in_group_of
from inspector.discover.hidden import open_hidden
from inspector.discover.kernel import Extent, read_stacks
from inspector.errors import DepartedError
from inspector.model.naming import find_containers
from inspector.model.sentence import say
from inspector.model.topology import HOST, BlindSpot, Container, Mode, SandboxId, Topology


class Stacks(Struct):
    """The namespaces held open for one run, by descriptor and never by pid, and the processes that own them."""

    namespaces: dict[SandboxId, netns.Namespace] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)
    """A pidfd for each looked-into container: readable when its first process ends."""
    roots: dict[str, Root | Refusal] = field(default_factory=dict)
    """The root directory of each looked-into container; a container that shares a stack has its own root."""
    facts: dict[str, ProcessFact] = field(default_factory=dict)
    """What the engine said of each."""

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
        for root in self.roots.values():
            if isinstance(root, Root):
                root.close()
        self.namespaces.clear()
        self.processes.clear()
        self.roots.clear()
        self.facts.clear()

    def descriptors(self) -> dict[SandboxId, int]:
        """Return the namespace descriptors alone."""
        return {sandbox: namespace.fd for sandbox, namespace in self.namespaces.items()}

    def inhabited(self, topology: Topology) -> dict[SandboxId, int]:
        """Leave out the stacks of containers that have all ended: what their kernel says now is no word about then."""
        ended = {name for name, process in self.processes.items() if select.select([process], [], [], 0)[0]}
        known = [each for each in topology.containers if each.name in self.processes and each.sandbox is not None]
        alive = {each.sandbox for each in known if each.name not in ended}
        gone = {each.sandbox for each in known} - alive - {HOST}
        return {sandbox: fd for sandbox, fd in self.descriptors().items() if sandbox not in gone}


def survey(
    engine: EngineView,
    stacks: Stacks,
    words: Iterable[str] | None = None,
    *,
    extent: Extent | None = None,
    opened: Callable[[], None] = lambda: None,
) -> Topology:
    """Return the world as it is. `words` limits the containers looked into; None means all that run.

    Of the host's stack that is read which may matter to these containers, or what `extent` says. `opened` is called as
    soon as the namespaces are open.
    """
    words = None if words is None else tuple(words)
    view = engine.overview()
    stacks.namespaces[HOST] = host_namespace(engine)
    owners, blind_spots = open_all(engine, _wanted(view.containers, words), stacks)
    opened()
    facts = read_stacks(tuple(stacks.namespaces.items()), extent=extent or _extent(view.containers, words))
    known = (each.network for each in view.networks)
    hidden = open_hidden(engine.peer_pid, stacks.namespaces, facts, known, view.containers)
    stacks.namespaces.update(hidden)
    facts += read_stacks(tuple(stacks.namespaces.items()), hidden) if hidden else ()
    return assemble(
        engine=view.identity,
        networks=((each.network, each.bridge_name) for each in view.networks),
        containers=tuple(_linked(each, stacks) for each in view.containers),
        stacks=facts,
        owners=owners,
        blind_spots=blind_spots,
    )


def host_routes(engine: EngineView) -> list[str]:
    """List the prefixes that the engine's host already has a route for."""
    with host_namespace(engine) as namespace:
        (facts,) = read_stacks(((HOST, namespace),))
    return sorted({str(each.destination) for each in facts.routes if each.destination.prefixlen and not each.local})


def host_namespace(engine: EngineView) -> netns.Namespace:
    """Open the namespace the engine's bridges are in: that of the process behind its socket, not always ours."""
    return namespace_of(engine.peer_pid())


def namespace_of(pid: int | None) -> netns.Namespace:
    """Open the namespace of the engine's process, as its socket tells it; None is another pid namespace's."""
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
    # `8080/tcp` means whoever publishes that port.
    named += [each for each in running if any(f"{one.port}/{one.protocol}" in words for one in each.published)]
    shared = {each.shares_with for each in named if each.mode is Mode.SHARED}
    return tuple(each for each in running if each in named or each.name in shared)


def _extent(containers: tuple[Container, ...], words: Iterable[str] | None) -> Extent:
    """Say how much of the stacks matters: where a word is a name that is still to be looked up, all of it may."""
    if not words:
        return Extent()
    towards = []
    for word in words:
        if word == HOST or "/" in word or find_containers(containers, word):
            continue
        try:
            towards.append(ip_address(word))
        except ValueError:
            return Extent()
    return Extent(everywhere=False, towards=tuple(towards))


def _linked(container: Container, stacks: Stacks) -> Container:
    fact = stacks.facts.get(container.name)
    return replace(container, links=fact.links) if fact is not None and fact.links else container


def open_all(
    engine: EngineView, containers: tuple[Container, ...], stacks: Stacks
) -> tuple[dict[str, SandboxId], tuple[BlindSpot, ...]]:
    """Hold the namespaces and roots of containers open; return the sandbox of each, and which could not be opened."""
    blind_spots: list[BlindSpot] = []
    opened: list[_Opened] = []
    for container, process in zip(containers, engine.processes(containers), strict=True):
        try:
            opened.append(_open(container, process, stacks))
        except DepartedError as error:
            blind_spots.append(BlindSpot(point=container.name, why=error.message))
    owners: dict[str, SandboxId] = {}
    doubted = [each for each in opened if not each.is_the_container]
    now = dict(zip(doubted, engine.processes([each.container for each in doubted]), strict=True)) if doubted else {}
    for each in opened:
        again = now.get(each, each.process)
        if again == each.process:
            owners[each.container.name] = _keep(each, stacks)
        else:
            # The pid was reused between the question and the descriptor; what we hold is somebody else's.
            each.namespace.close()
            why = f"container {each.container.name} {'stopped' if again is None else 'restarted'} while we looked"
            blind_spots.append(BlindSpot(point=each.container.name, why=why))
            _forget_root(each.container, stacks)
    return owners, tuple(blind_spots)


class _Opened(Struct, frozen=True):
    container: Container
    process: ProcessFact
    namespace: netns.Namespace
    is_the_container: bool
    """Whether the kernel says so, and not the engine alone."""


def _open(container: Container, process: ProcessFact | None, stacks: Stacks) -> _Opened:
    """Open what a pid means at the moment. Raises DepartedError where there is none any more."""
    if process is None:
        raise DepartedError(f"container {container.name} stopped while we looked", "start it and ask again")
    pidfd = stacks.processes[container.name] = netns.open_pidfd(process.pid)
    stacks.roots[container.name] = open_root(process.pid)
    namespace = netns.open_of(process.pid)
    return _Opened(container, process, namespace, is_in_group_of(container.id, process.pid, pidfd))


def _forget_root(container: Container, stacks: Stacks) -> None:
    root = stacks.roots[container.name]
    stacks.roots[container.name] = Refusal(say("the container restarted while we looked"))
    if isinstance(root, Root):
        root.close()


def _keep(opened: _Opened, stacks: Stacks) -> SandboxId:
    """Return the sandbox of a container's namespace: a shared stack is held once."""
    container, namespace = opened.container, opened.namespace
    stacks.facts[container.name] = opened.process
    for sandbox, known in stacks.namespaces.items():
        if known.inode == namespace.inode:
            namespace.close()
            return sandbox
    owner = container.shares_with if container.mode is Mode.SHARED and container.shares_with else container.name
    sandbox = SandboxId(owner if owner != HOST else container.id[:12])
    stacks.namespaces[sandbox] = namespace
    return sandbox
