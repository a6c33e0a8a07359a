"""In which language a text is being written. Pure: set for the length of one rendering, and read by its pieces."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from inspector.model.sentence import ENGLISH

if TYPE_CHECKING:
    from inspector.languages import Catalogue

_CATALOGUE: ContextVar["Catalogue | None"] = ContextVar("catalogue", default=None)
"""None while English is written."""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Write in this language meanwhile; English loads no catalogue. Raises KeyError where a language is not known."""
    if language == ENGLISH:
        yield
        return
    from inspector.languages import catalogue

    token = _CATALOGUE.set(catalogue(language))
    try:
        yield
    finally:
        _CATALOGUE.reset(token)


def spoken(text: str) -> str:
    """Return a sentence, or a word of an enumeration, as the reader reads it; what is neither as it is."""
    known = _CATALOGUE.get()
    return text if known is None else known(text)


def is_english() -> bool:
    """Whether English is written: characters are one column each, and lines break at blanks alone."""
    return _CATALOGUE.get() is None


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    if _CATALOGUE.get() is None or text.isascii():
        return len(text)
    from inspector.render.wide import columns_of

    return columns_of(text)


def padded(text: str, width: int) -> str:
    """Return a text, as the reader reads it, with blanks up to a number of columns."""
    text = spoken(text)
    return text + " " * (width - cells(text))
