"""One line of the table that `make bench` prints, and how it is written."""

from collections.abc import Iterable
from typing import NamedTuple

HEAD = ("what", "dnetsniff", "beside", "ratio", "goal", "met")
LEAST, MOST = "at least", "at most"


class Row(NamedTuple):
    """A measurement: ours, beside an alternative, as a ratio, the median of pairs."""

    what: str
    ours: str
    """With its unit."""
    beside: str
    """The alternative, and its figure."""
    ratios: tuple[float, ...] = ()
    goal: float | None = None
    direction: str = MOST
    """Whether the goal is the most or the least that the ratio may be."""

    @property
    def met(self) -> str:
        """Say whether the goal is met, where there is one."""
        if self.goal is None or not self.ratios:
            return ""
        # As they are written, so that nobody reads a goal that is missed by what is not shown.
        ratios = [round(each, 2) for each in self.ratios]
        met = max(ratios) <= self.goal if self.direction == MOST else min(ratios) >= self.goal
        return "yes" if met else "**no**"

    def cells(self) -> tuple[str, ...]:
        """Return what stands in the table."""
        ratio = "; ".join(f"{each:.2f}" for each in self.ratios)
        goal = "" if self.goal is None else f"{self.direction} {self.goal:.2f}"
        return (self.what, self.ours, self.beside, ratio, goal, self.met)


def table(rows: Iterable[Row]) -> str:
    """Write Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(each.cells() for each in rows)]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)
