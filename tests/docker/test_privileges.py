"""What each process of a live run may do: the capabilities that are needed, and in the one that thinks none at all."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from capabilities import keep_capabilities
from commands import PROGRAM
from private_engine import descendants, wait_until

from inspector.archive import load
from inspector.discover.doctor import REQUIRED
from inspector.pipeline import review
from inspector.privileges import OF_ASKER, OF_OWNER, OF_WORKER, Capability

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Any]
TRACE = ("trace", "tomcat01", "tomcat02", "--no-lookup")
NOBODY, CALLER = "65534", 54321
STOPPED_IN_THOUGHT = """
import signal
from inspector.cli import main
import inspector.correlate.correlation as thinking
thinking.correlate = lambda recording: signal.pause()
main.main()
"""


def status(pid: int) -> dict[str, str]:
    """Return what the kernel tells of a process; of one that is gone, that it has nothing."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {"Uid": "", "NoNewPrivs": "", "CapEff": "0", "CapPrm": "0", "CapBnd": "0"}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def bits(capabilities: tuple[Capability, ...]) -> int:
    return sum(1 << each.bit for each in capabilities)


def sets(pid: int) -> tuple[int, int, int]:
    told = status(pid)
    return int(told["CapEff"], 16), int(told["CapPrm"], 16), int(told["CapBnd"], 16)


@contextmanager
def started(program: list[str], *words: str) -> Iterator["subprocess.Popen[str]"]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*program, *words], **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def test_each_process_has_what_it_needs_and_no_more() -> None:
    """Every live test runs with just these, since they are all that a run keeps."""
    expected = {bits(each) for each in (OF_OWNER, OF_WORKER, OF_ASKER)}
    with started(PROGRAM, *TRACE, "-c", "1000", "-i", "0.1") as process:
        wait_until(
            lambda: (
                {sets(each) for each in (process.pid, *descendants(process.pid))}
                == {(each, each, each) for each in expected}
            ),
            "another process, or one with other capabilities",
        )
        assert sets(process.pid)[0] == bits(OF_OWNER)


@pytest.mark.parametrize("missing", sorted(REQUIRED, key=lambda each: each.name), ids=lambda each: each.name)
def test_none_of_the_required_ones_can_be_left_out(run: Run, missing: Capability) -> None:
    kept = [each.bit for each in OF_OWNER if each is not missing]
    ran = run(*TRACE, "-c", "1", preexec_fn=lambda: keep_capabilities(*kept))
    assert (ran.status, missing.name in ran.err) == (77, True), ran.err


def test_what_thinks_has_nothing_and_what_was_recorded_outlives_it(tmp_path: Path) -> None:
    words = (*TRACE, "-c", "2", "-w", str(tmp_path / "kept"))
    with started([sys.executable, "-P", "-c", STOPPED_IN_THOUGHT], *words) as process:

        def thinking() -> list[int]:
            return [each for each in descendants(process.pid) if NOBODY in status(each)["Uid"].split()]

        wait_until(lambda: any(status(each)["NoNewPrivs"] == "1" for each in thinking()), "nothing thinks apart")
        (pid,) = thinking()
        wait_until(lambda: descendants(process.pid) == [pid], "the processes that listen and ask outlive their work")
        told = status(pid)
        assert told["Uid"].split() == told["Gid"].split() == [NOBODY] * 4
        assert (told["Groups"].split(), sets(pid)) == ([], (0, 0, 0))
        opened = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
        assert sorted(each.partition(":")[0] for each in opened) == [*([os.devnull] * 3), "pipe"]
        assert len(load(tmp_path / "kept").observations) > 0, "it is kept before anything is thought about it"
        os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (70, "")
    assert "the process that thinks was killed" in err
    assert f"the recording is kept in {tmp_path / 'kept'}" in err
    assert "captured at tomcat01/eth0: " in err
    assert review(load(tmp_path / "kept")).verdict.outcome == "delivered"


def test_under_sudo_a_live_run_writes_as_the_caller(run: Run) -> None:
    sudo = {**os.environ, "SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER)}
    with tempfile.TemporaryDirectory() as base:
        os.chown(base, CALLER, CALLER)
        ran = run(*TRACE, "-c", "1", "-w", f"{base}/kept", "-o", f"{base}/report", env=sudo)
        assert ran.status == 0, ran.err
        ring = ("--ring", "2", "--max-size", "4K", "--duration", "0.3")
        ran = run("capture", "tomcat01", "-w", f"{base}/c.pcapng", *ring, env=sudo)
        assert ran.status == 0, ran.err
        found = [each for each in Path(base).rglob("*") if each.is_file()]
        assert len(found) >= 4
        assert {(each.stat().st_uid, each.stat().st_gid) for each in Path(base).rglob("*")} == {(CALLER, CALLER)}
