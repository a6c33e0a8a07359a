"""`dnetsniff lesson` as a reader has it in a terminal: Enter goes on, q leaves; nobody waits where nobody sits."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from commands import PROGRAM, dnetsniff

ASKS = b"q leaves"
TAKEN_BACK = b"\x1b[2A\x1b[J"


@contextmanager
def in_terminal(*words: str, **environment: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run a command in a terminal of its own; yield our end of it."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [*PROGRAM, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment},
    )
    os.close(theirs)
    try:
        yield ours, started
    finally:
        started.kill()
        started.wait()
        os.close(ours)


def until(terminal: int, wanted: bytes) -> bytes:
    """Read what is shown until something is shown; without `wanted` until the end."""
    shown = b""
    while not wanted or wanted not in shown:
        try:
            shown += os.read(terminal, 65_536)
        except OSError:
            # EIO: nobody holds the other end any more.
            assert not wanted, shown
            return shown
    return shown


def test_enter_goes_on_and_the_question_is_taken_back() -> None:
    with in_terminal("lesson", "link", "--replay") as (terminal, started):
        first = until(terminal, ASKS)
        assert b"Step 1 of 3" in first
        assert b"RESOLVED" not in first
        os.write(terminal, b"\n")
        second = until(terminal, ASKS)
        assert TAKEN_BACK in second
        assert b"RESOLVED" in second
        assert b"What to look at" not in second
        os.write(terminal, b"\n")
        third = until(terminal, ASKS)
        assert b"What to look at" in third
        assert b"The answer" not in third
        os.write(terminal, b"q\n")
        assert b"The answer" not in until(terminal, b"")
        assert started.wait(10) == 0


def test_all_pauses_can_be_typed_ahead() -> None:
    with in_terminal("lesson", "names-default", "--replay") as (terminal, started):
        os.write(terminal, b"\n" * 6)
        assert b"Keep this" in until(terminal, b"Keep this")
        until(terminal, b"")
        assert started.wait(10) == 0


def test_the_end_of_the_input_leaves() -> None:
    with in_terminal("lesson", "link", "--replay") as (terminal, started):
        until(terminal, ASKS)
        os.write(terminal, b"\x04")
        until(terminal, b"")
        assert started.wait(10) == 0


def test_an_interruption_is_130() -> None:
    with in_terminal("lesson", "link", "--replay") as (terminal, started):
        until(terminal, ASKS)
        started.send_signal(signal.SIGINT)
        assert b"Traceback" not in until(terminal, b"")
        assert started.wait(10) == 130


def test_no_pause_waits_for_nobody() -> None:
    with in_terminal("lesson", "link", "--replay", "--no-pause") as (terminal, started):
        shown = until(terminal, b"")
        assert ASKS not in shown
        assert b"\x1b[1m" in shown
        assert started.wait(10) == 0


def test_colour_repeats_what_the_words_say() -> None:
    with in_terminal("lesson", "link", "--replay", "--no-pause", NO_COLOR="1") as (terminal, _):
        assert b"\x1b" not in until(terminal, b"")


@pytest.mark.parametrize("words", [("lesson", "bridging"), ("lesson", "bridge", "--engine", "19.03")])
def test_what_is_not_there_is_said_with_what_is(words: tuple[str, ...]) -> None:
    ran = dnetsniff(*words)
    assert ran.status == 2
    assert "bridge" in ran.err
    assert ran.out == ""


def test_without_an_engine_the_recording_says_so() -> None:
    ran = dnetsniff("--host", "unix:///nowhere.sock", "lesson", "link", "--lang", "en")
    assert ran.status == 0, ran.err
    assert ran.err == ""
    assert "Replayed: recorded on Docker Engine 28" in ran.out
    assert "because no engine answers here" in ran.out


def test_the_locale_speaks() -> None:
    ran = dnetsniff("lesson", env={**os.environ, "LC_ALL": "zh_CN.UTF-8"})
    assert ran.out.startswith("课程")
    assert dnetsniff("lesson", env={**os.environ, "LC_ALL": "C.UTF-8"}).out.startswith("The course")
