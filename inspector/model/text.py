"""Make text from packets, containers and engines harmless, once, where it enters the model."""

LIMIT = 256
"""Longest text kept, in characters; a DNS name has at most 255 (RFC 1035, 2.3.4)."""


def safe(raw: str | bytes, limit: int = LIMIT) -> str:
    r"""Return the text with every character that a terminal could obey written as an escape.

    `str.isprintable` refuses all control, bidirectional, line-separator and surrogate characters; each of those
    becomes `\xNN`, `\uNNNN` or `\UNNNNNNNN`. A backslash is doubled in text that has any, so that an escape of
    ours cannot be mistaken for text of theirs.
    """
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - a byte that is no UTF-8, as PEP 383 carries it
        code -= 0xDC00
    if code <= 0xFF:  # noqa: PLR2004 - one byte
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - two bytes
