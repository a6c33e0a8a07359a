"""The parts that the text of a trace and that of a lookup share: verdict, findings, what was done. Pure."""

from collections.abc import Iterator

from inspector.model.path import Seen
from inspector.model.report import Finding, Outcome, Report, Severity
from inspector.model.sentence import join, say
from inspector.model.text import safe
from inspector.render.language import is_english, spoken
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
FIELDS = {"source": say("source"), "destination": say("destination")}
"""Header fields that have a word of their own; others are called as they are everywhere."""
TOLD = ("source", "destination", "ttl")
"""Rewrites written as before -> after; new MACs are told by where the frame goes now."""
MOST_TEXT = 4096
"""Characters kept of a sentence; a name in it may be as the user wrote it."""


def led(text: str, width: int, lead: str, painted: str, margin: str = "") -> Iterator[str]:
    """Write a sentence behind its first word, which stands there as it was painted, in lines that fit."""
    lead = spoken(lead)
    first, *rest = indented(text, width, f"{margin}{lead}  ", f"{margin}  ")
    yield margin + painted + first[len(margin) + len(lead) :]
    yield from rest


def outcome_word(outcome: Outcome) -> str:
    """Return the outcome as it stands out: in capital letters, where there are any."""
    return outcome.upper() if is_english() else spoken(outcome)


def verdict_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write the verdict and the times."""
    # What a proxy accepted for somebody who refused was no answer.
    rtt = report.statistics.rtt_ns if report.verdict.outcome is Outcome.DELIVERED else None
    said = report.verdict.summary
    if rtt and report.statistics.received > 1:
        times = durations(rtt.min, rtt.median, rtt.max)
        said = say("{said}, {times} (min/median/max)", said=said, times=times)
    elif rtt:
        said = say("{said}, {time}", said=said, time=duration(rtt.median))
    word = outcome_word(report.verdict.outcome)
    painted = paint(word, OUTCOME_STYLES[report.verdict.outcome])
    yield from led(safe(spoken(said), MOST_TEXT), width, word, painted)


def changes(hop: Seen) -> str:
    """Say what is new at this hop."""
    words: list[str] = [
        say("{field} {before} -> {after}", field=field_word(each.field), before=each.before, after=each.after)
        for each in hop.rewrites
        if each.field in TOLD
    ]
    words += _fragments(hop)
    words += [say("as {carrier}", carrier=hop.carrier)] if hop.carrier else []
    if any(each.field.endswith("_mac") for each in hop.rewrites):
        words.append(say("now to {mac}", mac=hop.destination_mac))
    if hop.point.role:
        words.append(hop.point.role)
    if hop.delta_ns == 0:
        words.append(say("same stamp"))
    if hop.delta_ns is not None and hop.delta_ns < 0:
        words.append(say("stamped before the line above"))
    if not hop.planned:
        words.append(say("not on the planned way"))
    return join(", ", words)


def field_word(field: str) -> str:
    """Return what a header field is called."""
    return FIELDS.get(field, field)


def _fragments(hop: Seen) -> list[str]:
    """Say in how many pieces it passed, where that is new; a piece that is missing is told at every hop."""
    changed = any(each.field == "fragments" for each in hop.rewrites)
    if not hop.whole:
        if hop.fragments == 1:
            return [say("1 fragment, and not all of them")]
        return [say("{count} fragments, and not all of them", count=hop.fragments)]
    if hop.fragments > 1 and (changed or hop.delta_ns is None):
        return [say("in {count} fragments", count=hop.fragments)]
    return [say("in one piece again")] if changed else []


def story_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write what the network did."""
    if report.story:
        yield ""
        yield paint(say("what the network did"), Style.STRONG)
    for fact in report.story:
        yield from indented(fact.text, width, "  ", "    ")


def finding_lines(findings: tuple[Finding, ...], width: int, paint: Paint) -> Iterator[str]:
    """Write the findings, with evidence and remedy."""
    for finding in findings:
        title = finding.title
        if finding.severity is not Severity.NOTE:
            title = say("{title} ({confidence})", title=title, confidence=finding.confidence)
        lead = f"{spoken(finding.severity)} {finding.id}"
        yield from led(title, width, lead, paint(lead, SEVERITY_STYLES[finding.severity]))
        if finding.severity is not Severity.NOTE:
            yield from indented(join("; ", finding.evidence), width, f"  {spoken(say('because:'))}  ")
        for remedy in finding.remedy:
            yield f"  {spoken(say('mend it:'))}  {spoken(remedy)}"


def note_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write what could not be seen, what was done, and what ended it early."""
    for spot in report.blind_spots:
        seen = say("{point}: {why}", point=spot.point, why=spot.why)
        yield from indented(seen, width, f"{spoken(say('could not see'))}  ", "  ")
    for effect in report.side_effects:
        for line in indented(effect, width, f"{spoken(say('did'))}  "):
            yield paint(line, Style.DIM)
    if report.departed:
        yield paint(say("went away meanwhile: {parties}", parties=", ".join(report.departed)), Style.DOUBT)
    if report.interrupted:
        yield paint(say("interrupted: this is what was seen so far"), Style.DOUBT)
