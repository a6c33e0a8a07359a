"""A second Docker engine on this machine, for tests that stop one: in a network namespace and folders of its own.

The engine hangs on a keeper, which is this file run as a program. The keeper is the subreaper of all that the engine
starts (shims outlive it), and takes everything down when its standard input ends: also when the tests are killed.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from msgspec import Struct
from session_tag import new_tag

from inspector.lab.image import BUSYBOX, FOREVER, image_tree

IMAGE = "private:busybox"
PATIENCE_S = 30
LEAVING_S = 180
"""How long an engine may take to go with all that is on it: two hundred containers, on a busy machine."""
CGROUPS = Path("/sys/fs/cgroup")
FOLDERS = Path("/var/tmp")
AGAIN = '"$@" & while read -r _; do "$@" & done'
"""Starts a command, and again for each line: in the mount namespace where it began. A shell's jobs read nothing."""
PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h"""


class PrivateEngine(Struct, frozen=True):
    """A running engine; its host is the network namespace of this name."""

    name: str
    folder: Path
    keeper: int = -1
    """Where its keeper is told to start it again."""

    @property
    def url(self) -> str:
        """Return what DOCKER_HOST would be."""
        return f"unix://{self.folder}/api.sock"

    def docker(self, *words: str) -> str:
        """Run the docker command line on this engine, which must succeed."""
        return checked("docker", "--host", self.url, *words)

    def start(self, *names: str) -> None:
        """Start containers that stay up, end at once when they are told to, and ask nobody outside for names."""
        for name in names:
            self.docker("run", "-d", "--dns", "127.0.0.1", "--name", name, "--stop-signal", "KILL", IMAGE)

    def ip(self, words: str) -> str:
        """Run `ip` in the engine's namespace."""
        return checked("ip", "-n", self.name, *words.split())

    def type(self, line: str) -> str:
        """Run a line as a person would type it on the engine's host, which must succeed."""
        environment = {**os.environ, "DOCKER_HOST": self.url}
        words = ["nsenter", f"--net=/run/netns/{self.name}", "sh", "-c", line]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout.strip()

    def is_watched(self) -> bool:
        """Whether somebody listens to all that crosses the default bridge."""
        (bridge,) = json.loads(self.ip("-j -d link show docker0"))
        return bool(bridge["promiscuity"])

    @property
    def pid(self) -> int:
        """Return the engine's process."""
        return int((self.folder / "pid").read_text())

    def start_again(self) -> None:
        """Start the engine that was stopped, in the namespaces it was in, and wait until it answers."""
        os.write(self.keeper, b"again\n")
        wait_until(lambda: answers(self), "the engine does not come back")

    def stop(self) -> None:
        """Stop the engine as its administrator would, and wait until it has ended."""
        ended = os.pidfd_open(self.pid)
        try:
            signal.pidfd_send_signal(ended, signal.SIGTERM)
            assert select.select([ended], [], [], PATIENCE_S)[0], "the engine does not stop"
        finally:
            os.close(ended)


@contextmanager
def private_engine(*options: str) -> Iterator[PrivateEngine]:
    """Start an engine with these options of dockerd; it is gone afterwards, with all that was made on it."""
    if shutil.which("dockerd") is None:
        refuse = pytest.fail if os.environ.get("DNETSNIFF_REQUIRE_LIVE") else pytest.skip
        refuse("needs dockerd on this machine")
    name = f"dntest-{new_tag()}"
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=FOLDERS))
    program = [sys.executable, __file__, name, str(folder), *options]
    keeper = subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True)
    try:
        assert keeper.stdin
        engine = PrivateEngine(name=name, folder=folder, keeper=keeper.stdin.fileno())
        wait_until(lambda: keeper.poll() is not None or answers(engine), "the engine does not answer")
        assert keeper.poll() is None, "the engine's keeper ended"
        tree = folder / "tree.tar"
        tree.write_bytes(image_tree(BUSYBOX.read_bytes()))
        engine.docker("import", "--change", f"CMD {list(FOREVER)}".replace("'", '"'), str(tree), IMAGE)
        yield engine
    finally:
        keeper.communicate(timeout=LEAVING_S)


def answers(engine: PrivateEngine) -> bool:
    """Whether the engine takes commands."""
    asked = ["docker", "--host", engine.url, "version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def wait_until(fact: Callable[[], bool], otherwise: str) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.01)


def checked(*words: str) -> str:
    """Run a command, which must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def keep(name: str, folder: Path, options: list[str]) -> None:
    """Hold an engine until standard input ends, and leave nothing of it."""
    become_subreaper()
    dockerd = [
        "dockerd",
        "--data-root",
        f"{folder}/data",
        "--exec-root",
        f"{folder}/exec",
        "--pidfile",
        f"{folder}/pid",
    ]
    dockerd += ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{name}"]
    apart = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--mount", "--propagation", "slave"]
    try:
        checked("ip", "netns", "add", name)
        checked("ip", "-n", name, "link", "set", "lo", "up")
        with (folder / "log").open("w") as log:
            command = [*apart, "sh", "-c", AGAIN, "sh", *dockerd, "--host", f"unix://{folder}/api.sock", *options]
            subprocess.Popen(command, stdin=sys.stdin, stdout=log, stderr=log).wait()
    finally:
        while living := descendants(os.getpid()):
            for pid in living:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            reap()
        for group in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")):
            remove_group(group)
        subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def become_subreaper() -> None:
    """Inherit whatever the processes below this one leave behind, so that it can be ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Return all that a process has started and that has not ended, and what those have."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError):
            found += [int(child), *descendants(int(child))]
    return found


def reap() -> None:
    """Take leave of every child that has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def remove_group(group: Path) -> None:
    """Remove a control group that nobody is in, and those below it."""
    for below in group.glob("*/"):
        remove_group(below)
    with suppress(OSError):
        group.rmdir()


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
