"""What was expected, beside what was seen, and the state it stands on. Pure.

A line of its own only where the packet's way was another, or where everything is asked for: a screen without surprises
is calm. What was not seen of the way, the ladder says.
"""

from collections.abc import Iterator

from inspector.model.prediction import Difference, Disagreement
from inspector.model.report import Report
from inspector.model.sentence import say
from inspector.render.text import Paint, Style, indented, label

MOST_POINTS = 4
"""Points named of each kind; the JSON has all."""


def expected_lines(report: Report, width: int, *, verbose: bool) -> Iterator[str]:
    """Write what the plan expected, and where the wire disagreed."""
    prediction = report.prediction
    # A port that says no came out of a way that went as expected.
    astray = any(each.kind is not Difference.OUTCOME for each in report.disagreements)
    if prediction is None or not (verbose or astray):
        return
    words = say("{outcome} ({why})", outcome=prediction.outcome, why=prediction.why)
    surprising = _points(report.disagreements, Difference.UNPLANNED)
    if surprising:
        words = say("{said}; seen beside it: {points}", said=words, points=surprising)
    yield from indented(words, width, label(say("expected")))


def state_lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """Write what routes, rules, settings and links say."""
    if report.state:
        yield ""
        yield paint(say("what the stacks go by"), Style.STRONG)
    for fact in report.state:
        yield from indented(fact.text, width, "  ", "    ")


def _points(found: tuple[Disagreement, ...], kind: Difference) -> str:
    points = list(dict.fromkeys(each.point for each in found if each.kind is kind and each.point))
    named, more = ", ".join(points[:MOST_POINTS]), len(points) - MOST_POINTS
    return say("{said} and {count} more", said=named, count=more) if more > 0 else named
