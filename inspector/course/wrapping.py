"""Break sentences of either language into lines of terminal columns. Pure.

1. A Chinese character takes two columns (Unicode Standard Annex 11) and may end a line; a Latin word stays whole.
2. No line begins with a mark that closes, and none ends with one that opens (as in JIS X 4051 and GB/T 15834).
"""

from collections.abc import Iterator
from unicodedata import east_asian_width

CLOSING = "，。、；：！？）》】」』”’%)],.;:!?"
OPENING = "（《【「『“‘(["
WIDE = frozenset({"W", "F"})


def columns_of(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(2 if east_asian_width(each) in WIDE else 1 for each in text)


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """Break the text into lines of at most `width` columns; before the first stands `first`."""
    rest = " " * columns_of(first) if rest is None else rest
    line, empty = first, True
    for piece in _pieces(text):
        if not empty and columns_of(line) + columns_of(piece.rstrip()) > width:
            yield line.rstrip()
            line, empty = rest, True
        if not (empty and piece.isspace()):
            line, empty = line + piece, False
    yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Cut the text where a line may end; a blank goes with the word before it."""
    piece = ""
    for before, character in zip(" " + text, " ".join(text.split("\n")), strict=False):
        if piece and _may_part(before, character):
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def _may_part(before: str, after: str) -> bool:
    if after.isspace() or after in CLOSING or before in OPENING:
        return False
    return before.isspace() or east_asian_width(before) in WIDE or east_asian_width(after) in WIDE
