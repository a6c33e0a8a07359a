"""The course network on a live engine, containers beside it, and a DNS server that they all ask."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import dnetsniff, docker
from upstream_place import Upstream, upstream_beside

from inspector.discover.engine import Engine
from inspector.discover.survey import host_namespace


@pytest.fixture(scope="session")
def _upstream(engine: Engine) -> Iterator[Upstream]:
    with host_namespace(engine) as host, upstream_beside(host.fd) as running:
        yield running


@pytest.fixture
def upstream(_upstream: Upstream) -> Iterator[Upstream]:
    """Lend the DNS server that every container of these tests is given; it knows no name until it is told one.

    Tests that do not ask for it look names up at it, too: what one taught it, the next must not find.
    """
    _upstream.serve({})
    yield _upstream
    _upstream.serve({})


@pytest.fixture(scope="session")
def lab_up(_upstream: Upstream) -> tuple[str, ...]:
    """Return the words that build the course network so that it asks our server, never the machine's own."""
    return ("lab", "up", "--dns", _upstream.address)


@pytest.fixture(scope="session")
def course(lab_up: tuple[str, ...]) -> Iterator[str]:
    """Build the course network once; yield its image."""
    # One that stands already asks some other server.
    for words in (("lab", "down"), lab_up):
        ran = dnetsniff(*words)
        assert ran.status == 0, ran.err
    yield docker("inspect", "-f", "{{.Config.Image}}", "tomcat01")
    down = dnetsniff("lab", "down")
    assert down.status == 0, down.err


@pytest.fixture
def extra(course: str, _upstream: Upstream) -> Iterator[Callable[..., str]]:
    """Run more containers of the course's image; they are gone afterwards."""
    made: list[str] = []

    def start(name: str, *options: str, verb: str = "run") -> str:
        # An image that went away meanwhile is an error: looking for it would ask the machine's own name server.
        words = [verb, "--pull", "never", *(["-d"] if verb == "run" else []), "--name", name]
        made.append(name)
        return docker(*words, *_dns_options(options, _upstream.address), *options, course)

    yield start
    if made:
        docker("rm", "-f", *made)


def _dns_options(options: tuple[str, ...], address: str) -> list[str]:
    """Name our server, unless the test names one; a container that shares a stack may not have one of its own."""
    names_one = any(each == "--dns" or each.startswith("--dns=") for each in options)
    shares = any(each.startswith(("container:", "--network=container:", "--net=container:")) for each in options)
    return [] if names_one or shares else ["--dns", address]


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


@pytest.fixture
def typed(engine: Engine) -> Iterator[Callable[..., str]]:
    """Run a line as a person would type it on the engine's host; it has to succeed, unless told `may_fail`."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with host_namespace(engine) as host:

        def run(line: str, *, may_fail: bool = False) -> str:
            command = ["nsenter", f"--net=/proc/self/fd/{host.fd}", "sh", "-c", line]
            done = subprocess.run(
                command,
                pass_fds=[host.fd],
                capture_output=True,
                text=True,
                env={**os.environ, "PATH": path},
                check=False,
            )
            assert may_fail or done.returncode == 0, f"{line}: {done.stderr}"
            return done.stdout.strip()

        yield run
