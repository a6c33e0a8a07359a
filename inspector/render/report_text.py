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
from inspector.model.sentence import ENGLISH
from inspector.model.text import safe
from inspector.render.expected_text import expected_lines, state_lines
from inspector.render.language import speaking
from inspector.render.report_parts import OUTCOME_STYLES, changes, finding_lines, note_lines, story_lines, verdict_lines
from inspector.render.text import NARROW, Paint, Style, columns, duration, durations, fitted, indented
from inspector.render.walk_text import passing, signature, walk_lines

EXPECTATIONS = {
    PathKind.SWITCHED: "same network: switched by the bridge, no router between",
    PathKind.ROUTED: "different networks: has to be routed by the host",
    PathKind.FROM_HOST: "from the host into a container network",
    PathKind.TO_HOST: "from the container to the host",
    PathKind.OUTSIDE: "routed by the host, out by its uplink",
    PathKind.SIBLINGS: "same parent interface: handed from link to link, no bridge and no router between",
    PathKind.PAST_HOST: "onto the network of the parent interface, past the host's own stack",
    PathKind.TUNNELLED: "same network, on another node: through its tunnel, out by the host's uplink",
    PathKind.LOOPBACK: "one network stack: over its loopback",
    PathKind.NO_ROUTE: "no way known from the routes",
}

PROBES = {Protocol.ICMP: "echo", Protocol.TCP: "connect", Protocol.UDP: "datagram"}
CARRIAGES = {
    Carriage.TRANSLATED: "carried there by a rule that rewrites the destination",
    Carriage.PROXY: "carried there by a proxy on the host, over a connection of its own",
    Carriage.UNSEEN: "nothing was seen to carry it there",
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
    label = plan.destination.label if plan.publication is None else question.destination
    asked = f"{plan.source.label} -> {safe(wanted(label, question.port, question.protocol))}"
    what = f"{question.protocol} {PROBES[question.protocol]} x{question.count}"
    outcome, engine = report.verdict.outcome, f"{report.engine.name} {report.engine.version}"
    answer = paint(outcome.upper(), OUTCOME_STYLES[outcome])
    if len(f"{asked}   {what}   {engine}   {outcome}") <= width:
        yield paint(asked, Style.STRONG) + f"   {what}   {engine}   {answer}"
    else:
        yield paint(asked, Style.STRONG) + f"   {what}   {answer}"
        yield f"engine   {engine}"
    if report.names is not None:
        from inspector.render.name_line import name_lines

        yield from name_lines(plan, report.names, width)
    elif plan.resolution.mechanism == "engine" and plan.resolution.address:
        yield f"name     {safe(plan.resolution.name)}: address {plan.resolution.address} taken from the engine"
    if plan.publication is not None:
        behind = wanted(plan.publication.container, plan.publication.port, question.protocol)
        how = CARRIAGES[plan.publication.carriage]
        yield from indented(f"published by the host for {behind} ({how})", width, "port     ")
    if plan.obstacle is None:
        bridges = _crossing(report)
        yield from indented(EXPECTATIONS[plan.kind] + bridges, width, "path     ")


def _crossing(report: Report) -> str:
    """Name the bridges of the plan, in order."""
    promiscuous = [point.interface for point in report.plan.points if point.promiscuous]
    return f" ({', '.join(promiscuous)})" if promiscuous else ""


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
    word = "request" if path.direction is Direction.REQUEST else "answer"
    word = f"proxy's {word}" if path.proxied else word
    start = next(iter(path.seen), None)
    lead = f"  {word} {path.sequence}" + (f"  {path.segment}" if path.segment else "")
    flow = f"   {start.source} > {start.destination}  ttl {start.ttl}" if start else ""
    onward = f"  to {start.destination_mac}" if start else ""
    apart = len(lead + flow + onward) > width
    yield paint(lead, Style.STRONG) + flow + ("" if apart else onward)
    if apart:
        yield " " * (len(lead) + 1) + onward
    for after, row in enumerate(_rows(alike, width), start=-1):
        unseen = after < 0 or isinstance(path.hops[after], Unseen)
        for line in row:
            yield paint(line, Style.DIM) if unseen else line
        yield from walk_lines(path, after, width, paint, verbose=verbose)
    if len(alike) > 1:
        others = [each.sequence for each in alike[1:]]
        numbers = str(others[0]) if len(others) == 1 else f"{others[0]}-{others[-1]}"
        same = "took the same way" if path.seen else "were not seen either"
        rules = "" if all(passing(each) == passing(path) for each in alike) else ", past other rules (see -v)"
        yield paint(f"  {word}{'s' * (len(others) > 1)} {numbers} {same}{rules}", Style.DIM)


def _rows(alike: list[Path], width: int) -> Iterator[Iterator[str]]:
    """Write the head and the hops, in lines that fit; where room is short, all packets' times stand for the first's."""
    several = f"min/median/max of {len(alike)}"
    rows: list[tuple[str, ...]] = [("  at", "interface", "", "since last", several if len(alike) > 1 else "", "")]
    for number, hop in enumerate(alike[0].hops):
        place = (f"  {hop.point.sandbox}", hop.point.interface)
        if isinstance(hop, Unseen):
            rows.append((*place, "--", f"not seen: {hop.why}"))
            continue
        delta = "" if hop.delta_ns is None else duration(hop.delta_ns)
        rows.append((*place, hop.heading, delta, _spread(alike, number), changes(hop)))
    if len(alike) > 1 and any(len(line) > width for line in columns(rows)):
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
