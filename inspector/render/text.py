"""The pieces that every text form is made of: durations, colour that only repeats a word, lines that fit. Pure."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from textwrap import wrap

from inspector.render.language import cells, is_english, padded, spoken

NARROW, WIDE = 80, 100
LEAST_ROOM = 8
"""This part of a line's width is the least that text is given behind what it is about."""
LABEL = 9
"""Columns of the words that the lines of a head begin with."""


class Style(StrEnum):
    """What a piece of text is, by the SGR parameter a terminal shows it with (ECMA-48, 8.3.117)."""

    GOOD = "32"
    BAD = "31"
    DOUBT = "33"
    DIM = "2"
    STRONG = "1"


class Paint:
    """Colour where the reader can see it; the words say the same without."""

    def __init__(self, *, coloured: bool) -> None:
        """Choose once for the whole output."""
        self._coloured = coloured

    def __call__(self, text: str, style: Style) -> str:
        """Return the text in the style."""
        text = spoken(text)
        return f"\x1b[{style}m{text}\x1b[0m" if self._coloured and text else text


UNITS = ((1_000, 1, "ns", 0), (1_000_000, 1_000, "us", 1), (1_000_000_000, 1_000_000, "ms", 2))
"""Below this many nanoseconds: divide by this, write this unit with so many digits."""


def duration(nanoseconds: int) -> str:
    """Write a duration with the unit that fits it: 0, 850 ns, 3.5 us, 1.20 ms, 1.00 s."""
    return durations(nanoseconds) if nanoseconds else "0"


def durations(*nanoseconds: int) -> str:
    """Write several durations in the one unit that fits the largest: 2.6/3.2/5.8 us."""
    largest = max(abs(each) for each in nanoseconds)
    fitting = (each for each in UNITS if round(largest / each[1], each[3]) * each[1] < each[0])
    _limit, divisor, unit, digits = next(fitting, (0, 1_000_000_000, "s", 2))
    return "/".join(f"{each / divisor:.{digits}f}" for each in nanoseconds) + f" {unit}"


def label(word: str) -> str:
    """Return the word that a line of a head begins with, up to where its text begins."""
    return padded(word, LABEL)


def indented(text: str, width: int, first: str, rest: str | None = None) -> Iterator[str]:
    """Break a sentence into lines that fit, words whole."""
    text, first = spoken(text), spoken(first)
    rest = " " * cells(first) if rest is None else rest
    if text and width - max(cells(first), cells(rest)) < width // LEAST_ROOM:
        # What strangers named may be of any length; text is not broken letter by letter behind it.
        yield first.rstrip()
        first = rest = " " * (width // LEAST_ROOM)
    if is_english():
        lines = wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    else:
        from inspector.render.wide import broken

        lines = broken(text, width, first, rest)
    yield from lines or [first.rstrip()]


def fitted(line: str, width: int, last: str) -> Iterator[str]:
    """Write an aligned line; a last cell that does not fit goes on below where it begins, or on a line of its own."""
    last = spoken(last)
    lead = line[: len(line) - len(last)]
    at = cells(lead)
    if cells(line) <= width or not last:
        yield line
    elif at <= width // 2:
        yield from indented(last, width, lead, " " * at)
    else:
        yield lead.rstrip()
        yield from indented(last, width, " " * (width // 3))


def columns(rows: Iterable[tuple[str, ...]], gap: str = "  ") -> Iterator[str]:
    """Align rows of cells; the last cell of a row is as long as it is."""
    table = list(rows) if is_english() else [tuple(map(spoken, row)) for row in rows]
    count = max((len(row) for row in table), default=0)
    fill, wide = (str.ljust, len) if is_english() else (padded, cells)
    widths = [max((wide(row[n]) for row in table if n < len(row) - 1), default=0) for n in range(count)]
    for row in table:
        filled = [fill(cell, widths[n]) if n < len(row) - 1 else cell for n, cell in enumerate(row)]
        yield gap.join(filled).rstrip()
