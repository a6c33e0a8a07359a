"""What the firewalls did to a packet, as lines between two hops of the ladder. Pure.

1. Folded: one line for each hook says which rule let the packet pass; the rule that stopped it has a line of its own.
   Tables that it left by their policy are left out.
2. In full: every rule that matched, in its order.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from inspector.model.path import Path
from inspector.model.sentence import join, say
from inspector.model.walk import POLICY, UNKNOWN, WHOSE, MetRule, WalkStep
from inspector.render.language import spoken
from inspector.render.text import Paint, Style, indented

MARGIN = " " * 4
_LEFT = {
    "accept": say("accepted"),
    "drop": say("dropped"),
    "queue": say("handed to a program"),
    "stolen": say("taken away"),
}


def walk_lines(path: Path, after: int, width: int, paint: Paint, *, verbose: bool = False) -> Iterator[str]:
    """Write what was met behind the hop with this index."""
    steps = (each for each in path.walk if each.after == after)
    for _hook, group in groupby(steps, key=lambda each: (each.sandbox, each.hook)):
        passed = tuple(group)
        if verbose:
            yield from _in_full(passed, width, paint)
        else:
            yield from _folded(passed, width, paint)


def signature(path: Path, *, verbose: bool) -> tuple[object, ...]:
    """Return what makes two packets' walks equal: folded, only what stopped them counts."""
    return path.walk if verbose else tuple((each.after, each.decided) for each in path.stops)


def passing(path: Path) -> tuple[str, ...]:
    """Return which rules let a packet pass, as the folded lines say."""
    return tuple(dict.fromkeys(words for each in path.walk if (words := _passed(each))))


def _folded(steps: tuple[WalkStep, ...], width: int, paint: Paint) -> Iterator[str]:
    # A flooded frame passes once for each of its copies.
    passed = join("; ", dict.fromkeys(words for each in steps if (words := _passed(each))))
    for line in indented(passed, width, MARGIN, MARGIN + "  ") if passed else ():
        yield paint(line, Style.DIM)
    for step in dict.fromkeys(steps):
        for met in step.rules:
            if met.translates:
                yield from _rule(step, met, width, paint, Style.DIM, lead=f"{spoken(say('rewritten by'))} ")
        if _stopped(step) and step.decided:
            yield from _rule(step, step.decided, width, paint, Style.BAD)


def _in_full(steps: Iterable[WalkStep], width: int, paint: Paint) -> Iterator[str]:
    for step in steps:
        for met in step.rules:
            deciding = _stopped(step) and met is step.decided
            yield from _rule(step, met, width, paint, Style.BAD if deciding else Style.DIM)


def _rule(step: WalkStep, met: MetRule, width: int, paint: Paint, style: Style, *, lead: str = "") -> Iterator[str]:
    number = (
        "" if met.position == POLICY else spoken(say("rule {position} of {size}", position=met.position, size=met.size))
    )
    number += "   " if number else ""
    whose = "" if met.owner == UNKNOWN else f"   ({spoken(WHOSE.get(met.owner, met.owner))})"
    place = f"{step.table} {met.chain}   {number}"
    for line in indented(f"{met.text}{whose}", width, f"{MARGIN}{lead}{place}", MARGIN + "  "):
        yield paint(line, style)


def _passed(step: WalkStep) -> str:
    """Say which rule let it pass; nothing where none decided, or where one stopped it."""
    decided = step.decided
    if _stopped(step) or (decided is not None and (decided.position == POLICY or decided.translates)):
        return ""
    base = step.chains[0]
    if decided is None:
        chain = f"{step.table} {' > '.join(step.chains)}"
        return say("{chain}: what became of it is not known", chain=chain) if step.rules else ""
    known = {
        "chain": f"{step.table} {base}",
        "what": _LEFT.get(step.verdict, step.verdict),
        "position": decided.position,
    }
    if decided.chain == base:
        return say("{chain}: {what} by rule {position}", **known)
    return say("{chain}: {what} by rule {position} of {other}", other=decided.chain, **known)


def _stopped(step: WalkStep) -> bool:
    return step.verdict not in {"accept", ""}
