"""Every lesson, replayed: each step shows its report, in both languages, of each engine it was recorded on."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from inspector.archive import load
from inspector.cli.lesson import command
from inspector.course import catalogue, samples
from inspector.course.lesson import Verb
from inspector.course.texts import lesson_text, words
from inspector.model.engine_choice import EngineChoice
from inspector.model.sentence import ENGLISH, LANGUAGES
from inspector.pipeline import review
from inspector.render.report_text import render_text
from inspector.render.wide import columns_of

RECORDED = [(name, engine) for name in catalogue.names() for engine in samples.engines(name)]


def played(*arguments: str) -> str:
    ran = CliRunner().invoke(command, arguments, obj=EngineChoice(), catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def expected(sample: Path, lang: str) -> str:
    """Return the report that lies beside a sample, or the same in another language."""
    if lang == ENGLISH:
        return (sample / "report.txt").read_text(encoding="utf-8")
    return render_text(review(load(sample)), width=100, lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "engine"), RECORDED)
def test_each_step_shows_what_was_recorded(name: str, engine: str, lang: str) -> None:
    shown = played(name, "--engine", engine, "--lang", lang)
    lesson = catalogue.find(name)
    said, around = lesson_text(lang, name), words(lang)
    assert said.title in shown
    for step in lesson.steps:
        assert f"dnetsniff {step.verb}" in shown
        if step.verb is not Verb.LS:
            assert expected(samples.find(name, step.id, engine), lang) in shown
    assert shown.count(around["look"]) >= len(lesson.steps)
    assert around["unknown"] not in shown
    assert around["other_outcome"][:10] not in shown
    assert around["no_finding"][:10] not in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_names_every_lesson(lang: str) -> None:
    listed = played("--lang", lang)
    assert all(name in listed for name in catalogue.names())
    assert all(columns_of(line) <= 100 for line in listed.splitlines())
