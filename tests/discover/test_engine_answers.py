"""What engines answer is read as they mean it: recorded from Podman 4.3.1, and as Docker writes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from inspector.discover import engine_answers
from inspector.model.topology import HOST, Container, Mode

PODMAN: dict[str, Any] = json.loads((Path(__file__).parent / "answers" / "podman-4.3.1.json").read_text())
DOCKER = {"Version": "28.5.1+dfsg", "Components": [{"Name": "Engine", "Version": "28.5.1"}]}


def podmans() -> dict[str, Container]:
    """Read the recorded list as the engine door does."""
    listed = PODMAN["containers"]
    names = {each["Id"]: engine_answers.own_name(each) for each in listed}
    asked = engine_answers.unsaid(listed)
    inspected = {each: PODMAN["inspected"][each] for each in asked}
    found = [engine_answers.container(each, names, inspected.get(each["Id"], {})) for each in listed]
    return {each.name: each for each in found}


def docker(identifier: str, mode: str, mac: str = "", state: str = "running") -> dict[str, Any]:
    networks = {"bridge": {"IPAddress": "172.17.0.2", "Gateway": "172.17.0.1", "MacAddress": mac}} if mac else {}
    return {
        "Id": identifier,
        "Names": [f"/{identifier}"],
        "State": state,
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": networks},
    }


def test_each_engine_has_its_name_version_and_command() -> None:
    podman, docker = engine_answers.identity(PODMAN["version"]), engine_answers.identity(DOCKER)
    assert (podman.name, podman.version, podman.command) == ("Podman Engine", "4.3.1", "podman")
    assert (docker.name, docker.version, docker.command) == ("Docker Engine", "28.5.1", "docker")


@pytest.mark.parametrize("version", [{}, {"Components": None}, {"Components": [{}]}])
def test_an_engine_without_a_name_is_taken_as_docker(version: dict[str, Any]) -> None:
    assert engine_answers.identity(version).name == "Docker Engine"
    assert engine_answers.tongue(version) is engine_answers.DOCKER


def test_a_mode_that_the_list_leaves_out_is_asked_for() -> None:
    world = podmans()
    modes = {name: world[name].mode for name in ("r1", "d1", "both", "h1", "n1", "s1")}
    assert modes == {
        "r1": Mode.OWN,
        "d1": Mode.OWN,
        "both": Mode.OWN,
        "h1": Mode.HOST,
        "n1": Mode.NONE,
        "s1": Mode.SHARED,
    }
    assert world["s1"].shares_with == "r1"
    assert world["s1"].endpoints == ()
    assert world["h1"].sandbox == HOST


def test_only_those_are_asked_for_that_may_have_no_stack_of_their_own() -> None:
    names = {each["Id"]: engine_answers.own_name(each) for each in PODMAN["containers"]}
    assert sorted(names[each] for each in engine_answers.unsaid(PODMAN["containers"])) == ["h1", "n1", "r1", "s1"]


def test_where_the_list_has_the_modes_nothing_is_asked() -> None:
    listed = [docker("a", "bridge", "02:00:00:00:00:01"), docker("b", "host"), docker("c", "container:a")]
    assert engine_answers.unsaid(listed) == ()


def test_a_network_is_called_what_its_members_call_it() -> None:
    facts = [engine_answers.network(each) for each in PODMAN["networks"]]
    assert sorted(each.network.name for each in facts) == ["blue", "bridge", "inner", "red"]
    agreed = engine_answers.agreed(facts, podmans().values())
    assert sorted(each.network.name for each in agreed) == ["blue", "inner", "podman", "red"]
    assert [each.network.name for each in agreed if each.network.default] == ["podman"]


def test_a_network_whose_members_know_it_keeps_its_name() -> None:
    fact = engine_answers.network(
        {"Id": "1" * 64, "Name": "bridge", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}
    )
    member = engine_answers.container(docker("a", "default", "02:00:00:00:00:01"), {}, {})
    assert engine_answers.agreed([fact], [member]) == (fact,)
    assert engine_answers.agreed([fact], []) == (fact,)
    assert fact.network.default


def test_the_engines_own_name_server_is_on_the_gateways_where_it_is_podman() -> None:
    world = podmans()

    def servers(name: str, spoken: engine_answers.Tongue = engine_answers.PODMAN) -> tuple[str, ...]:
        return engine_answers.process(world[name], PODMAN["inspected"][world[name].id], spoken).own_servers

    assert servers("r1") == ("10.90.0.1",)
    assert sorted(servers("both")) == ["10.90.0.1", "10.91.0.1"]
    assert servers("d1") == (), "its default network has no names"
    assert servers("r1", engine_answers.DOCKER) == ()


def test_what_the_engine_keeps_of_a_container_is_read() -> None:
    container = podmans()["r1"]
    fact = engine_answers.process(container, PODMAN["inspected"][container.id], engine_answers.PODMAN)
    assert fact.pid > 0
    assert fact.hosts_path.endswith("/userdata/hosts")
    assert fact.dns_servers == ("127.0.0.1",)
    assert fact.links == ()
