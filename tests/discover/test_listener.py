"""Who is behind a socket."""

import os
import socket
from pathlib import Path

import pytest

from inspector.discover.listener import likely_listener, listener_of
from inspector.model.engine_choice import EngineChoice


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "api.sock")


def test_the_listener_is_told(place: str) -> None:
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(place)
        engine.listen()
        assert listener_of(place) == os.getpid()
        for choice, environment in ((f"unix://{place}", {}), (None, {"DOCKER_HOST": f"unix://{place}"})):
            assert likely_listener(EngineChoice(host=choice), environment) == os.getpid()


def test_one_that_accepts_nobody_is_not_waited_for(place: str) -> None:
    with socket.socket(socket.AF_UNIX) as engine, socket.socket(socket.AF_UNIX) as first:
        engine.bind(place)
        engine.listen(0)
        first.connect(place)
        with pytest.raises(BlockingIOError):
            listener_of(place)
        assert likely_listener(EngineChoice(host=f"unix://{place}"), {}) is None


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:9", "ssh://somewhere", "unix:///nowhere.sock", "nonsense"])
def test_what_is_no_local_engine_is_nobody(host: str) -> None:
    assert likely_listener(EngineChoice(host=host), {}) is None
