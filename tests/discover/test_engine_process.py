"""An engine that another process asks: what it says and raises comes from there as it would from here."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.discover.engine_process import EngineProcess
from inspector.errors import EngineUnreachableError, UsageError
from inspector.model.engine_choice import EngineChoice
from inspector.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(("inspector.discover.engine_process",)) as started:
        yield started


@pytest.mark.parametrize("ask", [EngineProcess.overview, EngineProcess.peer_pid, lambda engine: engine.processes(())])
def test_whatever_is_asked_first_says_that_there_is_none(worker: Worker, ask: object) -> None:
    engine = EngineProcess(worker, EngineChoice(host="unix:///nowhere.sock"))
    with pytest.raises(EngineUnreachableError, match="there is no socket at its address"):
        ask(engine)


def test_it_says_so_again_when_it_is_asked_again(worker: Worker) -> None:
    engine = EngineProcess(worker, EngineChoice(host="unix:///nowhere.sock"))
    for _ in range(3):
        with pytest.raises(EngineUnreachableError, match="there is no socket"):
            engine.overview()


def test_an_engine_behind_tls_is_refused_although_tls_was_not_loaded(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    chosen = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    program = [sys.executable, "-c", "from inspector.cli.start import main; main()", "trace", "left", "right"]
    done = subprocess.run(program, capture_output=True, text=True, check=False, env={**os.environ, **chosen})
    assert (done.returncode, done.stdout) == (69, "")
    assert "over TCP: nothing tells which machine it is on" in done.stderr


def test_an_unknown_context_is_refused(worker: Worker) -> None:
    with pytest.raises(UsageError, match="no docker context 'elsewhere'"):
        EngineProcess(worker, EngineChoice(context="elsewhere")).overview()


def test_an_engine_that_hangs_up_is_unreachable(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        engine = EngineProcess(worker, EngineChoice(host=f"unix://{path}"))
        for _ in range(2):
            accepted, _ = listening.accept()
            accepted.close()
        with pytest.raises(EngineUnreachableError):
            engine.overview()
