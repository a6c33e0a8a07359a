"""Walk the world once to show it: every stack, and nothing of what only a trace needs.

1. Caches, processes and files are left alone.
2. The engine is asked for its lists, and for those containers alone whose stacks the kernel does not tell apart.
"""

from inspector.discover.assemble import assemble
from inspector.discover.engine_view import EngineView
from inspector.discover.hidden import open_hidden
from inspector.discover.kernel import Extent, read_stacks
from inspector.discover.mounted import Mounted, lead_elsewhere
from inspector.discover.survey import Stacks, open_all
from inspector.model.topology import HOST, Topology


def glance(engine: EngineView, stacks: Stacks, likely: int | None = None) -> Topology:
    """Return the world as it is, without neighbours, forwarding tables, and what only a process or its files tell.

    `likely` is whom to take for the engine's process until the engine is reached.
    """
    extent = Extent(caches=False)
    mounted = _mounted(engine, likely, extent)
    try:
        view = engine.overview()
    except BaseException:
        mounted.close()
        raise
    containers, stacks.namespaces[HOST] = view.containers, mounted.host
    found = mounted.taken_by(containers)
    stacks.namespaces.update((sandbox, namespace) for sandbox, (namespace, _) in found.items())
    facts = {sandbox: fact for sandbox, (_, fact) in found.items()}
    rest = tuple(each for each in containers if each.running and each.name not in facts)
    owners, blind_spots = open_all(engine, rest, stacks)
    everyone = tuple(stacks.namespaces.items())
    unread = {each for each in stacks.namespaces if each not in facts} | lead_elsewhere(facts.values())
    facts.update((each.sandbox, each) for each in read_stacks(everyone, unread, Extent(caches=bool(blind_spots))))
    hidden = open_hidden(
        engine.peer_pid, stacks.namespaces, facts.values(), (each.network for each in view.networks), containers
    )
    stacks.namespaces.update(hidden)
    more = read_stacks(tuple(stacks.namespaces.items()), hidden, extent) if hidden else ()
    return assemble(
        engine=view.identity,
        networks=((each.network, each.bridge_name) for each in view.networks),
        containers=containers,
        stacks=(*(facts[each] for each in stacks.namespaces if each in facts), *more),
        owners={**{name: name for name in found}, **owners},
        blind_spots=blind_spots,
    )


def _mounted(engine: EngineView, likely: int | None, extent: Extent) -> Mounted:
    """Read what the likely process keeps, while the engine is asked; and again where the engine is another one."""
    guessed = Mounted(likely, extent) if likely is not None else None
    try:
        process = engine.peer_pid()
    except BaseException:
        if guessed is not None:
            guessed.close()
        raise
    if guessed is not None and process == likely:
        return guessed
    if guessed is not None:
        guessed.close()
    return Mounted(process, extent)
