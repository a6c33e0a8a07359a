"""Text of characters that take two columns, and where its lines may break. Pure.

1. A line breaks at a blank, and between two characters of which one is wide: such scripts put no blank between words.
2. No line begins with a mark that closes, and none ends with one that opens (the rules of the Unicode line breaking
   algorithm that a report needs: UAX 14, CL, EX and OP).
"""

from collections.abc import Iterator
from unicodedata import combining, east_asian_width

_CLOSING, _OPENING = "，。、；：！？）》」』”’…)", "（《「『“‘"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes (UAX 11)."""
    return sum(0 if combining(each) else 2 if _is_wide(each) else 1 for each in text)


def broken(text: str, width: int, first: str, rest: str) -> list[str]:
    """Break a text into lines that fit, as `textwrap.wrap` does for one that has blanks."""
    lines: list[str] = []
    line, used, empty = first, columns_of(first), True
    for blank, piece in _pieces(text):
        blank_here = "" if empty else blank
        size = columns_of(piece)
        if not empty and used + len(blank_here) + size > width:
            lines.append(line.rstrip())
            line, used, blank_here = rest, columns_of(rest), ""
        line, used, empty = line + blank_here + piece, used + len(blank_here) + size, False
    return [*lines, line.rstrip()] if not empty else lines


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield what must stay whole, each with the blank before it."""
    for number, word in enumerate(text.split()):
        blank = " " if number else ""
        for piece in _within(word):
            yield blank, piece
            blank = ""


def _within(word: str) -> Iterator[str]:
    start = 0
    for at in range(1, len(word)):
        before, after = word[at - 1], word[at]
        if (_is_wide(before) or _is_wide(after)) and after not in _CLOSING and before not in _OPENING:
            yield word[start:at]
            start = at
    yield word[start:]


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in {"W", "F"}
