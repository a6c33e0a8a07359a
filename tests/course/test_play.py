"""What a lesson shows fits its page, and says where a run ended otherwise than the texts."""

import msgspec.structs
import pytest

from inspector.archive import load
from inspector.course import catalogue, play, samples
from inspector.course.facts import Facts
from inspector.course.lesson import Connect, Lesson, Listen, MakeNetwork, Run, Step, Verb
from inspector.course.play import Page
from inspector.course.teach import Teacher
from inspector.course.texts import words
from inspector.course.world import Replayed
from inspector.model.report import Outcome, Report
from inspector.model.sentence import LANGUAGES
from inspector.pipeline import review
from inspector.render.wide import columns_of

LESSONS = [catalogue.find(each) for each in catalogue.names()]
ENGLISH = Page(80, coloured=False, lang="en")
STEP = Step(id="one", verb=Verb.TRACE, words=("a", "{b}"), typed=(), sample="one")


def told(lesson: Lesson, page: Page) -> str:
    """Play a lesson from its recordings."""
    said: list[str] = []
    Teacher(page, say=said.append, pause=lambda: said.append("--\n"), terminal=page.width).teach(
        lesson, Replayed(None), "here"
    )
    return "".join(said)


def report() -> Report:
    return review(load(samples.find("isolation", "there", "28")))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.name)
def test_what_is_told_fits(lesson: Lesson, width: int, lang: str) -> None:
    page = Page(width, coloured=False, lang=lang)
    for line in narrated(lesson, page).splitlines():
        # A command is not broken, so that it can be copied.
        assert columns_of(line) <= width or "docker " in line, line


def narrated(lesson: Lesson, page: Page) -> str:
    """Return what is said around the reports, whose lines are their renderer's own."""
    world, said = Replayed(None), [play.opening(lesson, "here", page), play.closing(lesson, page)]
    for step in lesson.steps:
        known = Facts(world.prepare(lesson, step), "?")
        said += [play.before(lesson, step, known, page)]
        said += [play.after(lesson, step, known, page), play.answered(lesson, step, known, page)]
    return "".join(said)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.name)
def test_a_reader_is_asked_to_wait_three_times_in_each_step(lesson: Lesson) -> None:
    assert told(lesson, ENGLISH).count("--\n") >= 3 * len(lesson.steps)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.name)
def test_colour_only_repeats_words(lesson: Lesson) -> None:
    import re

    coloured = told(lesson, Page(100, coloured=True, lang="en"))
    assert re.sub(r"\x1b\[\d+m", "", coloured) == told(lesson, Page(100, coloured=False, lang="en"))


def test_the_command_is_what_a_person_would_type() -> None:
    known = Facts({"b": "192.0.2.1"}, "?")
    assert play.command_of(STEP, known) == "dnetsniff trace a 192.0.2.1"
    changed = msgspec.structs.replace(STEP, count=1, timeout_s=0.3, look_up=False)
    assert play.command_of(changed, known) == "dnetsniff trace a 192.0.2.1 -c 1 -W 0.3 --no-lookup"
    listed = msgspec.structs.replace(STEP, verb=Verb.LS, words=())
    assert play.command_of(listed, known) == "dnetsniff ls"


def test_a_set_up_is_shown_as_typed_or_said() -> None:
    lesson = LESSONS[0]
    step = msgspec.structs.replace(
        lesson.steps[0],
        forget="tomcat02",
        set_up=(
            Connect("c1", "n1"),
            MakeNetwork("n2"),
            Run("c2", "host", publish=(18080, 80)),
            Listen("c2", 80),
        ),
    )
    shown = play.before(msgspec.structs.replace(lesson, steps=(step,)), step, Facts({}, "?"), ENGLISH)
    for each in (
        "docker network connect n1 c1",
        "docker network create n2",
        "docker run -d --name c2 --network host -p 18080:80 IMAGE",
        "takes connections on port 80 in c2",
        "forgets which port tomcat02 is behind",
    ):
        assert each in shown


def test_what_is_usual_is_no_mismatch() -> None:
    step = catalogue.find("isolation").steps[0]
    assert list(play.mismatches(step, report(), ENGLISH)) == []
    assert list(play.mismatches(step, None, ENGLISH)) == []


def test_another_outcome_and_a_missing_finding_are_said() -> None:
    step = msgspec.structs.replace(
        STEP, outcomes=(Outcome.DELIVERED, Outcome.REJECTED), findings=("networks-isolated", "port-closed")
    )
    first, second = play.mismatches(step, report(), ENGLISH)
    assert "DROPPED instead of DELIVERED or REJECTED" in first
    assert "port-closed" in second
    chinese, _ = play.mismatches(step, report(), Page(80, coloured=False, lang="zh"))
    assert "DROPPED" not in chinese
    assert "已送达" in chinese


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_mismatch_is_told_and_counted(lang: str) -> None:
    lesson = catalogue.find("isolation")
    first = msgspec.structs.replace(lesson.steps[0], outcomes=(Outcome.DELIVERED,))
    said: list[str] = []
    teacher = Teacher(Page(100, coloured=False, lang=lang), say=said.append, pause=lambda: None)
    teacher.teach(msgspec.structs.replace(lesson, steps=(first, *lesson.steps[1:])), Replayed(None), "here")
    assert teacher.otherwise == 1
    beginning = words(lang)["other_outcome"].partition("{")[0]
    assert beginning in "".join(said)


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert Facts({"a": "1"}, "(not known)").fill("{a} and {mynet-tomcat01@mynet}") == "1 and (not known)"
