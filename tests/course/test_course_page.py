"""docs/course.md is what the lessons and their recordings say, and its display filters find what it says they find."""

import re
import subprocess
from collections.abc import Iterator

import course_page
import pytest
from course_page import Filter

from inspector.course import catalogue, samples
from inspector.course.play import Page, contents
from inspector.model.sentence import LANGUAGES

ROW = re.compile(r"^\|[ \d.]+<>[ \w.]+\|(.*)$", re.MULTILINE)


def recorded() -> Iterator[tuple[str, str, str]]:
    """Each step with filters, on the engine that is shown, and on others where they find something else."""
    places = {(each.lesson, each.step) for each in course_page.filters()}
    for lesson, step in sorted(places):
        *others, newest = samples.engines(lesson)
        differ = any(not isinstance(each.frames, int) for each in of(lesson, step))
        for engine in (newest, *(others if differ else ())):
            yield lesson, step, engine


def of(lesson: str, step: str) -> tuple[Filter, ...]:
    return tuple(each for each in course_page.filters() if (each.lesson, each.step) == (lesson, step))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_what_the_lessons_say(lang: str) -> None:
    assert course_page.PAGES[lang].read_text(encoding="utf-8") == course_page.page(lang), "run `make docs`"


def test_the_readme_shows_the_list_of_lessons() -> None:
    layout = Page(width=course_page.WIDTH, coloured=False, lang="en")
    listed = contents((catalogue.find(each) for each in catalogue.names()), layout)
    assert f"$ dnetsniff lesson\n{listed}" in (course_page.DOCS.parent / "README.md").read_text(encoding="utf-8")


def test_each_step_that_was_recorded_has_a_filter() -> None:
    lessons = [catalogue.find(each) for each in catalogue.names()]
    asked = {(lesson.name, step.id) for lesson in lessons for step in lesson.steps if step.words}
    assert {(each.lesson, each.step) for each in course_page.filters()} == asked


@pytest.mark.parametrize(("lesson", "step", "engine"), list(recorded()))
def test_a_filter_finds_what_the_page_says(lesson: str, step: str, engine: str) -> None:
    wanted = of(lesson, step)
    # One column of the table for each filter; the commas between them are the option's own.
    table = ",".join(["io", "stat", "0", *(each.filter for each in wanted)])
    assert table.count(",") == 2 + len(wanted)
    frames = samples.find(lesson, step, engine) / "frames.pcapng"
    done = subprocess.run(["tshark", "-q", "-r", frames, "-z", table], capture_output=True, text=True, check=True)
    # One interval holds all; frames and bytes take turns in its row. A file without a frame has no row.
    row = ROW.search(done.stdout)
    counts = [int(each) for each in re.findall(r"\d+", row[1])[::2]] if row else [0 for _ in wanted]
    assert dict(zip((each.filter for each in wanted), counts, strict=True)) == {
        each.filter: each.finds(engine) for each in wanted
    }
