"""What breaks: each fault as what is done when a run is at its place, and how it is mended afterwards."""

import os
import resource
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fault_world import NETWORK, Run, Scene
from msgspec import Struct, field
from private_engine import wait_until

Do = Callable[[Scene, Run], object]
Undo = Callable[[Scene], object]


class Fault(Struct, frozen=True):
    """One thing that breaks."""

    name: str
    do: Do = lambda _scene, _run: None
    undo: Undo = lambda _scene: None
    spec: Mapping[str, Any] = field(default_factory=dict)
    """For the driver."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """How the process is started."""
    ends: bool = False
    """It wants an engine whose containers end with it."""


def _docker(*words: str) -> Do:
    return lambda scene, _: scene.engine.docker(*words)


def _signalled(number: int) -> Do:
    """Ctrl-C and the end of a terminal go to the whole group; the others to the command alone."""

    def do(_scene: Scene, run: Run) -> None:
        (os.killpg if number in {signal.SIGINT, signal.SIGHUP} else os.kill)(run.process.pid, number)
        if number != signal.SIGKILL:
            wait_until(lambda: _has_heard(run.process.pid), "the signal does not arrive")

    return do


def _has_heard(pid: int) -> bool:
    """Whether a process that waits for something has dealt with its signals, or ended by one (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines)
    state = told["State"].split()[0]
    return state == "Z" or (state == "S" and not int(told["ShdPnd"], 16) and not int(told["SigPnd"], 16))


def _end_it(_scene: Scene, run: Run) -> None:
    """End the process of ours that is there, as the kernel does when memory is short."""
    os.kill(run.at, signal.SIGKILL)


def _stop(scene: Scene, _run: Run) -> None:
    scene.engine.stop()


def _restart(scene: Scene, _run: Run) -> None:
    scene.engine.stop()
    scene.engine.start_again()


def _come_back(scene: Scene) -> None:
    scene.engine.start_again()
    scene.build()


def _hang(scene: Scene, _run: Run) -> None:
    os.kill(scene.engine.pid, signal.SIGSTOP)


def _wake(scene: Scene) -> None:
    os.kill(scene.engine.pid, signal.SIGCONT)


def _rename(scene: Scene, _run: Run) -> None:
    name = scene.port_of("right")
    scene.engine.ip(f"link set {name} down")
    scene.engine.ip(f"link set {name} name veth-renamed")
    scene.engine.ip("link set veth-renamed up")


def _rename_inside(scene: Scene, _run: Run) -> None:
    inside = f"nsenter -t {scene.pid('left')} -n ip"
    scene.engine.type(f"{inside} link set eth0 down && {inside} link set eth0 name lan0 && {inside} link set lan0 up")


def _remove_link(scene: Scene, _run: Run) -> None:
    scene.engine.ip(f"link del {scene.port_of('right')}")


def _limit(which: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (value, value))


def _deaf_reader() -> int:
    """Return the writing end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def rebuilt(scene: Scene) -> None:
    scene.build()


CONTAINER = (
    Fault("container killed", _docker("kill", "right"), rebuilt),
    Fault("container restarted", _docker("restart", "-t", "0", "right"), rebuilt),
    Fault("container paused", _docker("pause", "right"), rebuilt),
    Fault(
        "container disconnected",
        _docker("network", "disconnect", NETWORK, "right"),
        Scene.renew,
    ),
    Fault("container removed", _docker("rm", "-f", "right"), rebuilt),
    Fault("namespace gone", _docker("rm", "-f", "left"), rebuilt),
    Fault("interface renamed", _rename, Scene.renew),
    Fault("interface renamed inside", _rename_inside, Scene.renew),
    Fault("interface removed", _remove_link, Scene.renew),
)
ENGINE = (
    Fault("engine stopped", _stop, _come_back, ends=True),
    Fault("engine stopped, live-restore", _stop, _come_back),
    Fault("engine restarted", _restart, rebuilt, ends=True),
    Fault("engine restarted, live-restore", _restart, rebuilt),
    Fault("engine hung", _hang, _wake, {"engine_timeout_s": 1}),
)
SIGNALS = tuple(
    Fault(each.name, _signalled(each)) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
)
OUT_OF_MEMORY = Fault("our process there killed", _end_it)
CLOCK = Fault("clock set back 1 h", spec={"back_ns": 3_600_000_000_000})
NO_READER = Fault("standard output closed (EPIPE)", options={"stdout": _deaf_reader})
FULL_OUTPUT = Fault("standard output full", options={"stdout": lambda: os.open("/dev/full", os.O_WRONLY)})


def full_at(nth: int) -> Fault:
    """Have the disk be full at a write."""
    return Fault(f"disk full at write {nth}", spec={"full_at": nth})


def small_disk(pages: int) -> Fault:
    """Have a file system of so many pages to write to."""
    return Fault(f"disk of {pages * 4} KiB", options={"pages": pages})


def descriptors(count: int) -> Fault:
    return Fault(f"{count} descriptors", options={"preexec_fn": _limit(resource.RLIMIT_NOFILE, count)})


def memory(megabytes: int) -> Fault:
    return Fault(f"{megabytes} MB of memory", options={"preexec_fn": _limit(resource.RLIMIT_AS, megabytes << 20)})
