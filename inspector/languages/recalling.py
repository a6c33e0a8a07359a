"""Recognize sentences that were kept as plain English text, as a recording keeps them, by their templates. Pure.

1. The template with the most words of its own wins: a sentence fits many that are mostly gaps.
2. What is in a gap may be such a sentence itself.
"""

import re
from collections.abc import Iterable
from string import Formatter

LEAST = 6
"""Letters that a template needs of its own to be recognized."""
LONGEST = 600
"""Characters of a text that is looked at: of a longer one, from whoever, matching could take long."""


class Recall:
    """The templates of one catalogue that may be met as text."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Compile nothing yet: most reports keep few such sentences."""
        known = ((_own(each), each) for each in templates)
        self._templates = [each for own, each in sorted(known, key=lambda one: -one[0]) if own >= LEAST]
        self._shapes: list[tuple[re.Pattern[str], str]] | None = None

    def __call__(self, text: str) -> tuple[str, dict[str, str]] | None:
        """Return the template that a text was made from, and the values; None where it is of none."""
        if len(text) > LONGEST:
            return None
        if self._shapes is None:
            self._shapes = [(_shape(each), each) for each in self._templates]
        for shape, template in self._shapes:
            if found := shape.fullmatch(text):
                return template, found.groupdict()
        return None


def _own(template: str) -> int:
    return sum(len(re.findall(r"[A-Za-z]", literal)) for literal, *_ in Formatter().parse(template))


def _shape(template: str) -> re.Pattern[str]:
    parts: list[str] = []
    met: set[str] = set()
    for literal, name, _spec, _conversion in Formatter().parse(template):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P={name})" if name in met else f"(?P<{name}>.+?)")
            met.add(name)
    return re.compile("".join(parts), re.DOTALL)
