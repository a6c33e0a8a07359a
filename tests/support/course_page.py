"""Write docs/course.md and docs/course.zh.md from the lessons and their recordings; the test compares.

All screens are what `dnetsniff lesson NAME --replay` shows. Beside them stand display filters for Wireshark
(`course_filters.toml`), of which the test tries each.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from inspector.course import catalogue, facts, play, samples
from inspector.course.facts import Facts
from inspector.course.lesson import Lesson, Step
from inspector.course.play import Page
from inspector.course.teach import think
from inspector.course.texts import StepText, lesson_text
from inspector.course.world import Replayed
from inspector.model.sentence import LANGUAGES
from inspector.render import report_text, topology_text

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGES = {"en": DOCS / "course.md", "zh": DOCS / "course.zh.md"}
WIDTH = 100


class Filter(Struct, frozen=True):
    """A display filter for one step's frames.pcapng."""

    lesson: str
    step: str
    filter: str
    frames: int | dict[str, int]
    """How many frames it finds; by engine where they differ."""
    en: str
    zh: str

    def finds(self, engine: str) -> int:
        """Return how many frames it finds in an engine's recording."""
        return self.frames if isinstance(self.frames, int) else self.frames[engine]


def filters() -> tuple[Filter, ...]:
    """Return all of them, in the order of the page."""
    return tuple(Filter(**each) for each in _read("course_filters.toml")["filters"])


def page(lang: str) -> str:
    """Return the whole page."""
    said = _read("course_words.toml")[lang]
    lessons = [catalogue.find(each) for each in catalogue.names()]
    engine = Replayed(None).engine(lessons[0]).version
    parts = [f"# {said['title']}", said["intro"].strip().format(engine=engine), *_contents(lessons, lang, said)]
    for each in lessons:
        parts += _lesson(each, lang, said)
    return "\n\n".join(parts) + "\n"


def _contents(lessons: list[Lesson], lang: str, said: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        f"| [{each.name}](#{each.name}) | {lesson_text(lang, each.name).line} |"
        f" {', '.join(str(row) for row in each.rows) or '-'} |"
        for each in lessons
    ]
    yield "\n".join([_row(said["lessons"], said["shows"], said["rows"]), "|---|---|---|", *rows])
    yield f"## {said['row_table']}"
    shown = [
        _row(number, seen, ", ".join(f"[{each.name}](#{each.name})" for each in lessons if number in each.rows))
        for number, seen in enumerate(said["seen_rows"], 1)
    ]
    yield "\n".join([_row(said["row"], said["seen"], said["lessons"]), "|---|---|---|", *shown])


def _lesson(lesson: Lesson, lang: str, said: Mapping[str, Any]) -> Iterator[str]:
    text = lesson_text(lang, lesson.name)
    yield f"## {lesson.name}\n\n**{text.title}**"
    yield text.opening
    for step in lesson.steps:
        yield from _step(lesson, step, text.steps[step.id], lang, said)
    yield f"> {text.closing}"


def _step(lesson: Lesson, step: Step, text: StepText, lang: str, said: Mapping[str, Any]) -> Iterator[str]:
    layout = Page(width=WIDTH, coloured=False, lang=lang)
    world = Replayed(None)
    known = Facts(world.prepare(lesson, step), layout.word("unknown"))
    shown = think(world.ask(lesson, step, known))
    if shown.report is not None:
        known = Facts(known | facts.of_report(shown.report), layout.word("unknown"))

    def led(key: str, text: str) -> str:
        return f"{said['lead'].format(word=layout.word(key))}{known.fill(text)}"

    yield f"### {lesson.name}: {step.id}"
    yield known.fill(text.ask)
    # What is set up and typed is the last paragraph of what a lesson says before it asks.
    yield _fenced(play.before(lesson, step, known, layout).rstrip().rpartition("\n\n")[2])
    if shown.report is None:
        yield _fenced(topology_text.render_text(shown.topology, width=WIDTH))
    else:
        yield _fenced(report_text.render_text(shown.report, width=WIDTH, lang=lang))
        yield from _elsewhere(lesson, step, lang, said)
    yield f"**{layout.word('look')}**"
    yield "\n".join(f"- {known.fill(each)}" for each in text.look)
    yield led("why", text.why)
    if text.question:
        yield led("question", text.question)
        yield f"<details><summary>{layout.word('answer')}</summary>\n\n{known.fill(text.answer)}\n\n</details>"
    if text.versions:
        yield led("versions", text.versions)
    yield from _found(lesson, step, lang, said)


def _elsewhere(lesson: Lesson, step: Step, lang: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the step ended on the engines whose recording is not shown, where a rule of theirs stopped it."""
    for engine in samples.engines(lesson.name)[:-1]:
        world = Replayed(engine)
        report = think(world.ask(lesson, step, Facts({}, ""))).report
        if report is not None and report.verdict.rule is not None:
            yield said["other"].format(engine=world.engine(lesson).version)
            yield _fenced(report_text.render_verdict(report, width=WIDTH, lang=lang))


def _found(lesson: Lesson, step: Step, lang: str, said: Mapping[str, Any]) -> Iterator[str]:
    newest = samples.engines(lesson.name)[-1]
    rows = [
        _row(f"`{each.filter}`", getattr(each, lang), _frames(each, lesson, newest))
        for each in filters()
        if (each.lesson, each.step) == (lesson.name, step.id)
    ]
    if rows:
        head = _row(said["filter"], said["finds"], said["frames"])
        file = f"captures/samples/{lesson.name}/{newest}/{step.id}/frames.pcapng"
        yield said["place"].format(find=said["find"], file=file)
        yield "\n".join([head, "|---|---|---|", *rows])


def _frames(each: Filter, lesson: Lesson, newest: str) -> str:
    others = [f"{name}: {each.finds(name)}" for name in samples.engines(lesson.name)[:-1]]
    shown = str(each.finds(newest))
    return shown if isinstance(each.frames, int) else ", ".join([f"{newest}: {shown}", *others])


def _fenced(text: str) -> str:
    return f"```\n{text.strip(chr(10))}\n```"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(each) for each in cells)} |"


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    for each in LANGUAGES:
        PAGES[each].write_text(page(each), encoding="utf-8")
