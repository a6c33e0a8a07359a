"""A second process that works beside this one: what it is given, what it says, and how it ends."""

import gc
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.errors import InspectorError, UsageError
from inspector.worker import MOST_AT_ONCE, Call, Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as started:
        yield started


def add(_call: Call, first: int, *, second: int) -> int:
    return first + second


def own_pid(_call: Call) -> int:
    return os.getpid()


def inodes(call: Call) -> list[int]:
    return [os.fstat(each).st_ino for each in call.descriptors]


def refuse(_call: Call) -> None:
    message = "no such container"
    raise UsageError(message, "name another one")


def give_up(_call: Call) -> None:
    os._exit(1)


def answer_first(call: Call, writing: int) -> str:
    call.answer("early")
    os.write(call.descriptors[writing], b"cleaned up")
    return "late"


def held(_call: Call) -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_calls_functions_in_another_process(worker: Worker) -> None:
    assert worker.call(add, (), 2, second=3) == 5
    assert worker.call(own_pid, ()) != os.getpid()


def test_descriptors_arrive_in_order_and_are_closed_afterwards(worker: Worker) -> None:
    before = worker.call(held, ())
    count = MOST_AT_ONCE + 7
    opened = [os.open("/dev/null" if number % 2 else "/", os.O_RDONLY) for number in range(count)]
    try:
        assert worker.call(inodes, opened) == [os.fstat(each).st_ino for each in opened]
    finally:
        for each in opened:
            os.close(each)
    assert worker.call(held, ()) == before


def test_what_it_raises_is_raised_here_with_its_hint(worker: Worker) -> None:
    with pytest.raises(UsageError) as caught:
        worker.call(refuse, ())
    assert (caught.value.message, caught.value.hint) == ("no such container", "name another one")
    assert worker.call(add, (), 1, second=1) == 2, "and it goes on working"


def test_an_answer_may_leave_before_the_clean_up(worker: Worker) -> None:
    reading, writing = os.pipe()
    try:
        assert worker.call(answer_first, (writing,), 0) == "early"
        assert os.read(reading, 20) == b"cleaned up"
    finally:
        os.close(reading)
        os.close(writing)
    assert worker.call(add, (), 1, second=1) == 2, "the late value is no second answer"


def test_a_worker_that_dies_is_an_error_and_not_a_hang(worker: Worker) -> None:
    with pytest.raises(InspectorError, match="ended without an answer"):
        worker.call(give_up, ())
    with pytest.raises(InspectorError, match="ended without an answer"):
        worker.call(add, (), 1, second=1)


def test_it_ends_with_the_block_also_while_it_loads() -> None:
    with Worker(("no.such.module",)) as started:
        pid = started._pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_it_cannot_load_is_said_by_the_first_call() -> None:
    with Worker(("no.such.module",)) as started, pytest.raises(ModuleNotFoundError):
        started.call(add, (), 1, second=1)


def test_too_few_descriptors_are_said_and_nobody_waits() -> None:
    with Worker() as started:
        resource.prlimit(started._pid, resource.RLIMIT_NOFILE, (12, 12))
        with pytest.raises(OSError, match="Too many open files"):
            started.call(inodes, [started._channel.fileno()] * 20)


def test_it_dies_with_its_owner() -> None:
    """An owner that is killed closes nothing; the kernel ends the worker (PR_SET_PDEATHSIG)."""
    reading, writing = os.pipe()
    owner = os.fork()
    if owner == 0:
        os.close(reading)
        started = Worker()
        os.write(writing, str(started.call(own_pid, ())).encode())
        signal.pause()
    os.close(writing)
    pid = int(os.read(reading, 20))
    pidfd = os.pidfd_open(pid)
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    # The worker had the writing side too: its end is the end of the pipe.
    assert os.read(reading, 1) == b""
    os.close(reading)
    os.close(pidfd)
