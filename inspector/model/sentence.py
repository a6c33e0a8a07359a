"""Sentences that can be said again in another language: they remember how they were made.

1. A Sentence is its English text, and nothing else to whoever takes a str: it is compared, kept and sent as that.
2. Beside it it remembers its template and the values in it, sentences among them. A catalogue is asked for the template
   (`inspector.languages`), and only where another language is wanted.
3. A sentence is written whole. Half of one, glued to another half, has no place in a language of another word order.
"""

from collections.abc import Iterable, Mapping
from typing import Any

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh")
"""What a report can be written in, by ISO 639-1; the first is what sentences are written in."""


class Sentence(str):
    """English text, and what it was made from."""

    __slots__ = ("template", "values")

    template: str
    """What `str.format` takes; of a list, what stands between its members."""
    values: Mapping[str, object] | tuple[object, ...]
    """By their names in the template; of a list, its members."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process with everything."""
        return _again, (str(self), self.template, self.values)


def say(template: str, /, **values: object) -> Sentence:
    """Return the sentence; `template` has to be a literal, for the catalogues are checked against the sources."""
    sentence = Sentence(template.format(**values))
    sentence.template, sentence.values = template, values
    return sentence


def join(between: str, members: Iterable[object]) -> str:
    """Return the members with something between them, as `str.join` does; of one member, itself."""
    known = tuple(members)
    if len(known) < 2:  # noqa: PLR2004 - nothing stands between
        return known[0] if known and isinstance(known[0], Sentence) else "".join(map(str, known))
    return _again(between.join(map(str, known)), between, known)


def _again(text: str, template: str, values: Mapping[str, object] | tuple[object, ...]) -> Sentence:
    sentence = Sentence(text)
    sentence.template, sentence.values = template, values
    return sentence
