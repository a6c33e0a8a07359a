"""Under sudo: what is made is the caller's, and root goes nowhere that the caller could not go."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, dnetsniff

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
ISOLATED = Path(__file__).parents[1] / "worlds" / "isolated"
CALLER = 54321
SUDO = {"SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER), "SUDO_USER": "caller", "SUDO_COMMAND": "dnetsniff"}


def under_sudo(*words: object, **options: Any) -> Ran:
    return dnetsniff(*map(str, words), env={**os.environ, **SUDO}, **options)


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a folder of the caller's, where everybody can get to."""
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        folder = Path(base, "home")
        folder.mkdir(0o700)
        os.chown(folder, CALLER, CALLER)
        yield folder


@pytest.fixture
def roots(home: Path) -> Path:
    """Make a folder that root alone may enter."""
    folder = home.parent / "roots"
    folder.mkdir(0o700)
    return folder


def owners(folder: Path) -> set[tuple[int, int]]:
    return {(each.lstat().st_uid, each.lstat().st_gid) for each in folder.rglob("*")}


def test_the_report_and_the_recording_are_the_caller_s(home: Path) -> None:
    ran = under_sudo("explain", ISOLATED, "-o", home / "report.txt", "-w", home / "kept")
    assert (ran.status, ran.out) == (1, "")
    assert sorted(each.name for each in home.rglob("*")) == ["frames.pcapng", "kept", "recording.json", "report.txt"]
    assert owners(home) == {(CALLER, CALLER)}
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in home.rglob("*")}
    assert modes == {"report.txt": 0o600, "kept": 0o700, "frames.pcapng": 0o600, "recording.json": 0o600}


@pytest.mark.parametrize("option", ["-o", "-w"])
def test_root_follows_no_link_of_the_caller_s(home: Path, roots: Path, option: str) -> None:
    (home / "way").symlink_to(roots)
    ran = under_sudo("explain", ISOLATED, option, home / "way" / "new")
    assert ran.status == 74, ran.err
    assert list(roots.iterdir()) == []


@pytest.mark.parametrize("option", ["-o", "-w"])
def test_a_link_in_the_place_of_the_output_is_no_output(home: Path, roots: Path, option: str) -> None:
    (home / "new").symlink_to(roots / "made")
    ran = under_sudo("explain", ISOLATED, option, home / "new")
    assert (ran.status, "exists already" in ran.err) == (74, True)
    assert list(roots.iterdir()) == []


@pytest.mark.parametrize("option", ["-o", "-w"])
def test_what_the_caller_may_not_write_sudo_does_not(roots: Path, home: Path, option: str) -> None:
    ran = under_sudo("explain", ISOLATED, option, roots / "new")
    assert ran.status == 74, ran.err
    assert list(roots.iterdir()) == []


def test_root_itself_writes_where_it_likes(home: Path) -> None:
    ran = dnetsniff("explain", str(ISOLATED), "-o", str(home / "report.txt"))
    assert ran.status == 1, ran.err
    assert owners(home) == {(0, 0)}
