"""Which engine is asked, and what is said where none can be."""

from types import SimpleNamespace

import pytest

from inspector.discover.engine import Engine, connect, translated
from inspector.discover.survey import host_namespace
from inspector.errors import EngineUnreachableError
from inspector.model.engine_choice import EngineChoice


@pytest.mark.parametrize(
    ("choice", "environment"),
    [
        (EngineChoice(host="ssh://root@198.51.100.1"), {}),
        (EngineChoice(host="SSH://root@198.51.100.1"), {"DOCKER_HOST": "unix:///run/docker.sock"}),
        (EngineChoice(), {"DOCKER_HOST": "ssh://root@198.51.100.1"}),
    ],
)
def test_an_engine_behind_ssh_is_another_machine_s(choice: EngineChoice, environment: dict[str, str]) -> None:
    with pytest.raises(EngineUnreachableError, match=r"^the engine at (?i:ssh)://root@198\.51\.100\.1 is on another"):
        connect(choice, environment)


def test_what_was_chosen_comes_before_the_environment() -> None:
    with pytest.raises(EngineUnreachableError, match="there is no socket"):
        connect(EngineChoice(host="unix:///nowhere.sock"), {"DOCKER_HOST": "ssh://root@198.51.100.1"})


def test_a_context_behind_ssh_is_said_without_naming_a_library() -> None:
    with pytest.raises(EngineUnreachableError, match="reached by ssh") as caught, translated():
        raise ValueError("Install paramiko package to enable ssh:// support")
    assert "paramiko" not in str(caught.value)


def test_an_engine_over_tcp_may_be_anywhere() -> None:
    engine = Engine(SimpleNamespace(base_url="http://127.0.0.1:9", get_adapter=lambda _: object()))
    with pytest.raises(EngineUnreachableError, match="over TCP: nothing tells which machine"):
        host_namespace(engine)


def test_the_version_is_asked_for_once() -> None:
    asked = []

    class Api:
        def version(self) -> dict[str, object]:
            asked.append(1)
            return {"Components": [{"Name": "Podman Engine"}], "Version": "4.3.1"}

    engine = Engine(Api())
    assert engine.identity().command == "podman"
    assert engine.tongue.names_at_gateways
    assert asked == [1]
