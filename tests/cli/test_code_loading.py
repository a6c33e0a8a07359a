"""No code is loaded from where the command happens to be run, nor from a home that somebody else prepared."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

ISOLATED = Path(__file__).parents[1] / "worlds" / "isolated"
COMMAND = Path(sys.prefix) / "bin" / "dnetsniff"
OURS = ("inspector", "scapy", "docker", "msgspec", "click", "rich", "pyroute2", "numpy")
MODULES = (*OURS, "sitecustomize", "usercustomize", "socket")
LOADS_SCAPY = ("capture", "web", "-w", "never.pcapng", "--filter", "tcp port 80")
pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed beside this Python")


class Bomb:
    """A pickle that leaves a folder where it was opened."""

    def __init__(self, crater: str) -> None:
        self.crater = crater

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.crater,)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Return a folder full of modules that tell when they are run."""
    folder = tmp_path / "trap"
    folder.mkdir()
    sprung = f"import os\nos.mkdir({str(tmp_path / 'sprung')!r})\n"
    for each in MODULES:
        (folder / f"{each}.py").write_text(sprung)
    for each in ("inspector", "scapy"):
        (folder / each).mkdir()
        (folder / each / "__init__.py").write_text(sprung)
    caches = folder / ".cache" / "scapy"
    caches.mkdir(parents=True)
    for name in ("ethertypes", "services_tcp", "services_udp", "protocols", "manufdb"):
        (caches / f"{name}.pickle").write_bytes(pickle.dumps(Bomb(str(tmp_path / "sprung"))))
    config = folder / ".config" / "scapy"
    config.mkdir(parents=True)
    for name in ("prestart.py", "startup.py"):
        (config / name).write_text(sprung)
    return folder


@pytest.mark.parametrize("words", [("explain", str(ISOLATED)), ("doctor",), ("ls",), ("trace", "a", "b"), LOADS_SCAPY])
def test_a_hostile_folder_is_no_place_to_load_from(trap: Path, words: tuple[str, ...]) -> None:
    before = sorted(trap.rglob("*"))
    homes = {"HOME": str(trap), "XDG_CACHE_HOME": str(trap / ".cache"), "XDG_CONFIG_HOME": str(trap / ".config")}
    environment = {"PATH": os.environ["PATH"], **homes, "DOCKER_HOST": "unix:///nowhere.sock"}
    done = subprocess.run(
        [str(COMMAND), *words], cwd=trap, env=environment, capture_output=True, text=True, check=False
    )
    assert not (trap.parent / "sprung").exists()
    assert sorted(trap.rglob("*")) == before
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 1, 69, 77}


def test_the_trap_does_spring(trap: Path) -> None:
    """Python itself, asked to look there, falls into it: the test above can fail."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(trap)}
    subprocess.run([sys.executable, "-c", "pass"], env=environment, capture_output=True, check=False)
    assert (trap.parent / "sprung").exists()
