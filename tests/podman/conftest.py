"""A Podman of our own with two networks that reach each other, two that do not, and a container of every kind."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from commands import Ran, dnetsniff
from private_podman import PrivatePodman, private_podman


@pytest.fixture(scope="session")
def podman() -> Iterator[PrivatePodman]:
    with private_podman() as running:
        for name in ("red", "blue"):
            running.podman("network", "create", name)
        for name in ("apart1", "apart2"):
            running.podman("network", "create", "-o", "isolate=true", name)
        running.podman("network", "create", "--internal", "inner")
        running.start("plain1")
        running.start("plain2")
        running.start("red1", "--network", "red")
        running.start("red2", "--network", "red", "--network-alias", "crimson")
        running.start("blue1", "--network", "blue")
        running.start("both", "--network", "red,blue")
        running.start("far1", "--network", "apart1")
        running.start("far2", "--network", "apart2")
        running.start("inside", "--network", "inner")
        running.start("hosts", "--network", "host")
        running.start("nothing", "--network", "none")
        running.start("sidecar", "--network", "container:red1")
        running.podman("pod", "create", "--name", "pod", "--infra-name", "pods", "--network", "red")
        running.start("inpod", "--pod", "pod")
        yield running


@pytest.fixture
def run(podman: PrivatePodman) -> Any:
    """Run dnetsniff on it, as its administrator would: its command line is on the PATH."""
    environment = {**os.environ, "DOCKER_HOST": podman.url}

    def command(*words: str) -> Ran:
        return dnetsniff(*words, env=environment)

    return command
