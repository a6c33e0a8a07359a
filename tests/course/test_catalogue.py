"""A lesson is read strictly: what is not known in its file is an error of ours, found by these tests."""

import pytest

from inspector.course import catalogue
from inspector.course.lesson import Connect, Lesson, Listen, MakeNetwork, Run, Verb
from inspector.errors import UsageError
from inspector.explain.findings import DETECTORS
from inspector.lab.layout import MEMBERS

KNOWN_FINDINGS = {each.__module__.rpartition(".")[2].replace("_", "-") for each in DETECTORS}
LAB = {each.name for each in MEMBERS}
LESSONS = [catalogue.find(each) for each in catalogue.names()]


def test_the_course_is_whole() -> None:
    assert catalogue.names() == catalogue.ORDER
    assert len(LESSONS) == 10
    assert sorted(row for each in LESSONS for row in each.rows) == list(range(1, 13))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.name)
def test_each_step_says_how_it_ends(lesson: Lesson) -> None:
    assert len({each.id for each in lesson.steps}) == len(lesson.steps)
    for step in lesson.steps:
        assert step.typed
        assert len(step.words) == (0 if step.verb is Verb.LS else 2)
        assert bool(step.outcomes) == (step.verb is not Verb.LS)
        assert set(step.findings) <= KNOWN_FINDINGS
        assert step.forget is None or step.forget in LAB


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.name)
def test_a_set_up_touches_the_lab_and_its_own_alone(lesson: Lesson) -> None:
    made, networks = set(LAB), {"bridge", "mynet"}
    for each in (one for step in lesson.steps for one in step.set_up):
        match each:
            case Run(name, network):
                kind, _, other = network.partition(":")
                assert name not in LAB
                assert other in made if kind == "container" else network in networks | {"host", "none"}
                made.add(name)
            case MakeNetwork(name):
                networks.add(name)
            case Connect(container, network):
                assert container in made
                assert network in networks
            case Listen(container, _):
                assert container in made


def test_an_unknown_lesson_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no lesson 'cluster'; did you mean clusters"):
        catalogue.find("cluster")
    with pytest.raises(UsageError, match="interfaces, bridge"):
        catalogue.find("zzz")


@pytest.mark.parametrize(
    "document",
    [
        {"rows": [], "steps": [], "more": 1},
        {"rows": [], "steps": [{"id": "a", "typed": []}]},
        {"rows": [], "steps": [{"id": "a", "typed": [], "ls": True, "color": 1}]},
        {"rows": [], "steps": [{"id": "a", "typed": [], "ls": True, "set_up": [{"run": {"title": "x"}}]}]},
        {"rows": [], "steps": [{"id": "a", "typed": [], "ls": True, "set_up": [{"walk": {}}]}]},
        {"rows": [], "steps": [{"id": "a", "typed": [], "trace": ["a", "b"], "outcomes": ["fine"]}]},
    ],
)
def test_a_file_with_a_mistake_is_no_lesson(document: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        catalogue.read("x", document)
