"""Where faults happen: two containers on a network of an engine of our own, and the commands that are run there."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from private_engine import IMAGE, PATIENCE_S, PrivateEngine, descendants

DRIVER = Path(__file__).parent / "fault_driver.py"
NETWORK = "net"


class Scene(Struct):
    """The engine, and where a run may write."""

    engine: PrivateEngine
    folder: Path

    def build(self) -> None:
        """Have the network and both containers, whatever became of them."""
        known = self.engine.docker("ps", "-a", "--format", "{{.Names}} {{.State}}").splitlines()
        states = dict(line.split() for line in known)
        if NETWORK not in self.engine.docker("network", "ls", "--format", "{{.Name}}").split():
            self.engine.docker("network", "create", NETWORK)
        for name in ("left", "right"):
            if name not in states:
                dns = ("--dns", "127.0.0.1", "--stop-signal", "KILL")
                self.engine.docker("run", "-d", "--network", NETWORK, "--name", name, *dns, IMAGE)
            elif states[name] == "paused":
                self.engine.docker("unpause", name)
            elif states[name] != "running":
                self.engine.docker("start", name)

    def renew(self) -> None:
        """Make both containers anew: their interfaces were tampered with."""
        for name in ("left", "right"):
            with suppress(AssertionError):
                self.engine.docker("rm", "-f", name)
        self.build()

    def pid(self, name: str) -> str:
        return self.engine.docker("inspect", "-f", "{{.State.Pid}}", name)

    def address(self, name: str) -> str:
        return self.engine.docker("inspect", "-f", "{{.NetworkSettings.Networks.net.IPAddress}}", name)

    def port_of(self, name: str) -> str:
        """Return the far end of a container's veth pair, on the engine's host."""
        words = ["nsenter", "-t", self.pid(name), "-n", "ip", "-j", "link", "show", "eth0"]
        (inside,) = json.loads(subprocess.check_output(words))
        (outside,) = [
            each for each in json.loads(self.engine.ip("-j link show")) if each["ifindex"] == inside["link_index"]
        ]
        return str(outside["ifname"])


class Run(Struct):
    """A command that is under way."""

    process: "subprocess.Popen[str]"
    told: int
    go: int
    at: int = 0
    """The process that is there."""
    stopped: int = 0
    """The same, where it can wait for no word."""

    def await_place(self) -> bool:
        """Wait until the run is at the place where the fault happens; whether it came there."""
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            if select.select([self.told], [], [], 0.01)[0]:
                self.at = int(os.read(self.told, 16) or 0)
                return self.at != 0
            self.at = self.stopped = next((each for each in descendants(self.process.pid) if _is_stopped(each)), 0)
            if self.stopped:
                return True
        return False

    def go_on(self) -> None:
        with suppress(BrokenPipeError):
            os.write(self.go, b"!")
        if self.stopped:
            with suppress(ProcessLookupError):
                os.kill(self.stopped, signal.SIGCONT)

    def finish(self) -> tuple[int, str, str]:
        """Return exit status, output and what was said beside it."""
        out, err = self.process.communicate(timeout=PATIENCE_S * 2)
        for each in (self.told, self.go):
            os.close(each)
        return self.process.returncode, out or "", err or ""


def _is_stopped(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


def start(words: tuple[str, ...], command: str, spec: dict[str, Any], **options: Any) -> Run:
    """Start a command of dnetsniff under the driver; `spec` tells that what to do."""
    told, tell = os.pipe()
    wait, go = os.pipe()
    told_spec = json.dumps({**spec, "command": command, "told": tell, "go": wait})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), told_spec, *words],
        text=True,
        pass_fds=[tell, wait],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1", "DNETSNIFF_LANG": "en"},
        **options,
    )
    os.close(tell)
    os.close(wait)
    return Run(process, told, go)
