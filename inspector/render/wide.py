"""Text of characters that take two columns, and where its lines may break. Pure.

1. A line breaks at a blank, and between two characters of which one is wide: such scripts put no blank between words.
2. No line begins with a mark that closes, and none ends with one that opens (the rules of the Unicode line breaking
   algorithm that a report needs: UAX 14, CL, EX and OP).
"""

import re
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
        size = columns_of(piece)
        if empty or used + len(blank) + size <= width:
            line, used, empty = line + blank + piece, used + len(blank) + size, False
        else:
            lines.append(line.rstrip())
            line, used = rest + piece, columns_of(rest) + size
    return [*lines, line.rstrip()] if not empty else lines


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield what must stay whole, each with the blank before it."""
    for found in re.finditer(r"(\s*)(\S+)", text):
        blank = found[1].replace("\n", " ")
        for piece in _within(found[2]):
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
