"""Which engine is asked, and what is said where none can be."""

import json
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread
from types import SimpleNamespace
from typing import ClassVar

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


class Podman(BaseHTTPRequestHandler):
    """What answers on the socket; keeps what it was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        answer = {"Components": [{"Name": "Podman Engine"}], "Version": "4.3.1", "ApiVersion": "1.41"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_the_version_is_asked_for_once(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with UnixStreamServer(str(path), Podman) as server, closing(connecting(path, server)) as engine:
        assert engine.identity().command == "podman"
        assert engine.tongue.names_at_gateways
        assert Podman.asked == ["/version"]
        server.shutdown()


def connecting(path: Path, server: UnixStreamServer) -> Engine:
    """Connect to what answers in a thread of its own."""
    Thread(target=server.serve_forever, args=(0.01,)).start()
    return connect(EngineChoice(host=f"unix://{path}"))
