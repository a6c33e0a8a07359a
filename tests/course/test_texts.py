"""The catalogues say the same things in each language, about lessons and steps that are there."""

import tomllib
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from inspector.course import catalogue, facts
from inspector.course.texts import TEXTS, language, lesson_text, words
from inspector.model.sentence import LANGUAGES

FILES = sorted({each.name for lang in LANGUAGES for each in (TEXTS / lang).iterdir()})


def keys(table: dict[str, Any], ahead: str = "") -> Iterator[str]:
    """Yield where each text is; of a list also how many there are."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from keys(value, f"{ahead}{key}.")
        else:
            yield f"{ahead}{key}" + (f" x{len(value)}" if isinstance(value, list) else "")


def texts(table: dict[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, dict):
            yield from texts(value)
        else:
            yield from [value] if isinstance(value, str) else value


def read(lang: str, name: str) -> dict[str, Any]:
    return tomllib.loads((TEXTS / lang / name).read_text(encoding="utf-8"))


def test_there_is_a_text_for_each_lesson_and_no_other() -> None:
    assert {f"{each}.toml" for each in (*catalogue.names(), "words")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_all_languages_have_the_same_keys(name: str) -> None:
    found = {lang: sorted(keys(read(lang, name))) for lang in LANGUAGES}
    assert found["en"] == found["zh"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
def test_no_text_is_empty_and_none_names_a_fact_that_is_never_known(lang: str, name: str) -> None:
    for text in texts(read(lang, name)):
        assert text.strip() == text.strip("\n"), text
        assert text.strip(), f"{lang}/{name}"
        if name != "words.toml":
            named = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
            assert named <= set(facts.OF_REPORTS) | known_containers(), text


def known_containers() -> set[str]:
    from inspector.course.lesson import Run
    from inspector.lab.layout import MEMBERS

    made = [one.name for each in lessons() for step in each.steps for one in step.set_up if isinstance(one, Run)]
    names = {*made, *(each.name for each in MEMBERS)}
    networks = {"bridge", "mynet", "redis-net", "mysql-net"}
    return names | {f"{name}@{network}" for name in (*names, facts.GATEWAY) for network in networks}


def lessons() -> list[Any]:
    return [catalogue.find(each) for each in catalogue.names()]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", catalogue.names())
def test_a_lesson_speaks_of_each_of_its_steps(lang: str, name: str) -> None:
    text, lesson = lesson_text(lang, name), catalogue.find(name)
    assert list(text.steps) == [each.id for each in lesson.steps]
    assert any(each.question for each in text.steps.values())
    for each in text.steps.values():
        assert bool(each.question) == bool(each.answer)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_words_around_have_the_same_gaps(lang: str) -> None:
    def gaps(text: str) -> set[str]:
        return {field for _, field, _, _ in Formatter().parse(text) if field is not None}

    assert {key: gaps(text) for key, text in words(lang).items()} == {k: gaps(text) for k, text in words("en").items()}


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "ZH_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "de_DE"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LC_ALL": "C", "LC_MESSAGES": "zh_CN"}, "en"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh"),
        ({"DNETSNIFF_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], lang: str) -> None:
    assert language(environment) == lang
