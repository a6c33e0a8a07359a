"""What a lesson shows, as text: pure, so that the same lesson reads the same live, replayed and in a test."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from msgspec import Struct

from inspector.course.facts import Facts
from inspector.course.lesson import Connect, Lesson, Listen, MakeNetwork, Run, SetUp, Step, Verb
from inspector.course.texts import LessonText, StepText, lesson_text, words
from inspector.model.report import Report
from inspector.model.topology import Topology
from inspector.render.language import speaking
from inspector.render.report_parts import outcome_word
from inspector.render.text import Paint, Style
from inspector.render.wide import broken, columns_of

MARGIN = "  "


class Shown(Struct, frozen=True):
    """What came of a step."""

    topology: Topology
    report: Report | None
    """None of `ls`."""


class Page(Struct, frozen=True):
    """How the lesson is to look."""

    width: int
    coloured: bool
    lang: str

    @property
    def paint(self) -> Paint:
        """Return what colours its headings."""
        return Paint(coloured=self.coloured)

    def word(self, key: str, **facts: str) -> str:
        """Return one of the words around the lessons."""
        return words(self.lang)[key].format_map(facts)


def contents(lessons: Iterable[Lesson], page: Page) -> str:
    """List the course: each lesson's name, which rows of the course it shows, and what in one line."""
    rows = [
        (each.name, " ".join(str(row) for row in each.rows), lesson_text(page.lang, each.name).line) for each in lessons
    ]
    rows = [("", page.word("rows"), ""), *rows]
    name_width, row_width = (max(columns_of(row[n]) for row in rows) for n in (0, 1))
    lines = [*wrapped(page.word("contents"), page.width), ""]
    for name, covered, line in rows:
        lead = f"{MARGIN}{name.ljust(name_width)}  {covered}{' ' * (row_width - columns_of(covered))}  "
        first, *rest = wrapped(line, page.width, lead)
        # Colour takes no column, so it comes after the lines are broken.
        lines += [first.replace(name, page.paint(name, Style.STRONG), 1) if name else first, *rest]
    lines += ["", *wrapped(page.word("contents_more"), page.width)]
    return _joined(lines)


def opening(lesson: Lesson, where: str, page: Page) -> str:
    """Show what the lesson is about, and `where` its traces come from."""
    text = lesson_text(page.lang, lesson.name)
    title = f"{lesson.name}  {text.title}"
    lines = ["", page.paint(title, Style.STRONG), page.paint("=" * columns_of(title), Style.DIM)]
    lines += [*wrapped(where, page.width), "", *wrapped(text.opening, page.width)]
    return _joined(lines)


def before(lesson: Lesson, step: Step, facts: Facts, page: Page) -> str:
    """Show what is going to be asked, and how a person would ask it by hand."""
    number = lesson.steps.index(step) + 1
    text = _text(lesson, step, page)
    head = page.word("step", number=str(number), count=str(len(lesson.steps)))
    lines = ["", page.paint(head, Style.STRONG), *wrapped(facts.fill(text.ask), page.width, MARGIN), ""]
    said: tuple[tuple[str, list[str], list[str]], ...] = (
        ("set_up", [*map(_typed, step.set_up)], _made(step, page)),
        ("typed", [facts.fill(each) for each in step.typed], []),
        ("asked", [command_of(step, facts)], []),
    )
    widest = max(columns_of(page.word(key)) for key, _, _ in said)
    for key, commands, sentences in said:
        head = page.word(key)
        leads = chain(
            [f"{MARGIN}{head}{' ' * (widest - columns_of(head))}  "], repeat(" " * (len(MARGIN) + widest + 2))
        )
        # A command stays whole, to be copied; a sentence does not.
        lines += [lead + each for each, lead in zip(filter(None, commands), leads, strict=False)]
        lines += [
            line for each, lead in zip(sentences, leads, strict=False) for line in wrapped(each, page.width, lead)
        ]
    return _joined(lines)


def after(lesson: Lesson, step: Step, facts: Facts, page: Page) -> str:
    """Show what to look at in the trace, why it is so, and a question about it."""
    text = _text(lesson, step, page)
    lines = ["", page.paint(page.word("look"), Style.STRONG)]
    for each in text.look:
        lines += wrapped(facts.fill(each), page.width, f"{MARGIN}- ")
    lines += _said("why", text.why, facts, page)
    lines += _said("question", text.question, facts, page)
    return _joined(lines)


def answered(lesson: Lesson, step: Step, facts: Facts, page: Page) -> str:
    """Show the answer, and how it is on other engine versions."""
    text = _text(lesson, step, page)
    return _joined([*_said("answer", text.answer, facts, page), *_said("versions", text.versions, facts, page)])


def closing(lesson: Lesson, page: Page) -> str:
    """Show what to keep of the lesson."""
    return _joined(["", *wrapped(lesson_text(page.lang, lesson.name).closing, page.width)])


def mismatches(step: Step, report: Report | None, page: Page) -> Iterator[str]:
    """Say where a run showed something else than the texts speak of."""
    if report is None:
        return
    found = {each.id for each in report.findings}
    if step.outcomes and report.verdict.outcome not in step.outcomes:
        with speaking(page.lang):
            ended, *usual = map(outcome_word, (report.verdict.outcome, *step.outcomes))
        yield page.word("other_outcome", expected=f" {page.word('or')} ".join(usual), found=ended)
    for each in step.findings:
        if each not in found:
            yield page.word("no_finding", expected=each)


def warned(told: Iterable[str], page: Page) -> str:
    """Show what a run has otherwise than the lesson says."""
    return _joined(page.paint(line, Style.DOUBT) for each in told for line in ("", *wrapped(each, page.width)))


def command_of(step: Step, facts: Facts) -> str:
    """Write the command that asks what the step asks."""
    options = [] if step.count == 3 or step.verb is not Verb.TRACE else [f"-c {step.count}"]  # noqa: PLR2004
    options += [] if step.timeout_s == 1 else [f"-W {step.timeout_s:g}"]
    options += [] if step.look_up else ["--no-lookup"]
    return " ".join(("dnetsniff", step.verb, *(facts.fill(each) for each in step.words), *options))


def _made(step: Step, page: Page) -> list[str]:
    """Say what is set up for a step by no command that one could type."""
    listening = (each for each in step.set_up if isinstance(each, Listen))
    made = [page.word("listens", container=each.container, port=str(each.port)) for each in listening]
    return [*made, page.word("forgets", container=step.forget)] if step.forget else made


def _typed(each: SetUp) -> str:
    """Write a set-up as a person would type it; IMAGE is whatever the lab is made of."""
    match each:
        case Connect(container, network):
            return f"docker network connect {network} {container}"
        case MakeNetwork(name):
            return f"docker network create {name}"
        case Run(name, network, publish):
            port = f" -p {publish[0]}:{publish[1]}" if publish else ""
            return f"docker run -d --name {name} --network {network}{port} IMAGE"
        case Listen():
            return ""


def wrapped(text: str, width: int, first: str = "") -> list[str]:
    """Break a text of either language into lines that fit, the others below where the first one's text begins."""
    return broken(text, width, first, " " * columns_of(first)) or [first.rstrip()]


def _said(key: str, text: str, facts: Facts, page: Page) -> list[str]:
    if not text:
        return []
    return ["", page.paint(page.word(key), Style.STRONG), *wrapped(facts.fill(text), page.width, MARGIN)]


def _text(lesson: Lesson, step: Step, page: Page) -> StepText:
    text: LessonText = lesson_text(page.lang, lesson.name)
    return text.steps[step.id]


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{each}\n" for each in lines)
