"""A capture report as a person reads it: what came of all that was asked, then each part, then what is unknown. Pure.

The answer stands first and last. A part shows its first lines, troubles before the rest; `verbose` shows all.
"""

from collections.abc import Iterator

from inspector.model.capture import CaptureReport
from inspector.model.sentence import ENGLISH, join, say
from inspector.render.capture_parts import (
    complaint_rows,
    connection_rows,
    conversation_rows,
    echo_rows,
    exchange_rows,
    neighbour_rows,
    way_rows,
)
from inspector.render.capture_words import frames, moment, size
from inspector.render.language import cells, padded, speaking, spoken
from inspector.render.text import LABEL, NARROW, Paint, Style, columns, duration, indented, label

MOST = 10
"""Entries of a part that are shown."""
Row = list[str]
"""The lines of one entry: the first, and those below it."""


def render_capture(
    report: CaptureReport, *, width: int = NARROW, coloured: bool = False, verbose: bool = False, lang: str = ENGLISH
) -> str:
    """Return the whole report, lines no wider than `width` where words allow."""
    with speaking(lang):
        return _text(report, width, coloured=coloured, verbose=verbose)


def _text(report: CaptureReport, width: int, *, coloured: bool, verbose: bool) -> str:
    paint = Paint(coloured=coloured)
    lines = [*_head(report, width, paint), *_answer(report, width, paint)]
    lines += ["", paint(say("interfaces"), Style.STRONG), *_interfaces(report)]
    parts = (
        (say("conversations"), say("counted where most of each was seen"), conversation_rows(report)),
        (
            say("the same packet at several places"),
            say("min/avg/max since the place before"),
            way_rows(report, width - 4),
        ),
        (say("ICMP echo"), "", echo_rows(report)),
        ("DNS", "", exchange_rows(report)),
        (say("TCP connections"), "", connection_rows(report)),
        (say("ICMP errors"), "", complaint_rows(report)),
        (say("ARP and neighbour discovery"), "", neighbour_rows(report)),
    )
    for title, note, rows in parts:
        lines += _part(title, note, list(rows), width, paint, most=None if verbose else MOST)
    lines += _unknown(report, width, paint)
    lines += ["", *_answer(report, width, paint)]
    return "\n".join(lines) + "\n"


def render_capture_answer(
    report: CaptureReport, *, width: int = NARROW, coloured: bool = False, lang: str = ENGLISH
) -> str:
    """Return what came of all that was asked, alone."""
    with speaking(lang):
        return "\n".join(_answer(report, width, Paint(coloured=coloured))) + "\n"


def _head(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    made = report.made
    file: str = made.form
    file = say("{file} by {application}", file=file, application=made.application) if made.application else file
    file = say("{file} on {system}", file=file, system=made.system) if made.system else file
    yield from indented(file, width, label(say("file")))
    span = report.span
    seen = say("{frames} at {count:,} interfaces", frames=frames(report.seen), count=len(report.interfaces))
    if len(report.interfaces) == 1:
        seen = say("{frames} at 1 interface", frames=frames(report.seen))
    if span is None:
        yield label(say("frames")) + spoken(seen)
        return
    took = duration(span.duration_ns)
    told = say("{said}, from {moment} for {time}", said=seen, moment=moment(span.first_ns), time=took)
    yield from indented(told, width, label(say("frames")))
    for warning in report.warnings:
        yield from (paint(line, Style.DOUBT) for line in indented(warning, width, label(say("warning"))))


def _answer(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    well = join("; ", report.well)
    if report.troubles:
        yield from _led(say("TROUBLE"), Style.BAD, join("; ", report.troubles), width, paint)
        if well:
            yield from _led(say("fine"), Style.GOOD, well, width, paint)
    elif well:
        yield from _led(say("ANSWERED"), Style.GOOD, well, width, paint)
    else:
        words = say("no echo, DNS question, TCP connection, ARP or ND question begins in this file")
        yield from _led(say("NOTHING ASKED"), Style.DOUBT, words, width, paint)


def _led(word: str, style: Style, text: str, width: int, paint: Paint) -> Iterator[str]:
    word = spoken(word)
    lead = padded(f"{word}  ", LABEL)
    lines = list(indented(text, width, lead, " " * LABEL))
    yield paint(word, style) + lines[0][len(word) :]
    yield from lines[1:]


def _interfaces(report: CaptureReport) -> Iterator[str]:
    heads = (say("interface"), say("frames"), say("bytes"), say("lost"), say("link"))
    rows: list[tuple[str, ...]] = [(f"  {spoken(heads[0])}", *heads[1:])]
    for each in report.interfaces:
        lost = say("unknown") if each.dropped is None else f"{each.dropped:,}"
        rows.append((f"  {each.name}", f"{each.seen.frames:,}", size(each.seen.bytes), lost, each.link))
    yield from columns(rows)


def _part(title: str, note: str, rows: list[Row], width: int, paint: Paint, *, most: int | None) -> Iterator[str]:
    if not rows:
        return
    yield ""
    shown = rows[:most]
    told: list[str] = [note] if note else []
    if len(shown) < len(rows):
        told.insert(0, say("the first {count} of {all:,} (-v: all)", count=len(shown), all=len(rows)))
    yield paint(title, Style.STRONG) + (f"   {spoken(join(', ', told))}" if told else "")
    for head, *below in shown:
        yield from indented(head, width, "  ", "      ")
        for line in map(spoken, below):
            # A ladder is aligned already.
            yield from [f"    {line}"] if cells(line) + 4 <= width else indented(line, width, "    ", "        ")


def _unknown(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    yield ""
    yield paint(say("what this file cannot say"), Style.STRONG)
    for sentence in (*report.untold, *_overlooked(report)):
        yield from indented(sentence, width, "  - ")


def _overlooked(report: CaptureReport) -> Iterator[str]:
    over = report.overlooked
    if over.flows:
        yield say(
            "which conversations {frames} were of: {count:,} flows that were idle for longest or had the fewest frames "
            "are summed up here, there were too many",
            frames=frames(over.folded),
            count=over.flows,
        )
    yield from over.others
