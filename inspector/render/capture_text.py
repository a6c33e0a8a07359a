"""A capture report as a person reads it: what came of all that was asked, then each part, then what is unknown. Pure.

The answer stands first and last. A part shows its first lines, troubles before the rest; `verbose` shows all.
"""

from collections.abc import Iterator

from inspector.model.capture import CaptureReport
from inspector.render.capture_parts import (
    complaint_rows,
    connection_rows,
    conversation_rows,
    echo_rows,
    exchange_rows,
    neighbour_rows,
    way_rows,
)
from inspector.render.capture_words import frames, moment, plural, size
from inspector.render.text import NARROW, Paint, Style, columns, duration, indented

MOST = 10
"""Entries of a part that are shown."""
Row = list[str]
"""The lines of one entry: the first, and those below it."""


def render_capture(report: CaptureReport, *, width: int = NARROW, coloured: bool = False, verbose: bool = False) -> str:
    """Return the whole report, lines no wider than `width` where words allow."""
    paint = Paint(coloured=coloured)
    lines = [*_head(report, width, paint), *_answer(report, width, paint)]
    lines += ["", paint("interfaces", Style.STRONG), *_interfaces(report)]
    parts = (
        ("conversations", "counted where most of each was seen", conversation_rows(report)),
        ("the same packet at several places", "min/avg/max since the place before", way_rows(report, width - 4)),
        ("ICMP echo", "", echo_rows(report)),
        ("DNS", "", exchange_rows(report)),
        ("TCP connections", "", connection_rows(report)),
        ("ICMP errors", "", complaint_rows(report)),
        ("ARP and neighbour discovery", "", neighbour_rows(report)),
    )
    for title, note, rows in parts:
        lines += _part(title, note, list(rows), width, paint, most=None if verbose else MOST)
    lines += _unknown(report, width, paint)
    lines += ["", *_answer(report, width, paint)]
    return "\n".join(lines) + "\n"


def render_capture_answer(report: CaptureReport, *, width: int = NARROW, coloured: bool = False) -> str:
    """Return what came of all that was asked, alone."""
    return "\n".join(_answer(report, width, Paint(coloured=coloured))) + "\n"


def _head(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    made = report.made
    by = f" by {made.application}" if made.application else ""
    on = f" on {made.system}" if made.system else ""
    yield from indented(f"{made.form}{by}{on}", width, "file     ")
    span = report.span
    seen = f"{frames(report.seen)} at {plural(len(report.interfaces), 'interface')}"
    if span is None:
        yield f"frames   {seen}"
        return
    yield from indented(f"{seen}, from {moment(span.first_ns)} for {duration(span.duration_ns)}", width, "frames   ")
    for warning in report.warnings:
        yield from (paint(line, Style.DOUBT) for line in indented(warning, width, "warning  "))


def _answer(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    well = "; ".join(report.well)
    if report.troubles:
        yield from _led("TROUBLE", Style.BAD, "; ".join(report.troubles), width, paint)
        if well:
            yield from _led("fine", Style.GOOD, well, width, paint)
    elif well:
        yield from _led("ANSWERED", Style.GOOD, well, width, paint)
    else:
        words = "no echo, DNS question, TCP connection, ARP or ND question begins in this file"
        yield from _led("NOTHING ASKED", Style.DOUBT, words, width, paint)


def _led(word: str, style: Style, text: str, width: int, paint: Paint) -> Iterator[str]:
    lead = f"{word}  ".ljust(9)
    lines = list(indented(text, width, lead, " " * 9))
    yield paint(word, style) + lines[0][len(word) :]
    yield from lines[1:]


def _interfaces(report: CaptureReport) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("  interface", "frames", "bytes", "lost", "link")]
    for each in report.interfaces:
        lost = "unknown" if each.dropped is None else f"{each.dropped:,}"
        rows.append((f"  {each.name}", f"{each.seen.frames:,}", size(each.seen.bytes), lost, each.link))
    yield from columns(rows)


def _part(title: str, note: str, rows: list[Row], width: int, paint: Paint, *, most: int | None) -> Iterator[str]:
    if not rows:
        return
    yield ""
    shown = rows[:most]
    told = [f"the first {len(shown)} of {len(rows):,} (-v: all)"] if len(shown) < len(rows) else []
    told += [note] if note else []
    yield paint(title, Style.STRONG) + (f"   {', '.join(told)}" if told else "")
    for head, *below in shown:
        yield from indented(head, width, "  ", "      ")
        for line in below:
            # A ladder is aligned already.
            yield from [f"    {line}"] if len(line) + 4 <= width else indented(line, width, "    ", "        ")


def _unknown(report: CaptureReport, width: int, paint: Paint) -> Iterator[str]:
    yield ""
    yield paint("what this file cannot say", Style.STRONG)
    for sentence in (*report.untold, *_overlooked(report)):
        yield from indented(sentence, width, "  - ")


def _overlooked(report: CaptureReport) -> Iterator[str]:
    over = report.overlooked
    if over.flows:
        yield (
            f"which conversations {frames(over.folded)} were of: {over.flows:,} flows that were idle for longest or "
            "had the fewest frames are summed up here, there were too many"
        )
    yield from over.others
