"""Make text from packets, containers and engines harmless, once, where it enters the model."""

from collections.abc import Iterator
from unicodedata import category

LIMIT = 256
"""Longest text kept, in characters; a DNS name has at most 255 (RFC 1035, 2.3.4)."""
MOST_MARKS = 3
"""Marks above and below one character; more than any script writes run over the lines beside it."""


def safe(raw: str | bytes, limit: int = LIMIT) -> str:
    r"""Return the text with every character that a terminal could obey written as an escape.

    `str.isprintable` refuses all control, bidirectional, line-separator and surrogate characters; each of those, and
    marks that pile up, becomes `\xNN`, `\uNNNN` or `\UNNNNNNNN`. A backslash is doubled in text that has any, so that
    an escape of ours cannot be mistaken for text of theirs.
    """
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    shown = list(_shown(text))
    if all(shown):
        return text
    return "".join(_escape(each, shown=it) for each, it in zip(text, shown, strict=True))


def _shown(text: str) -> Iterator[bool]:
    """Say of each character whether it can be shown as it is."""
    marks = 0
    for each in text:
        marks = marks + 1 if category(each) in {"Mn", "Me"} else 0
        yield each.isprintable() and marks <= MOST_MARKS


def _escape(character: str, *, shown: bool) -> str:
    if character == "\\":
        return "\\\\"
    if shown:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - a byte that is no UTF-8, as PEP 383 carries it
        code -= 0xDC00
    if code <= 0xFF:  # noqa: PLR2004 - one byte
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - two bytes
