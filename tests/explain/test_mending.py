"""The commands that are advised are commands that the engine takes."""

import pytest
from msgspec.structs import replace
from name_cases import WORLD, denied, resolved
from topologies import planned, read

from inspector.explain.case import Case
from inspector.explain.mending import (
    common_networks,
    connect_commands,
    is_default,
    naming_commands,
    rejoin_commands,
    server_advice,
    user_networks,
)
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Verdict
from inspector.model.topology import Container, Mode, SandboxId, Topology

SIDECAR = Container("a" * 64, "side car", "running", Mode.SHARED, SandboxId("plain"), "plain")


def case(source: str, world: Topology = WORLD) -> Case:
    return Case(resolved(denied("www.example"), "www.example", source, world), (), Verdict(Outcome.UNRESOLVED, ""))


def commands(source: str, target: str, world: Topology = WORLD) -> tuple[str, ...]:
    container = world.container(target)
    assert container
    return naming_commands(case(source, world), container)


def test_the_source_joins_the_targets_network_and_else_the_target_the_sources() -> None:
    assert commands("plain", "db") == ("docker network connect app plain",)
    assert commands("web", "plain") == ("docker network connect app plain",)
    assert commands("web", "db") == (), "they are on one network"


def closed(*names: str) -> Topology:
    return replace(TWO, networks=tuple(replace(each, icc=each.name not in names) for each in TWO.networks))


TWO = read("two-networks.toml")


@pytest.mark.parametrize(
    ("keeps_apart", "expected"),
    [
        ((), ("docker network connect mynet web",)),
        (("bridge",), ("docker network connect mynet web",)),
        (
            ("mynet",),
            ("docker network create app", "docker network connect app web", "docker network connect app api"),
        ),
    ],
)
def test_a_network_that_keeps_its_members_apart_connects_nobody(
    keeps_apart: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    recording = Recording(closed(*keeps_apart), planned(closed(*keeps_apart), "web", "api"), b"")
    assert connect_commands(Case(recording, (), Verdict(Outcome.LOST, ""))) == expected


def test_the_target_joins_a_network_of_the_sources_that_is_open() -> None:
    world = closed("bridge")
    recording = Recording(world, planned(world, "api", "db"), b"")
    assert connect_commands(Case(recording, (), Verdict(Outcome.LOST, ""))) == ("docker network connect mynet db",)


def test_a_new_network_has_a_name_that_is_free() -> None:
    assert commands("plain", "plain2")[0] == "docker network create app2"
    free = replace(WORLD, networks=tuple(each for each in WORLD.networks if each.name != "app"))
    assert commands("plain", "plain2", free)[0] == "docker network create app"


def test_the_owner_of_a_shared_stack_is_connected() -> None:
    world = replace(WORLD, containers=(*WORLD.containers, SIDECAR))
    assert commands("web", "side car", world) == ("docker network connect app plain",)
    assert commands("side car", "db", world) == ("docker network connect app plain",)


@pytest.mark.parametrize("mode", [Mode.HOST, Mode.NONE])
def test_the_engine_connects_nothing_to_these(mode: Mode) -> None:
    lonely = Container("b" * 64, "lonely", "running", mode, SandboxId("lonely"))
    world = replace(WORLD, containers=(*WORLD.containers, lonely))
    assert commands("web", "lonely", world) == ()
    assert commands("lonely", "web", world) == ()


def test_the_default_network_is_none_with_names() -> None:
    plain, both = WORLD.container("plain"), WORLD.container("both")
    assert user_networks(case("web"), plain) == ()
    assert user_networks(case("web"), both) == ("app", "other")
    assert common_networks(case("web"), both) == ("app",)
    assert common_networks(case("plain"), WORLD.container("plain2")) == ()


def test_the_lines_are_for_the_engine_s_own_command_line() -> None:
    world = replace(WORLD, engine=replace(WORLD.engine, command="podman"))
    assert commands("plain", "db", world) == ("podman network connect app plain",)
    assert commands("plain", "plain2", world)[0].startswith("podman network create")
    assert "docker" not in server_advice(case("plain", world))
    assert "`dns` in daemon.json" in server_advice(case("plain"))


def test_the_default_network_may_have_another_name() -> None:
    networks = tuple(
        replace(each, name="podman", default=True) if each.name == "bridge" else each for each in WORLD.networks
    )
    assert is_default(case("plain", replace(WORLD, networks=networks)), "podman")
    assert not is_default(case("plain"), "podman")
    assert is_default(case("plain"), "bridge")


def test_names_are_quoted_as_a_shell_needs_it() -> None:
    odd = replace(SIDECAR, mode=Mode.OWN, shares_with=None)
    assert rejoin_commands(case("web"), "my net", odd) == (
        "docker network disconnect 'my net' 'side car'",
        "docker network connect 'my net' 'side car'",
    )
