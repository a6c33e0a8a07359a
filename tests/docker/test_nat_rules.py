"""The rules by which an engine sends a container's DNS to its own server, compared with `iptables-save`."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from commands import docker

from inspector import netns
from inspector.discover.engine import Engine
from inspector.discover.nat_rules import read_nat_rules
from inspector.discover.survey import host_namespace
from inspector.lab.image import find_image
from inspector.model.lookup import EMBEDDED_DNS, TranslationRule

pytestmark = pytest.mark.docker

NAME = "files-nat"


@pytest.fixture
def pid(engine: Engine) -> Iterator[int]:
    """Run a container on a network of its own; both are gone afterwards."""
    image = find_image(engine, None)[0]
    docker("network", "create", NAME)
    try:
        docker("run", "-d", "--name", NAME, "--network", NAME, "--dns", "10.254.254.1", image, "sleep", "600")
        yield int(docker("inspect", "-f", "{{.State.Pid}}", NAME))
    finally:
        docker("rm", "-f", NAME)
        docker("network", "rm", NAME)


def saved(pid: int, tool: str) -> list[str]:
    """Return the rules that a tool prints."""
    words = ["nsenter", f"--net=/proc/{pid}/ns/net", tool, "-t", "nat"]
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return sorted(each for each in done.stdout.splitlines() if each.startswith("-A "))


def rules(pid: int) -> tuple[TranslationRule, ...]:
    with netns.open_of(pid) as namespace:
        return netns.enter(namespace.fd, read_nat_rules)


def test_the_rules_of_a_container(pid: int) -> None:
    found = rules(pid)
    for backend, tool in (("nf_tables", "iptables-nft-save"), ("legacy", "iptables-legacy-save")):
        assert sorted(each.text for each in found if each.backend == backend) == saved(pid, tool)
    there = [each for each in found if each.target == "DNAT" and each.destination == EMBEDDED_DNS]
    assert {(each.protocol, each.port, each.to_address) for each in there} == {
        ("tcp", 53, EMBEDDED_DNS),
        ("udp", 53, EMBEDDED_DNS),
    }
    back = [each for each in found if each.target == "SNAT"]
    assert {(each.source, each.source_port, each.to_port) for each in back} == {
        (EMBEDDED_DNS, each.to_port, 53) for each in there
    }


def test_the_rules_of_the_host(engine: Engine, pid: int) -> None:
    with host_namespace(engine) as namespace:
        found = netns.enter(namespace.fd, read_nat_rules)
    assert any(each.target == "MASQUERADE" and each.source for each in found)
    host = engine.peer_pid()
    if host:
        for backend, tool in (("nf_tables", "iptables-nft-save"), ("legacy", "iptables-legacy-save")):
            texts = [each.text for each in found if each.backend == backend and each.family == "ip"]
            assert sorted(texts) == saved(host, tool)
