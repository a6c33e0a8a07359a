"""A small world of namespaces for kernel tests, removed again whatever happens."""

import gc
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from session_tag import new_tag

from inspector import netns


class Lab(Struct, frozen=True):
    """Two ends, `a` and `b`, on a bridge in a third namespace: a/eth0 - s/va - s/br0 - s/vb - b/eth0."""

    names: dict[str, str]
    fds: dict[str, int]

    def ip(self, place: str, command: str) -> str:
        """Run `ip` in one namespace."""
        return run(f"ip -n {self.names[place]} {command}")

    def index(self, place: str, link: str) -> int:
        """Return the index of a link."""
        return int(self.ip(place, f"-o link show {link}").split(":")[0])

    def inode(self, place: str) -> int:
        """Return the identity of one namespace."""
        return os.fstat(self.fds[place]).st_ino

    def promiscuity(self, place: str, link: str) -> int:
        """Return how many users want the link promiscuous."""
        words = self.ip(place, f"-d link show {link}").split()
        return int(words[words.index("promiscuity") + 1])


def run(command: str) -> str:
    """Run one command, which has to succeed."""
    done = subprocess.run(command.split(), check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@contextmanager
def lab() -> Iterator[Lab]:
    """Make the world and take it down."""
    tag = new_tag()
    names = {place: f"dn{tag}{place}" for place in "abs"}
    fds: dict[str, int] = {}
    try:
        for place, name in names.items():
            run(f"ip netns add {name}")
            fds[place] = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            run(f"ip -n {name} link set lo up")
        world = Lab(names=names, fds=fds)
        world.ip("s", "link add br0 type bridge")
        world.ip("s", "link set br0 up")
        for number, place in enumerate("ab", start=2):
            world.ip("s", f"link add v{place} type veth peer name eth0 netns {names[place]}")
            world.ip("s", f"link set v{place} master br0 up")
            world.ip(place, f"addr add 10.99.0.{number}/24 dev eth0")
            world.ip(place, f"addr add fd99::{number}/64 dev eth0 nodad")
            world.ip(place, "link set eth0 up")
        world.ip("s", "addr add 10.99.0.1/24 dev br0")
        world.ip("a", "route add default via 10.99.0.1")
        # Nobody is there, and nobody says so: what is sent to it is lost in silence.
        world.ip("a", "neigh add 10.99.0.99 lladdr 02:00:00:00:00:99 dev eth0")
        yield world
    finally:
        for fd in fds.values():
            os.close(fd)
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def threads_abroad(patience_s: float = 1.0) -> list[str]:
    """List the threads of this process that stay in another network namespace than the main one.

    A joined thread has left Python, and leaves the kernel some microseconds later.
    """
    limit = time.monotonic() + patience_s
    while (found := _threads_abroad()) and time.monotonic() < limit:
        time.sleep(0.001)
    return found


def _threads_abroad() -> list[str]:
    with netns.own() as home:
        threads = {task.name: _namespace(task) for task in Path("/proc/self/task").iterdir()}
        return [name for name, inode in threads.items() if inode not in {home.inode, None}]


def _namespace(task: Path) -> int | None:
    """Return the namespace a thread is in; None where it has just ended."""
    try:
        return (task / "ns/net").stat().st_ino
    except OSError:
        return None


def descriptors() -> int:
    """Count this process's open descriptors."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))
