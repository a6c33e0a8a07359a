"""`dnetsniff lab`: what is refused, before anything is made."""

from collections.abc import Callable
from typing import Any

import pytest

from inspector.cli.lab import _typed
from inspector.model.engine_choice import EngineChoice

Run = Callable[..., Any]
NOWHERE = ("--host", "unix:///nowhere.sock")


@pytest.mark.parametrize("verb", ["up", "status", "down"])
def test_without_an_engine_there_is_one_sentence(run: Run, verb: str) -> None:
    ran = run(*NOWHERE, "lab", verb)
    assert ran.status == 69
    assert ran.out == ""
    assert ran.err.startswith("dnetsniff: the engine cannot be reached")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("words", [("sideways",), ("up", "--no-such"), ("up", "extra"), ("down", "extra")])
def test_what_is_no_command_is_a_usage_error(run: Run, words: tuple[str, ...]) -> None:
    ran = run("lab", *words)
    assert ran.status == 2
    assert "Usage:" in ran.err


def test_each_command_is_in_the_help(run: Run) -> None:
    ran = run("lab", "--help")
    assert ran.status == 0
    for verb in ("up", "status", "down"):
        assert f"\n  {verb} " in ran.out
    up = run("lab", "up", "--help")
    assert "--image" in up.out
    assert "192.168.0.0/16" in up.out
    assert "--dns ADDRESS" in up.out


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (EngineChoice(), "dnetsniff lab up --image 'my image'"),
        (EngineChoice(host="unix:///a b.sock"), "dnetsniff --host 'unix:///a b.sock' lab up --image 'my image'"),
        (EngineChoice(context="other"), "dnetsniff --context other lab up --image 'my image'"),
    ],
)
def test_a_line_that_is_offered_means_the_same_engine_and_image(choice: EngineChoice, line: str) -> None:
    assert _typed(choice, "lab", "up", "--image", "my image") == line
