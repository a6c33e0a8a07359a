"""The engine that this machine has and that a user's command finds by itself; other tests have one of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import docker
from leftovers import sweep_engine
from session_tag import new_tag

from inspector.lab.image import BUSYBOX, FOREVER, image_tree

pytestmark = pytest.mark.docker

Run = Callable[..., Any]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Run two containers on a network and one on the default one, under names that nobody else's things have."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    sweep_engine()
    tag = new_tag()
    left, right, other = names = tuple(f"dntest-{tag}-{each}" for each in ("left", "right", "other"))
    network, image = f"dntest-{tag}", f"dntest-{tag}:busybox"
    tree = tmp_path / "tree.tar"
    tree.write_bytes(image_tree(BUSYBOX.read_bytes()))
    docker("import", str(tree), image)
    try:
        docker("network", "create", network)
        for name, on in ((left, network), (right, network), (other, "bridge")):
            docker("run", "-d", "--name", name, "--network", on, "--dns", "127.0.0.1", image, *FOREVER)
        yield left, right, other
    finally:
        docker("rm", "-f", *names)
        docker("network", "rm", network)
        docker("rmi", image)


def test_what_a_user_sees_there(run: Run, names: tuple[str, str, str]) -> None:
    left, right, other = names
    listed = run("ls")
    assert listed.status == 0, listed.err
    assert all(name in listed.out for name in names)
    found = run("resolve", left, right, "--format", "json")
    assert (found.status, found.json["resolution"]["mechanism"]) == (0, "embedded-dns"), found.out + found.err
    near = run("trace", left, right, "-c", "1", "--format", "json")
    assert (near.status, near.json["verdict"]["outcome"]) == (0, "delivered"), near.out + near.err
    far = run("trace", left, other, "-c", "1", "-W", "0.5", "--format", "json")
    assert (far.status, far.json["findings"][0]["id"]) == (1, "networks-isolated"), far.out + far.err
