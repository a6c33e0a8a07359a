"""Whose a process is, by its control group: said of one that runs, and of no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.discover.group import is_in_group_of


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def own_group() -> str:
    """Return a word of the line that names the group of this process, and of what it starts."""
    return Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()[-1]


def test_a_process_is_in_the_group_that_its_lines_name(process: subprocess.Popen[bytes]) -> None:
    pidfd = os.pidfd_open(process.pid)
    try:
        assert is_in_group_of(own_group(), process.pid, pidfd)
        assert not is_in_group_of("0123456789abcdef" * 4, process.pid, pidfd)
        assert not is_in_group_of("", process.pid, pidfd)
    finally:
        os.close(pidfd)


def test_nothing_is_said_of_a_process_that_ended(process: subprocess.Popen[bytes]) -> None:
    pidfd = os.pidfd_open(process.pid)
    try:
        process.kill()
        process.wait()
        assert not is_in_group_of(own_group(), os.getpid(), pidfd)
        assert not is_in_group_of(own_group(), process.pid, pidfd)
    finally:
        os.close(pidfd)
