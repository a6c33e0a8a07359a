"""The parts that the text of a trace and that of a lookup share: verdict, findings, what was done. Pure."""

from collections.abc import Iterator

from inspector.model.path import Seen
from inspector.model.report import Finding, Outcome, Report, Severity
from inspector.model.text import safe
from inspector.render.text import Paint, Style, duration, durations, indented

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
TOLD = ("source", "destination", "ttl")
"""Rewrites written as before -> after; new MACs are told by where the frame goes now."""
MOST_TEXT = 4096
"""Characters kept of a sentence; a name in it may be as the user wrote it."""


def led(text: str, width: int, lead: str, painted: str, margin: str = "") -> Iterator[str]:
    """Write a sentence behind its first word, which stands there as it was painted, in lines that fit."""
    first, *rest = indented(text, width, f"{margin}{lead}  ", f"{margin}  ")
    yield margin + painted + first[len(margin) + len(lead) :]
    yield from rest


def verdict_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write the verdict and the times."""
    # What a proxy accepted for somebody who refused was no answer.
    rtt = report.statistics.rtt_ns if report.verdict.outcome is Outcome.DELIVERED else None
    times = f", {duration(rtt.median)}" if rtt else ""
    if rtt and report.statistics.received > 1:
        times = f", {durations(rtt.min, rtt.median, rtt.max)} (min/median/max)"
    word = report.verdict.outcome.upper()
    painted = paint(word, OUTCOME_STYLES[report.verdict.outcome])
    yield from led(safe(report.verdict.summary, MOST_TEXT) + times, width, word, painted)


def changes(hop: Seen) -> str:
    """Say what is new at this hop."""
    words = [f"{each.field} {each.before} -> {each.after}" for each in hop.rewrites if each.field in TOLD]
    words += _fragments(hop)
    words += [f"as {hop.carrier}"] if hop.carrier else []
    if any(each.field.endswith("_mac") for each in hop.rewrites):
        words.append(f"now to {hop.destination_mac}")
    if hop.point.role:
        words.append(hop.point.role)
    if hop.delta_ns == 0:
        words.append("same stamp")
    if hop.delta_ns is not None and hop.delta_ns < 0:
        words.append("stamped before the line above")
    if not hop.planned:
        words.append("not on the planned way")
    return ", ".join(words)


def _fragments(hop: Seen) -> list[str]:
    """Say in how many pieces it passed, where that is new; a piece that is missing is told at every hop."""
    changed = any(each.field == "fragments" for each in hop.rewrites)
    if not hop.whole:
        return [f"{hop.fragments} fragment{'s' * (hop.fragments > 1)}, and not all of them"]
    if hop.fragments > 1 and (changed or hop.delta_ns is None):
        return [f"in {hop.fragments} fragments"]
    return ["in one piece again"] if changed else []


def story_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write what the network did."""
    if report.story:
        yield ""
        yield paint("what the network did", Style.STRONG)
    for fact in report.story:
        yield from indented(fact.text, width, "  ", "    ")


def finding_lines(findings: tuple[Finding, ...], width: int, paint: Paint) -> Iterator[str]:
    """Write the findings, with evidence and remedy."""
    for finding in findings:
        sure = "" if finding.severity is Severity.NOTE else f" ({finding.confidence})"
        lead = f"{finding.severity} {finding.id}"
        yield from led(f"{finding.title}{sure}", width, lead, paint(lead, SEVERITY_STYLES[finding.severity]))
        if finding.severity is not Severity.NOTE:
            yield from indented("; ".join(finding.evidence), width, "  because:  ")
        for remedy in finding.remedy:
            yield f"  mend it:  {remedy}"


def note_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write what could not be seen, what was done, and what ended it early."""
    for spot in report.blind_spots:
        yield from indented(f"{spot.point}: {spot.why}", width, "could not see  ", "  ")
    for effect in report.side_effects:
        for line in indented(effect, width, "did  "):
            yield paint(line, Style.DIM)
    if report.departed:
        yield paint(f"went away meanwhile: {', '.join(report.departed)}", Style.DOUBT)
    if report.interrupted:
        yield paint("interrupted: this is what was seen so far", Style.DOUBT)
