"""Join what connection tracking remembers to the rules that the kernel said it went by. Pure.

A rule is named only where the packet that met it carried the entry's own flow, before or after it was rewritten.
"""

from collections.abc import Iterator, Sequence

from inspector.model.conntrack import ConntrackEntry
from inspector.model.path import Direction, Path, Rewrite, Seen
from inspector.model.recording import Recording
from inspector.model.report import Rule, Translation


def translations(recording: Recording, paths: Sequence[Path]) -> tuple[Translation, ...]:
    """Return the entries that rewrite something, with their rules."""
    return tuple(
        Translation(entry, tuple(dict.fromkeys(_rules(entry, paths))))
        for entry in recording.conntrack.own
        if entry.translates
    )


def rewritten_by_sender(recording: Recording, hop: Seen) -> tuple[Rewrite, ...]:
    """Return what the source's own stack had rewritten of a packet when this hop saw it leave."""
    plan = recording.plan
    for entry in recording.conntrack.own if hop.point.sandbox == plan.source.sandbox else ():
        same = entry.sandbox == plan.source.sandbox and entry.onward.ends == (hop.source, hop.destination)
        if same and entry.translates and entry.original.source == plan.source.address:
            pairs = zip(("source", "destination"), entry.original.ends, entry.onward.ends, strict=True)
            return tuple(Rewrite(field, before, after) for field, before, after in pairs if before != after)
    return ()


def _rules(entry: ConntrackEntry, paths: Sequence[Path]) -> Iterator[Rule]:
    ends = {entry.original.ends, entry.onward.ends}
    for path in paths:
        own = any((hop.source, hop.destination) in ends for hop in path.seen)
        for step in path.walk if own and path.direction is Direction.REQUEST else ():
            for met in step.rules if step.sandbox == entry.sandbox else ():
                if met.translates:
                    place = step.family, step.table, met.chain
                    yield Rule(*place, met.position, met.text, met.owner, sandbox=step.sandbox, handle=met.handle)
