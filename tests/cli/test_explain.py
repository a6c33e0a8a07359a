"""`dnetsniff explain`: a recorded world gives its report again, whoever asks, wherever; the rest is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from capabilities import keep_capabilities
from click.testing import CliRunner
from commands import dnetsniff

from inspector.archive import load
from inspector.cli.answer import exit_status
from inspector.cli.explain import command
from inspector.pipeline import review
from inspector.render.report_json import render_json
from inspector.render.report_text import render_text, render_verdict

WORLDS = sorted(each for each in (Path(__file__).parents[1] / "worlds").iterdir() if each.is_dir())
ISOLATED = next(each for each in WORLDS if each.name == "isolated")
SURROUNDINGS = [
    {"TZ": "Asia/Shanghai", "LC_ALL": "C", "COLUMNS": "200", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Lima", "LC_ALL": "C.UTF-8", "COLUMNS": "40", "LINES": "5", "PYTHONHASHSEED": "2"},
]
FORMS: dict[tuple[str, ...], Callable[[Any], str]] = {
    (): lambda report: render_text(report, width=100),
    ("-v",): lambda report: render_text(report, width=100, verbose=True),
    ("-q",): lambda report: render_verdict(report, width=100),
    ("--format", "json"): lambda report: render_json(report) + "\n",
}
HEAVY = ("scapy", "docker", "requests", "pyroute2", "rich", "inspector.discover", "inspector.capture")


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_a_world_gives_its_report_and_its_status(world: Path) -> None:
    ran = CliRunner().invoke(command, [str(world)])
    assert (ran.stdout, ran.stderr) == ((world / "report.txt").read_text(), "")
    assert ran.exit_code == exit_status(review(load(world)))


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=lambda each: each["TZ"])
@pytest.mark.parametrize("words", FORMS, ids=" ".join)
def test_the_surroundings_change_nothing(words: tuple[str, ...], surroundings: dict[str, str]) -> None:
    environment = {**os.environ, **surroundings, "DOCKER_HOST": "unix:///nowhere.sock", "HOME": "/nowhere"}
    ran = dnetsniff("explain", str(ISOLATED), *words, env=environment, cwd="/", preexec_fn=keep_capabilities)
    assert (ran.out, ran.err) == (FORMS[words](review(load(ISOLATED))), "")
    assert ran.status == 1


def test_the_report_goes_where_it_is_wanted(tmp_path: Path) -> None:
    words = ("explain", str(ISOLATED), "-o", str(tmp_path / "report.txt"))
    ran = dnetsniff(*words)
    assert (ran.status, ran.out, ran.err) == (1, "", "")
    assert (tmp_path / "report.txt").read_text() == (ISOLATED / "report.txt").read_text()
    again = dnetsniff(*words)
    assert (again.status, again.out) == (74, "")


def test_neither_an_engine_nor_a_dissector_is_loaded() -> None:
    program = (
        "import sys\nfrom click.testing import CliRunner\nfrom inspector.cli.explain import command\n"
        f"CliRunner().invoke(command, [{str(ISOLATED)!r}])\n"
        f"print([each for each in {HEAVY} if each in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-P", "-c", program], text=True) == "[]\n"


def _nothing(path: Path) -> None:
    del path


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def _half(path: Path) -> None:
    path.mkdir()
    (path / "recording.json").write_text(json.dumps({"schema": "dnetsniff.recording/1"}))


REFUSED: list[tuple[int, Callable[[Path], object], str]] = [
    (66, _nothing, "cannot read"),
    (66, Path.mkdir, "there is no recording.json"),
    (66, _link_to_itself, "cannot read"),
    (65, Path.touch, "the file is empty"),
    (65, os.mkfifo, "neither a folder nor a regular file"),
    (65, _half, "topology is missing"),
]


@pytest.mark.parametrize(("status", "make", "why"), REFUSED)
def test_what_is_no_recording_is_refused_in_a_sentence(
    tmp_path: Path, status: int, make: Callable[[Path], object], why: str
) -> None:
    make(tmp_path / "it")
    ran = dnetsniff("explain", str(tmp_path / "it"))
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert why in ran.err


@pytest.mark.parametrize(("path", "status"), [("-", 65), ("/dev/null", 65), ("/dev/zero", 65), ("a\x1b[2J", 66)])
def test_no_path_holds_us_up_or_reaches_the_terminal(path: str, status: int) -> None:
    ran = dnetsniff("explain", path)
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert "\x1b" not in ran.err
