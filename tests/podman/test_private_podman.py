"""The Podman of these tests leaves nothing on this machine."""

import subprocess
from pathlib import Path

import pytest
from private_podman import private_podman

pytestmark = pytest.mark.podman


def test_nothing_is_left_of_it() -> None:
    with private_podman() as running:
        running.podman("network", "create", "red")
        running.podman("pod", "create", "--name", "pod", "--network", "red")
        running.start("inpod", "--pod", "pod")
        made = running.podman("ps", "-aq", "--no-trunc").split()
        assert len(made) == 2, "the pod's own container stands beside it"
    assert not running.folder.exists()
    assert not Path("/run/netns", running.name).exists()
    groups = [each.name for each in Path("/sys/fs/cgroup").rglob("libpod-*")]
    assert not [each for each in made if f"libpod-{each}" in groups]
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(running.folder) not in processes
