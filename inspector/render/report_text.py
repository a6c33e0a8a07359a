"""A report as a person reads it: the question, the ladder, what the network did, the verdict. Pure.

1. The answer stands first and last; a column says only what changed since the hop before.
2. The first probe in full, those that went the same way folded into one line, another way in full again.
"""

from collections.abc import Iterator
from statistics import median

from inspector.model.question import PathKind
from inspector.model.report import Direction, Finding, Outcome, Path, Report, Seen, Severity, Unseen
from inspector.render.text import NARROW, Paint, Style, columns, duration, indented

OUTCOME_STYLES = {
    Outcome.DELIVERED: Style.GOOD,
    Outcome.REJECTED: Style.BAD,
    Outcome.DROPPED: Style.BAD,
    Outcome.LOST: Style.BAD,
    Outcome.UNANSWERED: Style.BAD,
    Outcome.UNRESOLVED: Style.BAD,
    Outcome.UNKNOWN: Style.DOUBT,
}
SEVERITY_STYLES = {Severity.ERROR: Style.BAD, Severity.WARNING: Style.DOUBT, Severity.NOTE: Style.DIM}
EXPECTATIONS = {
    PathKind.SWITCHED: "same network: switched by the bridge, no router between",
    PathKind.ROUTED: "different networks: has to be routed by the host",
    PathKind.FROM_HOST: "from the host into a container network",
    PathKind.TO_HOST: "from the container to the host",
    PathKind.OUTSIDE: "routed by the host, out by its uplink",
    PathKind.LOOPBACK: "one network stack: over its loopback",
    PathKind.NO_ROUTE: "no way known from the routes",
}
LABELS = {"source_mac": "from MAC", "destination_mac": "to MAC", "source": "source", "destination": "to", "ttl": "ttl"}


def render_text(report: Report, *, width: int = NARROW, coloured: bool = False) -> str:
    """Return the whole report, lines no wider than `width` where words allow."""
    paint = Paint(coloured=coloured)
    lines: list[str] = []
    lines.extend(_head(report, width, paint))
    lines.extend(_ladders(report, paint))
    lines.extend(_story(report, width, paint))
    lines.append("")
    lines.extend(verdict_lines(report, width, paint))
    lines.extend(_findings(report.findings, width, paint))
    lines.extend(_notes(report, width, paint))
    return "\n".join(lines) + "\n"


def render_verdict(report: Report, *, width: int = NARROW, coloured: bool = False) -> str:
    """Return the verdict alone."""
    return "\n".join(verdict_lines(report, width, Paint(coloured=coloured))) + "\n"


def verdict_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write the verdict and the times."""
    word = report.verdict.outcome.upper()
    rtt = report.statistics.rtt_ns
    times = f", {' / '.join(_times(rtt.min, rtt.median, rtt.max))} (min / median / max)" if rtt else ""
    first, *rest = indented(report.verdict.summary + times, width, f"{word}  ", "  ")
    yield paint(word, OUTCOME_STYLES[report.verdict.outcome]) + first[len(word) :]
    yield from rest


def _times(*values: int) -> Iterator[str]:
    return (duration(each) for each in values)


def _head(report: Report, width: int, paint: Paint) -> Iterator[str]:
    plan = report.plan
    asked = f"{plan.source.label} -> {plan.destination.label}"
    what = f"{plan.question.protocol} echo x{plan.question.count}"
    yield paint(asked, Style.STRONG) + f"   {what}   {report.engine.name} {report.engine.version}"
    if plan.resolution.mechanism == "engine" and plan.resolution.address:
        yield f"name     {plan.resolution.name}: address {plan.resolution.address} taken from the engine"
    if plan.obstacle is None:
        bridges = _crossing(report)
        yield from indented(EXPECTATIONS[plan.kind] + bridges, width, "path     ")


def _crossing(report: Report) -> str:
    """Name the bridges of the plan, in order."""
    promiscuous = [point.interface for point in report.plan.points if point.promiscuous]
    return f" ({', '.join(promiscuous)})" if promiscuous else ""


def _ladders(report: Report, paint: Paint) -> Iterator[str]:
    shown: list[Path] = []
    for path in report.paths:
        same = next((each for each in shown if _way(each) == _way(path)), None)
        if same is None:
            shown.append(path)
            yield ""
            yield from _ladder(path, paint)
    yield from _folded(report, shown, paint)


def _ladder(path: Path, paint: Paint) -> Iterator[str]:
    word = "request" if path.direction is Direction.REQUEST else "answer"
    rows: list[tuple[str, ...]] = [("  " + f"{word} {path.sequence}", "", "", "since last", "")]
    styles: list[Style | None] = [Style.STRONG]
    fresh = True
    for hop in path.hops:
        place = (f"  {hop.point.sandbox}", hop.point.interface)
        if isinstance(hop, Unseen):
            rows.append((*place, "--", "not seen", hop.why))
            styles.append(Style.DIM)
            continue
        delta = "" if hop.delta_ns is None else duration(hop.delta_ns)
        rows.append((*place, hop.heading, delta, _changes(hop, first=fresh)))
        styles.append(None)
        fresh = False
    for line, style in zip(columns(rows), styles, strict=True):
        yield paint(line, style) if style else line


def _changes(hop: Seen, *, first: bool) -> str:
    """Say what is new at this hop; on the first, what it starts as."""
    if first:
        return f"{hop.source} > {hop.destination}  ttl {hop.ttl}  to {hop.destination_mac}"
    words = [f"{LABELS[each.field]} {each.before} -> {each.after}" for each in hop.rewrites if each.field in _OUTER]
    if any(each.field.endswith("_mac") for each in hop.rewrites):
        words.append(f"to {hop.destination_mac}")
    if hop.delta_ns == 0:
        words.append("same stamp")
    if not hop.planned:
        words.append("not on the planned way")
    return ", ".join(words)


_OUTER = ("source", "destination", "ttl")


def _way(path: Path) -> tuple[object, ...]:
    """What makes two packets' ways equal: the same hops, seen or not, with the same rewrites."""
    return (
        path.direction,
        tuple((hop.point, hop.heading, hop.rewrites if isinstance(hop, Seen) else None) for hop in path.hops),
    )


def _folded(report: Report, shown: list[Path], paint: Paint) -> Iterator[str]:
    """One line for the packets that went a way already shown, with their times from first to last hop."""
    for path in shown:
        like = [each for each in report.paths if _way(each) == _way(path)]
        if len(like) < 2:  # noqa: PLR2004
            continue
        word = "requests" if path.direction is Direction.REQUEST else "answers"
        times = sorted(each.seen[-1].at_ns - each.seen[0].at_ns for each in like if len(each.seen) > 1)
        numbers = f"{like[1].sequence}-{like[-1].sequence}" if len(like) > 2 else str(like[1].sequence)  # noqa: PLR2004
        text = f"  {word} {numbers} took the same way"
        if times:
            low, mid, high = _times(times[0], int(median(times)), times[-1])
            text += f": {low} / {mid} / {high} (min / median / max over all)"
        if path is shown[0]:
            yield ""
        yield paint(text, Style.DIM)


def _story(report: Report, width: int, paint: Paint) -> Iterator[str]:
    if report.story:
        yield ""
        yield paint("what the network did", Style.STRONG)
    for fact in report.story:
        yield from indented(fact.text, width, "  ", "    ")


def _findings(findings: tuple[Finding, ...], width: int, paint: Paint) -> Iterator[str]:
    for finding in findings:
        lead = f"{finding.severity} {finding.id}"
        sure = "" if finding.severity is Severity.NOTE else f" ({finding.confidence})"
        first, *rest = indented(f"{finding.title}{sure}", width, f"{lead}  ", "  ")
        yield paint(lead, SEVERITY_STYLES[finding.severity]) + first[len(lead) :]
        yield from rest
        for remedy in finding.remedy:
            yield f"  mend it:  {remedy}"


def _notes(report: Report, width: int, paint: Paint) -> Iterator[str]:
    for spot in report.blind_spots:
        yield from indented(f"{spot.point}: {spot.why}", width, "could not see  ", "  ")
    if report.departed:
        yield paint(f"went away meanwhile: {', '.join(report.departed)}", Style.DOUBT)
    if report.interrupted:
        yield paint("interrupted: this is what was seen so far", Style.DOUBT)
