"""One session of live tests at a time on an engine, and nothing left there by one that was killed."""

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from commands import TESTS_LABEL, docker
from private_engine import CGROUPS, FOLDERS, remove_group
from session_tag import FILES, FOLDER, VARIABLE, alone, engine_url, path_of, session

from inspector.discover.engine import connect
from inspector.discover.survey import host_namespace
from inspector.model.engine_choice import EngineChoice

NAMESPACES = Path("/run/netns")
NAME = "dn(test)?-?([a-z]+-)?{tag}[0-9a-f]{{3}}[a-z]?"
KEEPERS = (b"private_engine.py", b"private_podman.py")
PATIENCE_S = 10


def hold_engine(say: Callable[[str], None]) -> int:
    """Return a descriptor that keeps every other session from this engine; wait for the one that has it."""
    FOLDER.mkdir(exist_ok=True)
    url = engine_url()
    place = str(Path(url.removeprefix("unix://")).resolve()) if url.startswith("unix://") else url
    path = FOLDER / f"engine-{hashlib.sha256(place.encode()).hexdigest()[:16]}"
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"other tests run on the engine at {url}: waiting until they are over")
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


def sweep_engine() -> None:
    """Remove what other sessions left on this engine, which is held: nobody else's tests run there."""
    with alone(), _host() as run:
        for path, fd in _ended():
            for line in _owed(path):
                run(line)
            os.ftruncate(fd, 0)
    if left := _left("ps", "-a"):
        docker("rm", "-f", "-v", *left)
    for network in _left("network", "ls"):
        members = docker("network", "inspect", "-f", "{{range $id, $_ := .Containers}}{{$id}} {{end}}", network)
        for member in members.split():
            docker("network", "disconnect", "-f", network, member)
        docker("network", "rm", network)


def _left(*listing: str) -> list[str]:
    """Return the containers or networks that sessions have made which are over."""
    words = ("--filter", f"label={TESTS_LABEL}", "--format", f'{{{{.ID}}}} {{{{.Label "{TESTS_LABEL}"}}}}')
    made = [line.split() for line in docker(*listing, *words).splitlines()]
    return [each[0] for each in made if is_over(*each[1:])]


def sweep_machine() -> None:
    """Remove the namespaces, links, engines and folders of sessions that are over."""
    own = session().tag
    with alone():
        for path, _ in _ended():
            tag = path.name.partition("-")[2]
            assert tag != own
            _end_processes(tag)
            _remove(re.compile(NAME.format(tag=tag)))
            if not _owed(path, anywhere=True):
                path.unlink()


def is_over(tag: str = "") -> bool:
    """Whether a session has ended."""
    try:
        fd = os.open(path_of(tag), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def _ended() -> Iterator[tuple[Path, int]]:
    """Yield the file of each session that is over, with a descriptor of it."""
    for path in sorted(FOLDER.glob(FILES)):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path, fd
        finally:
            os.close(fd)


def _owed(path: Path, *, anywhere: bool = False) -> list[str]:
    """Return the lines that undo what a session did on this engine's host, the last first."""
    owed: list[str] = []
    for each in path.read_text().splitlines():
        url, line, done = json.loads(each)
        if url != engine_url() and not (anywhere and _is_there(url)):
            continue
        if done:
            owed.remove(line)
        else:
            owed.append(line)
    return owed[::-1]


def _is_there(url: str) -> bool:
    """Whether an engine may be at this address; one of a session's own went with its socket."""
    return not url.startswith("unix://") or Path(url.removeprefix("unix://")).exists()


@contextmanager
def _host() -> Iterator[Callable[[str], object]]:
    with closing(connect(EngineChoice())) as engine, host_namespace(engine) as host:
        inside = ["nsenter", f"--net=/proc/self/fd/{host.fd}"]
        yield lambda line: subprocess.run([*inside, *shlex.split(line)], check=False, pass_fds=[host.fd])


def _end_processes(tag: str) -> None:
    """End what a killed session started and that goes on: a command of docker's may still make a container.

    A keeper knows best what hangs on it, and is at it already: its standard input has ended.
    """
    mark = f"{VARIABLE}={tag}".encode()

    def of_it(*, keepers: bool) -> list[int]:
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            if place.name == str(os.getpid()):
                continue
            with suppress(OSError):
                if mark in (place / "environ").read_bytes().split(b"\0"):
                    keeps = any(each in (place / "cmdline").read_bytes() for each in KEEPERS)
                    found += [int(place.name)] if keeps is keepers else []
        return found

    limit = time.monotonic() + PATIENCE_S
    while of_it(keepers=True) and time.monotonic() < limit:
        time.sleep(0.05)
    _end(lambda: [*of_it(keepers=True), *of_it(keepers=False)])


def _remove(name: re.Pattern[str]) -> None:
    for place in [each for each in _names(NAMESPACES) if name.fullmatch(each)]:
        groups = [group for group in (CGROUPS / place, *CGROUPS.glob(f"*/{place}")) if group.exists()]
        _end(lambda place=place, groups=groups: [*_inside(place), *_members(groups)])  # type: ignore[misc]
        for group in groups:
            remove_group(group)
        subprocess.run(["ip", "netns", "del", place], check=False, capture_output=True)
    for folder in _names(FOLDERS):
        if name.fullmatch(folder.rpartition("-")[0]):
            shutil.rmtree(FOLDERS / folder, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def _inside(namespace: str) -> list[int]:
    listed = subprocess.run(["ip", "netns", "pids", namespace], check=False, capture_output=True, text=True)
    return [int(each) for each in listed.stdout.split()]


def _members(groups: list[Path]) -> list[int]:
    found: list[int] = []
    for group in groups:
        for path in group.rglob("cgroup.procs"):
            with suppress(OSError):
                found += [int(each) for each in path.read_text().split()]
    return found


def _end(living: Callable[[], list[int]]) -> None:
    """Kill until nobody is left; what is stuck in the kernel stays."""
    limit = time.monotonic() + PATIENCE_S
    while (pids := living()) and time.monotonic() < limit:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
