"""A network namespace of a test's own, to make firewall rules in."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from session_tag import new_tag


class Place:
    """An open network namespace."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd

    def run(self, command: str) -> str:
        """Run a tool of the host in it."""
        for tool in command.split()[:1]:
            if shutil.which(tool) is None:
                refuse = pytest.fail if os.environ.get("DNETSNIFF_REQUIRE_LIVE") else pytest.skip
                refuse(f"needs {tool}")
        words = ["nsenter", f"--net=/run/netns/{self.name}", "sh", "-c", command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout


@contextmanager
def new_place() -> Iterator[Place]:
    """Have a namespace until the block ends."""
    name = f"dn{new_tag()}n"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield Place(name, fd)
        finally:
            os.close(fd)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
