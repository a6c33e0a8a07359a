"""Bad input and bad luck: one sentence, the contract's exit status, and nothing left behind."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from capabilities import keep_capabilities
from commands import FULL, PROGRAM, docker, ran_into
from counters import echo_replies
from nothing_left import await_nothing_left
from private_engine import descendants

from inspector.archive import load
from inspector.discover.leftovers import find_leftovers
from inspector.model.leftover import Kind
from inspector.pipeline import review

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Any]


def started(source: str, destination: str) -> subprocess.Popen[str]:
    """Start a long trace, and wait until its first probe is answered."""
    pid = int(docker("inspect", "-f", "{{.State.Pid}}", source))
    before = echo_replies(pid)
    process = subprocess.Popen(
        [*PROGRAM, "trace", source, destination, "--format", "json", "-i", "0.2", "-c", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while echo_replies(pid) == before:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("trace", "tomcat1", "tomcat02"), 2, "did you mean tomcat01"),
        (("trace", "tomcat01", "tomcat01"), 2, "the same"),
        (("trace", "host", "host"), 2, "the same"),
        (("trace", "tomcat01", "tomcat02", "-6"), 2, "no IPv6 address"),
        (("trace", "tomcat01", "tomcat02", "-c", "0"), 2, "0 is not in the range"),
        (("trace", "tomcat01", "tomcat02", "--source-address", "10.9.9.9"), 2, "does not have the address"),
        (("trace", "tomcat01"), 2, "Missing argument"),
        (("trace", "tomcat01", "tomcat02", "-w", "/proc/nowhere/recording"), 74, "/proc/nowhere"),
        (("trace", "tomcat01", "tomcat02", "-o", "/proc/nowhere/report"), 74, "/proc/nowhere"),
        (("--host", "unix:///nowhere.sock", "ls"), 69, "cannot be reached"),
        (("--host", "x", "--context", "y", "ls"), 2, "both name an engine"),
        (("--context", "nowhere-at-all", "ls"), 2, "nowhere-at-all"),
        (("nosuchcommand",), 2, "No such command"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_status(
    run: Run, words: tuple[str, ...], status: int, sentence: str
) -> None:
    ran = run(*words)
    assert ran.status == status, ran.err
    assert sentence in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


def test_an_ambiguous_prefix_lists_what_it_fits(run: Run, extra: Callable[..., str]) -> None:
    ids = [extra(f"dn-many{number}") for number in range(18)]
    prefix = next(each[:1] for each in ids if sum(other.startswith(each[:1]) for other in ids) > 1)
    two = next((each[:2] for each in ids if sum(other.startswith(each[:2]) for other in ids) > 1), None)
    ran = run("trace", two or prefix, "tomcat01")
    assert ran.status == 2
    assert ("fits several" in ran.err) is (two is not None)


def test_an_ordinary_user_is_told_what_is_missing(run: Run) -> None:
    ran = run("trace", "tomcat01", "tomcat02", preexec_fn=keep_capabilities)
    assert ran.status == 77
    assert "CAP_SYS_" in ran.err
    assert "sudo" in ran.err
    assert "Traceback" not in ran.err


def test_the_three_capabilities_of_the_readme_are_enough(run: Run) -> None:
    cap_net_raw, cap_sys_ptrace, cap_sys_admin = 13, 19, 21
    ran = run(
        "trace",
        "tomcat01",
        "tomcat02",
        "-q",
        preexec_fn=lambda: keep_capabilities(cap_net_raw, cap_sys_ptrace, cap_sys_admin),
    )
    assert (ran.status, ran.err) == (0, "")


def test_interrupted_it_says_what_it_has() -> None:
    process = started("tomcat01", "tomcat02")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["interrupted"] is True
    assert 0 < report["statistics"]["sent"] < 100
    await_nothing_left()


def test_killed_it_leaves_nothing_behind() -> None:
    process = started("tomcat01", "tomcat02")
    assert {each.kind for each in find_leftovers().running if each.pid in descendants(process.pid)} >= {
        Kind.PROCESS,
        Kind.SOCKET,
        Kind.PROMISCUITY,
        Kind.NAMESPACE,
    }, "the check sees nothing"
    process.kill()
    process.communicate(timeout=10)
    await_nothing_left()


def test_a_container_that_dies_meanwhile_is_reported_with_what_was_seen(extra: Callable[..., str]) -> None:
    extra("dn-dying")
    process = started("tomcat01", "dn-dying")
    docker("kill", "dn-dying")
    out, err = process.communicate(timeout=20)
    report = json.loads(out)
    assert report["departed"] == ["dn-dying"]
    assert report["statistics"]["sent"] > 0
    assert process.returncode == 75, err


def test_a_full_disk_is_said(run: Run, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], check=True)
    try:
        ran = run("trace", "tomcat01", "tomcat02", "-w", str(small / "recording"))
        assert ran.status == 74
        assert "No space left" in ran.err or "full" in ran.err
        assert "Traceback" not in ran.err
        assert "DELIVERED  3 of 3 answered" in ran.out, "what could be shown was shown"
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_recording_is_kept_where_the_report_cannot_be_shown(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = ran_into(full, "trace", "tomcat01", "tomcat02", "-w", str(tmp_path / "recording"))
    assert (done.returncode, done.stderr) == (74, FULL)
    assert review(load(tmp_path / "recording")).statistics.received == 3
