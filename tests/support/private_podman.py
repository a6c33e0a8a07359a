"""A Podman of our own, with its Docker-compatible API: its host is a network namespace made for it.

Its service lives in a mount namespace of its own with an empty /run, so that what Podman keeps there (its state, its
containers' namespaces, the files of aardvark-dns) ends with its last process, killed or not. A keeper process holds it
as in private_engine.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import getpid, kill
from pathlib import Path

from msgspec import Struct
from private_engine import (
    CGROUPS,
    FOLDERS,
    IMAGE,
    PATIENCE_S,
    become_subreaper,
    checked,
    descendants,
    reap,
    remove_group,
    wait_until,
)
from session_tag import new_tag

from inspector.lab.image import BUSYBOX, FOREVER, image_tree

SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"

[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
"""containers.conf(5). Limits that a machine without privileges to raise them allows."""
NO_SERVER = "192.0.2.53"
"""TEST-NET-1 (RFC 5737): what its host's /etc/resolv.conf names, and no route leads to."""
PODMAN_IMAGE = f"localhost/{IMAGE}"


class PrivatePodman(Struct, frozen=True):
    """A running Podman service; its host is the network namespace of this name."""

    name: str
    folder: Path

    @property
    def url(self) -> str:
        """Return what DOCKER_HOST would be."""
        return f"unix://{self.folder}/api.sock"

    @property
    def program(self) -> str:
        """Return the folder with a `podman` that speaks to this one, for the PATH."""
        return str(self.folder / "bin")

    def podman(self, *words: str) -> str:
        """Run the podman command line on it, which must succeed."""
        return checked(f"{self.program}/podman", *words)

    def start(self, name: str, *options: str) -> None:
        """Start a container that stays up."""
        self.podman("run", "-d", "--name", name, "--stop-signal", "KILL", *options, PODMAN_IMAGE)

    def ip(self, words: str) -> str:
        """Run `ip` in its host's namespace."""
        return checked("ip", "-n", self.name, *words.split())


@contextmanager
def private_podman() -> Iterator[PrivatePodman]:
    """Start one; it is gone afterwards, with all that was made on it."""
    name = f"dntest-{new_tag()}"
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=FOLDERS))
    podman = PrivatePodman(name=name, folder=folder)
    program = folder / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shutil.which("podman")} --remote --url {podman.url} "$@"\n')
    program.chmod(0o755)
    (folder / "containers.conf").write_text(SETTINGS.format(folder=folder))
    (folder / "resolv.conf").write_text(f"nameserver {NO_SERVER}\n")
    keeper = subprocess.Popen(
        [sys.executable, __file__, name, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        wait_until(lambda: keeper.poll() is not None or answers(podman), "Podman does not answer")
        assert keeper.poll() is None, f"its keeper ended: {(folder / 'log').read_text()}"
        tree = folder / "tree.tar"
        tree.write_bytes(image_tree(BUSYBOX.read_bytes()))
        podman.podman("import", "--change", f"CMD {list(FOREVER)}".replace("'", '"'), str(tree), PODMAN_IMAGE)
        yield podman
    finally:
        keeper.communicate(timeout=PATIENCE_S)


def missing_of_podman() -> str | None:
    """Return what this machine lacks for it; None where nothing."""
    if shutil.which("podman") is None:
        return "podman"
    # containers.conf(5): helper_binaries_dir
    folders = ("/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman", "/usr/lib/podman")
    helpers = ("netavark", "aardvark-dns")
    return next((each for each in helpers if not any((Path(at) / each).exists() for at in folders)), None)


def answers(podman: PrivatePodman) -> bool:
    """Whether it takes commands."""
    return subprocess.run([f"{podman.program}/podman", "version"], capture_output=True, check=False).returncode == 0


def keep(name: str, folder: Path) -> None:
    """Hold the service until standard input ends, and leave nothing of it."""
    become_subreaper()
    service = f"podman --root {folder}/root --runroot {folder}/run system service -t 0 unix://{folder}/api.sock"
    apart = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--mount", "--propagation", "private"]
    alone = " && ".join(
        (
            f"mount --bind {folder}/resolv.conf /etc/resolv.conf",
            "mount -t tmpfs tmpfs /run",
            f"exec env CONTAINERS_CONF={folder}/containers.conf TMPDIR={folder} {service}",
        )
    )
    made: list[str] = []
    try:
        checked("ip", "netns", "add", name)
        checked("ip", "-n", name, "link", "set", "lo", "up")
        with (folder / "log").open("w") as log:
            subprocess.Popen([*apart, "sh", "-c", alone], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        sys.stdin.read()
        made = [
            identifier
            for listing in (("ps", "-aq"), ("pod", "ps", "-q"))
            for identifier in checked(f"{folder}/bin/podman", *listing, "--no-trunc").split()
        ]
    finally:
        while living := descendants(getpid()):
            for pid in living:
                with suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)
            reap()
        for parent in (CGROUPS / "libpod_parent", *CGROUPS.glob("*/libpod_parent")):
            for identifier in (*made, "conmon"):
                remove_group(parent / f"libpod-{identifier}")
                remove_group(parent / identifier)
            with suppress(OSError):
                parent.rmdir()
        subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
