"""Bad news ends in one sentence and the contract's exit status, whatever raised it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import FULL, ran_into

from inspector import __version__, errors
from inspector.cli.main import COMMANDS

Run = Callable[..., Any]
HEAVY = ("scapy", "docker", "pyroute2", "rich")

RAISING = """
import sys, types, click
from inspector import errors
from inspector.cli import main
@click.command()
def command():
    raise {error}
module = types.ModuleType("raising")
module.command = command
sys.modules["raising"] = module
main.COMMANDS["raise"] = ("raising", "")
main.main()
"""


def raising(error: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command that raises this, through the real `main`."""
    program = [sys.executable, "-P", "-c", RAISING.format(error=error), *options, "raise"]
    return subprocess.run(program, capture_output=True, text=True, check=False)


STATUSES = {
    each.__name__: each.exit_status
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.InspectorError)
}


@pytest.mark.parametrize("name", list(STATUSES))
def test_an_error_of_ours_is_one_sentence_with_its_way_out(name: str) -> None:
    done = raising(f"errors.{name}('it is broken', 'mend it')")
    assert (done.returncode, done.stdout) == (STATUSES[name], "")
    assert done.stderr == "dnetsniff: it is broken; mend it\n"


def test_the_statuses_are_the_contract_s() -> None:
    assert sorted(STATUSES.values()) == [2, 65, 66, 69, 70, 74, 75, 77]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("MemoryError()", "there is not enough memory"),
        ("OSError(24, 'Too many open files')", "no more files may be open at once"),
        ('RuntimeError("can\'t start new thread")', "the kernel starts no more threads or processes"),
    ],
)
def test_what_the_machine_has_too_little_of_is_no_bug_of_ours(error: str, said: str) -> None:
    done = raising(error)
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith(f"dnetsniff: {said}; ")
    assert done.stderr.count("\n") == 1


def test_an_interruption_is_130_and_no_traceback() -> None:
    done = raising("KeyboardInterrupt")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_a_bug_is_one_sentence() -> None:
    done = raising("RuntimeError('first\\nsecond \\x1b[31m')")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("dnetsniff: this is a bug of ours (RuntimeError")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_a_bug_with_debug_shows_where() -> None:
    done = raising("RuntimeError('here')", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("status", [0, 1, 3, 75])
def test_a_status_of_the_command_s_own_is_passed_on(status: int) -> None:
    assert raising(f"SystemExit({status})").returncode == status


@pytest.mark.parametrize(
    "words", [("nosuchcommand",), ("--nosuchoption",), ("trace",), ("--context", "a", "--host", "b", "ls")]
)
def test_a_usage_error_is_2(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def test_the_version_is_the_package_s(run: Run) -> None:
    assert run("--version").out == f"dnetsniff, version {__version__}\n"


def test_help_lists_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.status == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ran.out


PAGES = [("--help",), ("--version",), ("trace", "--help"), ("lab", "--help")]


@pytest.mark.parametrize("words", PAGES)
def test_a_reader_that_left_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = ran_into(writing, *words)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [*PAGES, ("doctor",), ("doctor", "--format", "json")])
def test_a_full_disk_is_74(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = ran_into(full, *words)
    assert (done.returncode, done.stderr) == (74, FULL)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_a_full_disk_is_74_in_any_encoding(encoding: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = ran_into(full, "--help", env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (74, FULL)


def test_output_that_is_closed_is_74() -> None:
    done = ran_into(None, "--help", preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (74, "dnetsniff: cannot write the output: Bad file descriptor\n")


def test_nobody_to_be_told_changes_no_status() -> None:
    with Path("/dev/full").open("w") as full:
        assert ran_into(subprocess.DEVNULL, "nosuchcommand", stderr=full).returncode == 2
        assert ran_into(subprocess.DEVNULL, "--host", "unix:///nowhere.sock", "ls", stderr=full).returncode == 69


def test_help_is_fast_because_it_loads_nothing() -> None:
    """The figure itself (0.15 s) is the benchmark's; here only its cause, and a bound no machine should miss."""
    program = (
        "import sys\nfrom inspector.cli import main\n"
        "commands = [module for module, _ in main.COMMANDS.values()]\n"
        f"print([each for each in (*{HEAVY}, *commands) if each in sys.modules])"
    )
    begun = time.monotonic()
    out = subprocess.check_output([sys.executable, "-P", "-c", program], text=True)
    assert out == "[]\n"
    assert time.monotonic() - begun < 5
