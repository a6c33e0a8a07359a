"""A report as a person reads it: the question, the ladder, what the network did, the verdict. Pure.

1. The answer stands first and last; a column says only what changed since the hop before.
2. The first probe in full, those that went the same way folded into one line, another way in full again.
"""

from collections.abc import Iterator
from statistics import median

from inspector.model.path import Direction, Path, Seen, Unseen
from inspector.model.place import wanted
from inspector.model.question import Carriage, PathKind, Protocol
from inspector.model.report import Report
from inspector.model.sentence import ENGLISH, say
from inspector.model.text import safe
from inspector.render.expected_text import expected_lines, state_lines
from inspector.render.language import cells, speaking, spoken
from inspector.render.report_parts import (
    OUTCOME_STYLES,
    changes,
    finding_lines,
    note_lines,
    outcome_word,
    story_lines,
    verdict_lines,
)
from inspector.render.text import NARROW, Paint, Style, columns, duration, durations, fitted, indented, label
from inspector.render.walk_text import passing, signature, walk_lines

EXPECTATIONS = {
    PathKind.SWITCHED: say("same network: switched by the bridge, no router between"),
    PathKind.ROUTED: say("different networks: has to be routed by the host"),
    PathKind.FROM_HOST: say("from the host into a container network"),
    PathKind.TO_HOST: say("from the container to the host"),
    PathKind.OUTSIDE: say("routed by the host, out by its uplink"),
    PathKind.SIBLINGS: say("same parent interface: handed from link to link, no bridge and no router between"),
    PathKind.PAST_HOST: say("onto the network of the parent interface, past the host's own stack"),
    PathKind.TUNNELLED: say("same network, on another node: through its tunnel, out by the host's uplink"),
    PathKind.LOOPBACK: say("one network stack: over its loopback"),
    PathKind.NO_ROUTE: say("no way known from the routes"),
}

PROBES = {Protocol.ICMP: say("echo"), Protocol.TCP: say("connect"), Protocol.UDP: say("datagram")}
CARRIAGES = {
    Carriage.TRANSLATED: say("carried there by a rule that rewrites the destination"),
    Carriage.PROXY: say("carried there by a proxy on the host, over a connection of its own"),
    Carriage.UNSEEN: say("nothing was seen to carry it there"),
}


def render_text(
    report: Report, *, width: int = NARROW, coloured: bool = False, verbose: bool = False, lang: str = ENGLISH
) -> str:
    """Return the whole report, lines no wider than `width` where words allow; `verbose` leaves nothing out.

    Raises KeyError for a language without a catalogue.
    """
    with speaking(lang):
        return _text(report, width, coloured=coloured, verbose=verbose)


def _text(report: Report, width: int, *, coloured: bool, verbose: bool) -> str:
    if report.plan.question.names_only:
        from inspector.render.names_text import render_names

        return render_names(report, width=width, coloured=coloured)
    paint = Paint(coloured=coloured)
    lines: list[str] = []
    lines.extend(_head(report, width, paint))
    lines.extend(expected_lines(report, width, verbose=verbose))
    lines.extend(_ladders(report, width, paint, verbose=verbose))
    lines.extend(story_lines(report, width, paint))
    lines.extend(state_lines(report, width, paint) if verbose else ())
    lines.append("")
    lines.extend(verdict_lines(report, width, paint))
    lines.extend(finding_lines(report.findings, width, paint))
    lines.extend(note_lines(report, width, paint))
    return "\n".join(lines) + "\n"


def render_verdict(report: Report, *, width: int = NARROW, coloured: bool = False, lang: str = ENGLISH) -> str:
    """Return the verdict alone."""
    write = verdict_lines
    if report.plan.question.names_only:
        from inspector.render.names_text import names_verdict_lines as write
    with speaking(lang):
        return "\n".join(write(report, width, Paint(coloured=coloured))) + "\n"


def _head(report: Report, width: int, paint: Paint) -> Iterator[str]:
    plan = report.plan
    question = plan.question
    target = plan.destination.label if plan.publication is None else question.destination
    asked = f"{plan.source.label} -> {safe(wanted(target, question.port, question.protocol))}"
    what = spoken(
        say(
            "{protocol} {probe} x{count}",
            protocol=question.protocol.value,
            probe=PROBES[question.protocol],
            count=question.count,
        )
    )
    outcome, engine = outcome_word(report.verdict.outcome), f"{report.engine.name} {report.engine.version}"
    answer = paint(outcome, OUTCOME_STYLES[report.verdict.outcome])
    if cells(f"{asked}   {what}   {engine}   {outcome}") <= width:
        yield paint(asked, Style.STRONG) + f"   {what}   {engine}   {answer}"
    else:
        yield paint(asked, Style.STRONG) + f"   {what}   {answer}"
        yield label(say("engine")) + engine
    if report.names is not None:
        from inspector.render.name_line import name_lines

        yield from name_lines(plan, report.names, width)
    elif plan.resolution.mechanism == "engine" and plan.resolution.address:
        taken = say(
            "{name}: address {address} taken from the engine",
            name=safe(plan.resolution.name),
            address=plan.resolution.address,
        )
        yield label(say("name")) + spoken(taken)
    if plan.publication is not None:
        behind = wanted(plan.publication.container, plan.publication.port, question.protocol)
        how = CARRIAGES[plan.publication.carriage]
        published = say("published by the host for {behind} ({how})", behind=behind, how=how)
        yield from indented(published, width, label(say("port")))
    if plan.obstacle is None:
        yield from indented(_expectation(report), width, label(say("path")))


def _expectation(report: Report) -> str:
    """Say which way it should go, and name the bridges of the plan, in order."""
    told = EXPECTATIONS[report.plan.kind]
    promiscuous = [point.interface for point in report.plan.points if point.promiscuous]
    return say("{said} ({bridges})", said=told, bridges=", ".join(promiscuous)) if promiscuous else told


def _ladders(report: Report, width: int, paint: Paint, *, verbose: bool) -> Iterator[str]:
    """Show each way once, with the packets that took it."""
    ways: dict[tuple[object, ...], list[Path]] = {}
    for path in report.paths:
        ways.setdefault((*_way(path), signature(path, verbose=verbose)), []).append(path)
    for alike in ways.values():
        yield ""
        yield from _ladder(alike, width, paint, verbose=verbose)


def _ladder(alike: list[Path], width: int, paint: Paint, *, verbose: bool) -> Iterator[str]:
    path = alike[0]
    word = _packet(path)
    start = next(iter(path.seen), None)
    lead = f"  {spoken(word)} {path.sequence}" + (f"  {path.segment}" if path.segment else "")
    flow = f"   {start.source} > {start.destination}  ttl {start.ttl}" if start else ""
    onward = "  " + spoken(say("to {mac}", mac=start.destination_mac)) if start else ""
    apart = cells(lead + flow + onward) > width
    yield paint(lead, Style.STRONG) + flow + ("" if apart else onward)
    if apart:
        yield " " * (cells(lead) + 1) + onward
    for after, row in enumerate(_rows(alike, width), start=-1):
        unseen = after < 0 or isinstance(path.hops[after], Unseen)
        for line in row:
            yield paint(line, Style.DIM) if unseen else line
        yield from walk_lines(path, after, width, paint, verbose=verbose)
    if len(alike) > 1:
        yield paint(f"  {spoken(_same(alike, word))}", Style.DIM)


def _packet(path: Path) -> str:
    if path.direction is Direction.REQUEST:
        return say("proxy's request") if path.proxied else say("request")
    return say("proxy's answer") if path.proxied else say("answer")


def _same(alike: list[Path], word: str) -> str:
    """Say of the other packets that they went the way of the first."""
    others = [each.sequence for each in alike[1:]]
    known = {"packet": word, "first": others[0], "last": others[-1]}
    packets = say("{packet}s {first}-{last}", **known) if len(others) > 1 else say("{packet} {first}", **known)
    if not alike[0].seen:
        return say("{packets} were not seen either", packets=packets)
    told = say("{packets} took the same way", packets=packets)
    if all(passing(each) == passing(alike[0]) for each in alike):
        return told
    return say("{said}, past other rules (see -v)", said=told)


def _rows(alike: list[Path], width: int) -> Iterator[Iterator[str]]:
    """Write the head and the hops, in lines that fit; where room is short, all packets' times stand for the first's."""
    several = say("min/median/max of {count}", count=len(alike)) if len(alike) > 1 else ""
    at, interface, since = f"  {spoken(say('at'))}", say("interface"), say("since last")
    rows: list[tuple[str, ...]] = [(at, interface, "", since, several, "")]
    for number, hop in enumerate(alike[0].hops):
        place = (f"  {hop.point.sandbox}", hop.point.interface)
        if isinstance(hop, Unseen):
            rows.append((*place, "--", say("not seen: {why}", why=hop.why)))
            continue
        delta = "" if hop.delta_ns is None else duration(hop.delta_ns)
        rows.append((*place, hop.heading, delta, _spread(alike, number), changes(hop)))
    if len(alike) > 1 and any(cells(line) > width for line in columns(rows)):
        rows = [(*row[:3], row[-2] or row[3], row[-1]) if len(row) > len(rows[0]) - 1 else row for row in rows]
    return (fitted(line, width, row[-1]) for row, line in zip(rows, columns(rows), strict=True))


def _spread(alike: list[Path], number: int) -> str:
    """Return the times to this hop over all packets that went the same way."""
    hops = [each.hops[number] for each in alike]
    deltas = sorted(hop.delta_ns for hop in hops if isinstance(hop, Seen) and hop.delta_ns is not None)
    return durations(deltas[0], int(median(deltas)), deltas[-1]) if len(deltas) > 1 and deltas[-1] else ""


def _way(path: Path) -> tuple[object, ...]:
    """Return what makes two packets' ways equal: the same hops, seen or not, with the same rewrites."""
    return (
        path.direction,
        path.segment,
        path.proxied,
        tuple((hop.point, hop.heading, hop.rewrites if isinstance(hop, Seen) else None) for hop in path.hops),
    )
