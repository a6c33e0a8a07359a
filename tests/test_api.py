"""What a Python program gets: the same report as the command, of the same objects, and nothing loaded too early."""

import doctest
import importlib
import json
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from private_engine import PrivateEngine, private_engine, wait_until

import inspector
from inspector.render.report_json import render_json
from inspector.render.report_text import render_text

ROOT = Path(__file__).parents[1]
WORLDS = sorted(each for each in (ROOT / "tests/worlds").iterdir() if each.is_dir())
HEAVY = {"click", "docker", "pyroute2", "requests", "rich", "scapy"}


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_a_recording_gives_the_report_of_the_command(world: Path) -> None:
    report = inspector.review(inspector.load(world))
    assert report.to_text() == (world / "report.txt").read_text()
    assert report.to_dict() == json.loads(render_json(report))
    assert report.to_dict()["schema"] == "dnetsniff.report/1"


def test_more_is_said_where_it_is_asked_for() -> None:
    report = inspector.review(inspector.load(WORLDS[0].parent / "switched"))
    assert report.to_text(verbose=True) == render_text(report, width=100, verbose=True)
    assert len(report.to_text(verbose=True)) > len(report.to_text())


def test_a_program_with_types_runs() -> None:
    program = runpy.run_path(str(ROOT / "tests/typing/program.py"))
    assert "DELIVERED" in program["replayed"](WORLDS[0].parent / "switched")
    assert program["version"] == inspector.__version__


def loaded(program: str) -> set[str]:
    """Run a program, and return the top-level modules it has loaded."""
    code = f"{program}\nimport sys\nprint(*{{each.partition('.')[0] for each in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-P", "-c", code], text=True).split())


@pytest.mark.parametrize(
    "program",
    [
        "import inspector; inspector.__version__; dir(inspector)",
        "import inspector; inspector.trace",
        f"import inspector; inspector.review(inspector.load({str(WORLDS[0])!r})).to_text()",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(program: str) -> None:
    assert not HEAVY & loaded(program)


def test_what_is_public_is_there_and_nothing_else() -> None:
    assert set(dir(inspector)) == set(inspector.__all__)
    for name in inspector.__all__:
        assert getattr(inspector, name)
    with pytest.raises(AttributeError, match="has no attribute 'anything'"):
        getattr(inspector, "anything")  # noqa: B009 - a type checker would refuse it
    public = importlib.import_module("inspector.api").__all__
    assert set(inspector.__all__) == {*public, "__version__"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 0}, "count is 0; it has to be from 1 to 1000"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"interval_s": 0.001}, "interval_s is 0.001"),
        ({"size": 70_000}, "size is 70000"),
        ({"ttl": 256}, "ttl is 256"),
        ({"family": 5}, "family is 5; it has to be 4 or 6"),
        ({"host": "unix:///a", "context": "b"}, "both name an engine"),
        ({"host": "unix:///nowhere.sock"}, "the engine cannot be reached"),
        ({"write": "/proc/nowhere/recording"}, "cannot save to /proc/nowhere/recording"),
    ],
)
def test_what_the_command_refuses_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(inspector.InspectorError, match=said):
        inspector.trace("web", "db", **options)


def test_what_the_page_shows_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 5
    assert result.failed == 0


@pytest.fixture(scope="module")
def private() -> Any:
    """Give an engine with two containers."""
    with private_engine() as engine:
        engine.start("left", "right")
        yield engine


@pytest.mark.docker
def test_a_live_trace_is_kept_and_read_back(private: PrivateEngine, tmp_path: Path) -> None:
    report = inspector.trace("left", "right", count=2, host=private.url, write=tmp_path / "recording")
    assert report.verdict.outcome == "delivered"
    assert report.statistics.received == 2
    assert inspector.review(inspector.load(tmp_path / "recording")) == report


@pytest.mark.docker
def test_a_survey_names_what_is_there(private: PrivateEngine) -> None:
    topology = inspector.survey(host=private.url)
    assert {each.name for each in topology.containers} == {"left", "right"}
    program = runpy.run_path(str(ROOT / "tests/typing/program.py"))
    report = program["live"]("left", "right", private.url)
    assert report.to_dict()["statistics"]["sent"] == 1


@pytest.mark.docker
def test_a_program_that_is_interrupted_waits_for_nothing(private: PrivateEngine) -> None:
    # A shell that starts the tests in the background has them ignore SIGINT, and what they start with them.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    trace = f"import inspector; inspector.trace('left', 'right', count=1000, interval_s=60, host={private.url!r})"
    code = f"{heard}; {trace}"
    process = subprocess.Popen([sys.executable, "-P", "-c", code], stderr=subprocess.PIPE, text=True)
    wait_until(private.is_watched, "nothing listens")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in err
    # Its second process dies with it, and the kernel closes what that held.
    wait_until(lambda: not private.is_watched(), "somebody still listens")
