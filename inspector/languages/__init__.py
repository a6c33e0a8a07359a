"""Say sentences in another language than English, from a catalogue that is loaded when it is first asked for.

A catalogue is a folder of TOML files, named by the room that says the sentences: `"English template" = "translation"`,
with the same placeholders in an order of its own. What it does not have stays English.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files

from inspector.languages.recalling import Recall
from inspector.model.sentence import LANGUAGES, Sentence

BETWEEN = "; "
"""Stands between two sentences that were kept as one text."""
RECALLED = "stored.toml"
"""The file of sentences that recordings keep as plain text."""


class Catalogue:
    """One language."""

    def __init__(self, templates: dict[str, str], recalled: dict[str, str], words: dict[str, str]) -> None:
        """Take the templates, those of them that are recognized by their text, and the words of enumerations."""
        self.templates = {**templates, **recalled}
        self.words = words
        self._recall = Recall(recalled)

    def __call__(self, text: object) -> str:
        """Return a sentence, or a word of an enumeration, in this language; anything else as it is."""
        if isinstance(text, Sentence):
            return self._sentence(text)
        if isinstance(text, StrEnum):
            return self.words.get(f"{type(text).__name__}.{text}", str(text))
        if not isinstance(text, str):
            # A value may write itself as a sentence.
            written = str(text)
            return self(written) if isinstance(written, Sentence) else written
        return self._kept(text) or text

    def _kept(self, text: str) -> str | None:
        """Return what a recording kept as text in this language; None where it is no sentence that is known."""
        if " " not in text:
            return None
        parts = text.split(BETWEEN)
        if len(parts) > 1 and all(known := [self._kept(each) for each in parts]):
            return self.templates[BETWEEN].join(filter(None, known))
        if found := self._recall(text):
            template, values = found
            return self.templates[template].format(**{name: self(value) for name, value in values.items()})
        return None

    def _sentence(self, text: Sentence) -> str:
        if isinstance(text.values, tuple):
            return self.templates.get(text.template, text.template).join(self(each) for each in text.values)
        # Numbers stay numbers: a template may say how many digits are wanted.
        values = {name: each if isinstance(each, int | float) else self(each) for name, each in text.values.items()}
        return self.templates.get(text.template, text.template).format(**values)


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of one of LANGUAGES but English, which has none. Raises KeyError."""
    if language not in LANGUAGES[1:]:
        raise KeyError(language)
    folder = files(__name__) / language
    templates: dict[str, str] = {}
    recalled: dict[str, str] = {}
    words: dict[str, str] = {}
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            target = {RECALLED: recalled, "words.toml": words}.get(file.name, templates)
            target.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return Catalogue(templates, recalled, words)
