"""A session of tests that is killed leaves nothing that the next one finds, and two never meet on an engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import docker
from leftovers import hold_engine, sweep_engine, sweep_machine
from private_engine import wait_until

pytestmark = pytest.mark.docker

SUPPORT = Path(__file__).parents[1] / "support"
START = f"import sys; sys.path.insert(0, {str(SUPPORT)!r})\n"
MAKES = f"""{START}
import subprocess
from commands import docker
from session_tag import new_tag, undone

place = f"dn-left-{{new_tag()}}"
subprocess.run(["ip", "netns", "add", place], check=True)
docker("network", "create", "dn-leftnet")
docker("network", "connect", "dn-leftnet", "tomcat01")
docker("create", "--name", "dn-left", "--network", "dn-leftnet", sys.argv[1])
with undone("ip link del dn-left"):
    sleeper = subprocess.Popen(["sleep", "100"])
    print(place, sleeper.pid, flush=True)
    sys.stdin.read()
"""
HOLDS = f"""{START}
from leftovers import hold_engine
hold_engine(lambda line: print(line, flush=True))
print("held", flush=True)
"""


@pytest.fixture
def killed(course: str) -> list[str]:
    """Return the namespace and the process that a killed session has left."""
    with subprocess.Popen([sys.executable, "-c", MAKES, course], stdin=-1, stdout=-1, text=True) as it:
        assert it.stdout
        words = it.stdout.readline().split()
        it.send_signal(signal.SIGKILL)
    return words


def test_what_a_killed_session_made_is_removed(killed: list[str], typed: Callable[..., str]) -> None:
    place, sleeper = killed
    typed("ip link add dn-left type bridge")
    assert Path("/run/netns", place).exists()
    sweep_machine()
    sweep_engine()
    assert not Path("/run/netns", place).exists()
    wait_until(lambda: not Path("/proc", sleeper).exists(), "what it had started goes on")
    assert "dn-left" not in typed("ip -o link")
    assert "dn-left" not in docker("ps", "-a", "--format", "{{.Names}}")
    assert "dn-leftnet" not in docker("network", "ls", "--format", "{{.Name}}")
    assert docker("inspect", "-f", "{{len .NetworkSettings.Networks}}", "tomcat01") == "1"


def test_another_session_waits_for_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/api.sock")
    held = hold_engine(pytest.fail)
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdout=-1, text=True) as other:
        assert other.stdout
        assert other.stdout.readline().startswith(f"other tests run on the engine at unix://{tmp_path}/api.sock")
        os.close(held)
        assert other.stdout.readline() == "held\n"
