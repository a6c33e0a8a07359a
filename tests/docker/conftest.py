"""The course network on a live engine, and containers beside it."""

from collections.abc import Callable, Iterator

import pytest
from commands import dnetsniff, docker


@pytest.fixture(scope="session")
def course() -> Iterator[str]:
    """Build the course network once; yield its image."""
    up = dnetsniff("lab", "up")
    assert up.status == 0, up.err
    yield docker("inspect", "-f", "{{.Config.Image}}", "tomcat01")
    down = dnetsniff("lab", "down")
    assert down.status == 0, down.err


@pytest.fixture
def extra(course: str) -> Iterator[Callable[..., str]]:
    """Run more containers of the course's image; they are gone afterwards."""
    made: list[str] = []

    def start(name: str, *options: str, verb: str = "run") -> str:
        detached = ["-d"] if verb == "run" else []
        made.append(name)
        return docker(verb, *detached, "--name", name, *options, course)

    yield start
    if made:
        docker("rm", "-f", *made)


@pytest.fixture
def network(course: str) -> Iterator[Callable[..., str]]:
    """Make more networks; they are gone afterwards, with whatever is still on them cut off."""
    made: list[str] = []

    def create(name: str, *options: str) -> str:
        made.append(name)
        return docker("network", "create", *options, name)

    yield create
    for name in made:
        for member in docker("network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{end}}", name).split():
            docker("network", "disconnect", "-f", name, member)
        docker("network", "rm", name)
