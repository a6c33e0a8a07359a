"""Tell what connection tracking rewrote, and by which rules. Pure."""

from collections.abc import Iterable, Iterator

from inspector.explain.case import Case
from inspector.model.conntrack import ConntrackEntry
from inspector.model.report import Fact, Rule, Translation
from inspector.model.walk import WHOSE


def translated(case: Case) -> Iterator[Fact]:
    """Yield each kind of translation once, with how many flows had it."""
    kinds: dict[tuple[object, ...], list[Translation]] = {}
    for each in case.translations:
        kinds.setdefault(_kind(each.entry), []).append(each)
    for alike in kinds.values():
        rules = tuple(dict.fromkeys(rule for each in alike for rule in each.rules))
        more = f", and {len(alike) - 1} more alike" if len(alike) > 1 else ""
        by = f"; by {' and '.join(map(_named, rules))}" if rules else ""
        first = alike[0].entry
        yield Fact(f"{told(first)}{more}{by}", (f"conntrack of {first.sandbox}", *(each.text for each in rules)))


def told(entry: ConntrackEntry) -> str:
    """Say what an entry makes of a packet."""
    where = f"conntrack of {entry.sandbox}: {entry.original}"
    if not entry.translates:
        return f"{where} is left as it is"
    back = entry.reply.ends[0]
    return f"{where} goes on as {entry.onward}, and {back} answers"


def entries_for(case: Case, flows: Iterable[tuple[str, str]]) -> tuple[ConntrackEntry, ...]:
    """Return the entries of the trace that have these ends, before or after they were rewritten."""
    wanted = set(flows)
    own = case.recording.conntrack.own
    return tuple(each for each in own if {each.original.ends, each.onward.ends} & wanted)


def _kind(entry: ConntrackEntry) -> tuple[object, ...]:
    """Return what flows have in common that differ in the sender's port."""
    one, other = entry.original, entry.onward
    ports = one.destination_port, other.destination_port
    return entry.sandbox, one.source, one.destination, other.source, other.destination, ports


def _named(rule: Rule) -> str:
    whose = f" ({WHOSE[rule.owner]})" if rule.owner in WHOSE else ""
    return f"rule {rule.position} of {rule.table} {rule.chain}{whose}"
