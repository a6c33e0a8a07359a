"""`dnetsniff doctor`: every check is in both forms, and the exit status says what is missing."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from inspector.cli.doctor import exit_status
from inspector.discover.doctor import Area, Check, State
from inspector.discover.kernel import SETTINGS
from inspector.privileges import OF_OWNER

Run = Callable[..., Any]
NOWHERE = ("--host", "unix:///nowhere.sock")
FEATURES = (
    "packet ring",
    "kernel filter",
    "network namespaces",
    "pidfd",
    "drop reasons",
    "br_netfilter",
    "nf_tables",
    "rule tracing",
)


def check(area: Area, state: State) -> Check:
    return Check(area=area, name="name", state=state, value="value", purpose="purpose")


def test_text_names_everything_that_is_looked_at(run: Run) -> None:
    ran = run("doctor")
    assert ran.status in (0, 69, 77), ran.err
    lines = [line.split("  ")[1][3:] for line in ran.out.splitlines() if line.startswith("  ")]
    for name, purpose in ((each.name, each.purpose) for each in OF_OWNER):
        assert sum(line.startswith(name) for line in lines) == 1, ran.out
        assert purpose in ran.out
    for name in (*FEATURES, *SETTINGS):
        assert f" {name} " in ran.out
    assert [line for line in ran.out.splitlines()[:-1] if not line.startswith(" ")] == [str(area) for area in Area]


def test_json_says_the_same(run: Run) -> None:
    ran = run("doctor", "--format", "json")
    assert ran.status in (0, 69, 77), ran.err
    assert ran.json["schema"] == "dnetsniff.doctor/1"
    names = [each["name"] for each in ran.json["checks"]]
    assert names == [*(each.name for each in OF_OWNER), "engine", *FEATURES, *SETTINGS]
    for each in ran.json["checks"]:
        assert set(each) == {"area", "name", "state", "value", "purpose"}
        assert each["state"] in set(State)
        assert each["area"] in set(Area)


def test_no_engine_is_a_check_and_no_error(run: Run) -> None:
    ran = run(*NOWHERE, "doctor", "--format", "json")
    assert ran.status in (69, 77)
    assert ran.err == ""
    (engine,) = [each for each in ran.json["checks"] if each["area"] == "engine"]
    assert engine["state"] == "missing"
    assert "cannot be reached" in engine["value"]
    assert {each["name"] for each in ran.json["checks"]} >= set(SETTINGS)


@pytest.mark.docker
def test_all_is_well_here(run: Run) -> None:
    ran = run("doctor")
    assert ran.status == 0, ran.out
    assert ran.out.splitlines()[-1] == "a trace can run here"
    assert "NO " not in ran.out


@pytest.mark.docker
def test_without_an_engine_the_status_is_69(run: Run) -> None:
    ran = run(*NOWHERE, "doctor")
    assert ran.status == 69, ran.out
    assert "NO engine" in ran.out
    assert ran.out.splitlines()[-1] == "no engine: only recordings can be looked at"


@pytest.mark.parametrize("words", [(), NOWHERE])
def test_every_line_fits_in_80_columns(run: Run, words: tuple[str, ...]) -> None:
    for prepare in (None, _drop_capabilities):
        ran = run(*words, "doctor", preexec_fn=prepare)
        assert max(map(len, ran.out.splitlines())) <= 80, ran.out


def _drop_capabilities() -> None:
    """Stay the user, and lose every capability across the exec (prctl(2): PR_CAPBSET_DROP)."""
    for number in range(41):
        ctypes.CDLL(None).prctl(24, number, 0, 0, 0)


def test_output_that_is_no_terminal_has_no_colour(run: Run) -> None:
    assert "\x1b" not in run("doctor").out


def test_an_unknown_form_is_a_usage_error(run: Run) -> None:
    assert run("doctor", "--format", "xml").status == 2


@pytest.mark.parametrize("area", [Area.PRIVILEGE, Area.KERNEL])
def test_a_missing_privilege_weighs_more_than_a_missing_engine(area: Area) -> None:
    engine = check(Area.ENGINE, State.MISSING)
    assert exit_status((check(area, State.MISSING), engine)) == 77
    assert exit_status((check(area, State.OK), engine)) == 69
    assert exit_status((check(area, State.NOTE), check(Area.ENGINE, State.OK))) == 0
