"""A process that thinks: what it says, what it raises, and each bad end that a dissector can come to."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from msgspec import Struct

from inspector import confined as module
from inspector.confined import Confined, ConfinedError, alone
from inspector.confinement import Limits
from inspector.errors import InspectorError, MalformedInputError


class Word(Struct, tag="word"):
    text: str


class Number(Struct, tag="number"):
    value: int


def refuse() -> str:
    message = "no capture file"
    raise MalformedInputError(message, "name another one")


def stumble() -> str:
    message = "of a stranger\x1b[2J"
    raise ValueError(message)


def fall_over() -> str:
    ctypes.string_at(0)
    return "never"


def go_on_for_ever() -> str:
    while True:
        pass


def grow() -> str:
    return str(len(bytearray(2 << 30)))


def leave() -> str:
    os._exit(3)


def test_what_it_says_comes_in_order_while_it_goes_on() -> None:
    def say() -> Iterator[Word | Number]:
        yield Word("first")
        yield Number(2)
        yield Word("x" * 1_000_000)

    with Confined[Word | Number](say, Word | Number) as confined:
        assert list(confined) == [Word("first"), Number(2), Word("x" * 1_000_000)]


def test_what_it_refuses_is_refused_here_with_the_way_out() -> None:
    with pytest.raises(MalformedInputError) as caught:
        alone(refuse, str)
    assert (caught.value.message, caught.value.hint) == ("no capture file", "name another one")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (stumble, r"ValueError: 'of a stranger\\\\x1b\[2J'"),
        (fall_over, "it was ended by SIGSEGV"),
        (go_on_for_ever, "it took more than 1 seconds of processor time"),
        (grow, "it needed more than 1024 MiB of memory"),
        (leave, "it ended with exit status 3"),
        (lambda: 5, "it said what nobody understands"),
    ],
)
def test_each_bad_end_is_an_error_that_says_which(work: Callable[[], Any], why: str) -> None:
    with pytest.raises(ConfinedError, match=why) as caught:
        alone(work, str, Limits(cpu_s=1))
    assert caught.value.exit_status == 70


def test_where_it_broke_is_told_too() -> None:
    with pytest.raises(ConfinedError) as caught:
        alone(stumble, str)
    assert "in stumble" in caught.value.traceback


def test_what_it_said_before_a_bad_end_is_not_lost() -> None:
    def say() -> Iterator[Word]:
        yield Word("kept")
        fall_over()

    heard: list[Word] = []

    def listen(confined: Confined[Word]) -> None:
        for each in confined:
            heard.append(each)  # noqa: PERF402 - what came before it raises counts

    with Confined[Word](say, Word) as confined, pytest.raises(ConfinedError):
        listen(confined)
    assert heard == [Word("kept")]


def test_a_message_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", 100)
    with pytest.raises(ConfinedError, match="would not stop talking"):
        alone(lambda: "x" * 101, str)


def test_nothing_it_says_is_run_here() -> None:
    """A pickle would be."""
    with pytest.raises(ConfinedError, match="nobody understands"):
        alone(lambda: {"__reduce__": "os.system"}, Word)  # type: ignore[arg-type, return-value]


def test_it_is_ended_when_nobody_listens_any_more() -> None:
    with Confined[str](lambda: (signal.pause() or "never",), str) as confined:
        pid = confined._pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_dies_with_its_owner() -> None:
    """An owner that is killed closes nothing; the kernel ends the other (PR_SET_PDEATHSIG)."""
    reading, writing = os.pipe()
    owner = os.fork()
    if owner == 0:

        def work() -> Iterator[str]:
            yield "here"
            signal.pause()

        with suppress(InspectorError), Confined[str](work, str, reads=(writing,)) as confined:
            next(iter(confined))
            os.close(writing)
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    os.close(writing)
    # The other held the writing side, and never closes it: its end is the end of the pipe.
    assert os.read(reading, 1) == b""
    os.close(reading)
    assert os.waitstatus_to_exitcode(os.waitpid(owner, 0)[1]) == -signal.SIGKILL
