"""The scapy door: no home is read or written, nothing is said, nothing stays behind."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
USE_SCAPY = """
import os
import sys
from inspector.wire import scapy_door
before = dict(os.environ)
scapy_door.prepare()
assert dict(os.environ) == before
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.data import MANUFDB
MANUFDB.lookup("00:00:0c:00:00:00")
print("scapy.main" in sys.modules, len(bytes(Ether() / IP(src="1.2.3.4") / ICMP())))
"""


class Bomb:
    """A pickle that leaves a file where it was opened."""

    def __init__(self, crater: Path) -> None:
        """Take the place of the file."""
        self.crater = crater

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        """Be called when loaded."""
        return os.mkdir, (str(self.crater), 0o700)


def run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run in a fresh interpreter, where nobody has imported scapy."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SHELL": "/bin/bash", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> list[Path]:
    """Everything below a folder."""
    return sorted(folder.rglob("*"))


def test_a_home_stays_as_it_was(tmp_path: Path) -> None:
    """Scapy works, and makes no folder in the home of whoever runs it."""
    done = run(USE_SCAPY, {"HOME": str(tmp_path)})
    assert (done.stdout, done.stderr, done.returncode) == ("False 42\n", "", 0)
    assert files(tmp_path) == []


def test_a_hostile_cache_is_neither_read_nor_removed(tmp_path: Path) -> None:
    """Pickles that somebody left where scapy would look are not opened."""
    cache, crater = tmp_path / "cache" / "scapy", tmp_path / "crater"
    cache.mkdir(parents=True)
    for name in ("ethertypes", "services_tcp", "services_udp", "protocols", "manufdb"):
        (cache / f"{name}.pickle").write_bytes(pickle.dumps(Bomb(crater)))
    before = files(tmp_path)
    done = run(USE_SCAPY, {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert (done.stderr, done.returncode) == ("", 0)
    assert files(tmp_path) == before


def test_without_the_door_a_home_does_change(tmp_path: Path) -> None:
    """The test above can fail: bare scapy writes its cache."""
    done = run("import scapy.data", {"HOME": str(tmp_path)})
    assert done.returncode == 0
    assert files(tmp_path) != []


def test_our_modules_do_not_import_scapy() -> None:
    """Heavy imports stay behind their door until somebody walks through."""
    modules = ("archive", "wire.craft", "wire.deep", "wire.dns", "wire.headers")
    script = "import sys, inspector." + ", inspector.".join(modules) + "\n"
    done = run(script + "print([name for name in sys.modules if name.startswith('scapy')])", {})
    assert done.stdout == "[]\n"
