"""Names by which what a test session made is found when the session was killed.

Every network namespace and link of a session has its tag in its name. A session holds a lock on a file of that tag,
tied to a descriptor: a file that anybody can lock is that of a session that is over, and whatever has its tag is left.
Every process it
starts has the tag in its environment. What has no name, a firewall rule, is noted in the file by the line that undoes
it.
"""

import atexit
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

FOLDER = Path("/run/dnetsniff-tests")
"""Emptied with the network namespaces, when the machine starts."""
FILES = "session-*"
VARIABLE = "DNETSNIFF_TESTS_SESSION"
"""What every process that a session starts has in its environment."""
ENGINE = "unix:///var/run/docker.sock"


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other session from coming, going and sweeping."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Session:
    """This process, as others see it."""

    def __init__(self) -> None:
        """Take a tag; it is held until the process ends, however it ends."""
        with alone():
            self.tag = next(tag for tag in iter(lambda: secrets.token_hex(2), "") if not path_of(tag).exists())
            self.fd = os.open(path_of(self.tag), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND)
            fcntl.flock(self.fd, fcntl.LOCK_EX)
        self.pid, self.numbers = os.getpid(), count()
        os.environ[VARIABLE] = self.tag
        atexit.register(self.over)

    def note(self, line: str, *, done: bool) -> None:
        """Write down that this has to be undone on the engine's host, or that it was."""
        os.write(self.fd, (json.dumps([engine_url(), line, done]) + "\n").encode())

    def over(self) -> None:
        """Take the file away: those who made something have removed it."""
        if os.getpid() == self.pid:
            path_of(self.tag).unlink(missing_ok=True)


_sessions: list[Session] = []


def session() -> Session:
    """Return the one of this process."""
    if not _sessions:
        _sessions.append(Session())
    return _sessions[0]


def new_tag() -> str:
    """Return what the name of a namespace or a link ends with: seven letters, the first four those of the session."""
    return f"{session().tag}{next(session().numbers):03x}"


@contextmanager
def undone(line: str) -> Iterator[None]:
    """Have this line run on the engine's host by the next session, should this one be killed inside the block."""
    session().note(line, done=False)
    try:
        yield
    finally:
        session().note(line, done=True)


def engine_url() -> str:
    """Return where the engine of the tests is."""
    return os.environ.get("DOCKER_HOST") or ENGINE


def path_of(tag: str) -> Path:
    """Return the file of a session."""
    return FOLDER / f"session-{tag}"
