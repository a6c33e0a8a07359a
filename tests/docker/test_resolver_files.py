"""The resolver files of real containers: the engine's, the user's, and what is put in their place."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands import docker

from inspector.discover.engine import Engine
from inspector.discover.files import ResolverFiles
from inspector.discover.resolver import resolver_files
from inspector.discover.survey import Stacks, survey
from inspector.lab.image import find_image
from inspector.model.lookup import Libc

pytestmark = pytest.mark.docker

Start = Callable[..., None]
NETWORK = "files-net"


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Run containers on a network of their own; both are gone afterwards."""
    image = find_image(engine, None)[0]
    docker("network", "create", NETWORK)
    made: list[str] = []

    def run(name: str, *options: str, network: str = NETWORK) -> None:
        made.append(name)
        dns = () if network.startswith("container:") else ("--dns", "10.254.254.1")
        docker("run", "-d", "--name", name, "--network", network, *dns, *options, image, "sleep", "600")

    yield run
    if made:
        docker("rm", "-f", *made)
    docker("network", "rm", NETWORK)


@pytest.fixture
def shared(engine: Engine) -> Iterator[Path]:
    """Make a folder that the engine sees: below the root of its own process, seen from here."""
    pid = engine.peer_pid()
    base = Path(f"/proc/{pid}/root") if pid else Path("/")
    with TemporaryDirectory(dir=base / "var/tmp", prefix="files-") as name:
        yield Path(name)


def mount(folder: Path) -> str:
    """Say as the engine sees it that this folder's hosts is to be the container's."""
    return f"/var/tmp/{folder.name}/hosts:/etc/hosts:ro"


def read(engine: Engine, name: str | None) -> ResolverFiles:
    """Survey, then read."""
    with Stacks() as stacks:
        survey(engine, stacks, (name,) if name else ())
        return resolver_files(engine, stacks, name)


def test_a_container_on_a_network_of_its_own(engine: Engine, start: Start) -> None:
    start("files-plain")
    found = read(engine, "files-plain")
    address = docker(
        "inspect", "-f", "{{(index .NetworkSettings.Networks .HostConfig.NetworkMode).IPAddress}}", "files-plain"
    )
    assert (found.hosts.origin, found.hosts.why) == ("the engine's file", None)
    assert found.hosts.text is not None
    assert address in found.hosts.text
    assert found.resolv_conf.origin == "the engine's file"
    assert found.resolv_conf.text is not None
    assert "nameserver 127.0.0.11\n" in found.resolv_conf.text
    assert (found.nsswitch.text, found.nsswitch.why) == (None, "no such file")


def test_the_dns_option_is_part_of_the_one_answer(engine: Engine, start: Start) -> None:
    start("files-dns", "--dns", "10.254.254.2")
    with Stacks() as stacks:
        survey(engine, stacks, ("files-dns",))
        assert stacks.facts["files-dns"].dns_servers == ("10.254.254.1", "10.254.254.2")


def test_hosts_that_the_user_mounted(engine: Engine, start: Start, shared: Path) -> None:
    (shared / "hosts").write_text("10.9.9.9 web\r\n")
    start("files-own", "-v", mount(shared))
    found = read(engine, "files-own")
    assert (found.hosts.text, found.hosts.origin) == ("10.9.9.9 web\\x0d\n", "the container's own file")
    assert found.resolv_conf.origin == "the engine's file"


def test_a_container_that_shares_a_stack_has_files_of_its_own(engine: Engine, start: Start, shared: Path) -> None:
    (shared / "hosts").write_text("10.9.9.9 web\n")
    start("files-owner")
    start("files-guest", "-v", mount(shared), network="container:files-owner")
    assert read(engine, "files-guest").hosts.text == "10.9.9.9 web\n"
    assert read(engine, "files-owner").hosts.origin == "the engine's file"


def test_the_host(engine: Engine) -> None:
    found = read(engine, None)
    assert (found.hosts.origin, found.hosts.why) == ("the host's file", None)
    assert found.libc is Libc.GLIBC
    assert found.libc_evidence


def test_surveying_leaves_no_container_behind(engine: Engine, start: Start) -> None:
    """A held root does not keep a container from being removed."""
    start("files-gone")
    with Stacks() as stacks:
        survey(engine, stacks, ("files-gone",))
        docker("rm", "-f", "files-gone")
        assert "files-gone" not in docker("ps", "-a", "--format", "{{.Names}}").split()
