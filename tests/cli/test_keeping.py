"""A recording is kept again, redacted or without payload, and still explains itself."""

import stat
from pathlib import Path

import pytest
from commands import dnetsniff

ISOLATED = Path(__file__).parents[1] / "worlds" / "isolated"


@pytest.mark.parametrize("options", [(), ("--redact",), ("--headers-only",), ("--redact", "--headers-only")])
def test_a_recording_is_kept_again(tmp_path: Path, options: tuple[str, ...]) -> None:
    ran = dnetsniff("explain", str(ISOLATED), "-w", str(tmp_path / "again"), *options)
    assert (ran.status, ran.out) == (1, (ISOLATED / "report.txt").read_text())
    assert "recording kept in" in ran.err
    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "again").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o700
    again = dnetsniff("explain", str(tmp_path / "again"))
    assert again.status == 1
    assert (again.out == ran.out) == ("--redact" not in options)
    assert b"tomcat" not in (tmp_path / "again" / "frames.pcapng").read_bytes() or "--redact" not in options


@pytest.mark.parametrize("option", ["--redact", "--headers-only"])
def test_what_is_not_kept_cannot_be_redacted(option: str) -> None:
    ran = dnetsniff("explain", str(ISOLATED), option)
    assert (ran.status, ran.out) == (2, "")
    assert "name a new folder by -w" in ran.err
