"""Standard output that is full, or that nobody reads, where a command has something to say."""

import os
from pathlib import Path

import pytest
from commands import FULL, ran_into

pytestmark = [
    pytest.mark.docker,
    pytest.mark.usefixtures("course"),
    pytest.mark.parametrize(
        "words",
        [
            ("ls",),
            ("ls", "--format", "json"),
            ("trace", "tomcat01", "tomcat02", "-c", "1"),
            ("trace", "tomcat01", "tomcat02", "-c", "1", "-q"),
            ("lab", "status"),
            ("doctor",),
        ],
    ),
]


def test_a_reader_that_left_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = ran_into(writing, *words)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_74(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = ran_into(full, *words)
    assert (done.returncode, done.stderr) == (74, FULL)
