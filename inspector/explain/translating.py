"""Tell what connection tracking rewrote, and by which rules. Pure."""

from collections.abc import Iterable, Iterator

from inspector.explain.case import Case
from inspector.model.conntrack import ConntrackEntry
from inspector.model.report import Fact, Rule, Translation
from inspector.model.sentence import join, say
from inspector.model.walk import WHOSE


def translated(case: Case) -> Iterator[Fact]:
    """Yield each kind of translation once, with how many flows had it."""
    kinds: dict[tuple[object, ...], list[Translation]] = {}
    for each in case.translations:
        kinds.setdefault(_kind(each.entry), []).append(each)
    for alike in kinds.values():
        rules = tuple(dict.fromkeys(rule for each in alike for rule in each.rules))
        first = alike[0].entry
        words = told(first)
        if len(alike) > 1:
            words = say("{said}, and {count} more alike", said=words, count=len(alike) - 1)
        if rules:
            words = say("{said}; by {rules}", said=words, rules=join(" and ", map(_named, rules)))
        source = say("conntrack of {sandbox}", sandbox=first.sandbox)
        yield Fact(words, (source, *(each.text for each in rules)))


def told(entry: ConntrackEntry) -> str:
    """Say what an entry makes of a packet."""
    known = {"sandbox": entry.sandbox, "flow": entry.original}
    if not entry.translates:
        return say("conntrack of {sandbox}: {flow} is left as it is", **known)
    return say(
        "conntrack of {sandbox}: {flow} goes on as {onward}, and {answerer} answers",
        onward=entry.onward,
        answerer=entry.reply.ends[0],
        **known,
    )


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
    place = {"position": rule.position, "chain": f"{rule.table} {rule.chain}"}
    if rule.owner not in WHOSE:
        return say("rule {position} of {chain}", **place)
    return say("rule {position} of {chain} ({whose})", whose=WHOSE[rule.owner], **place)
