"""Run dnetsniff's command line in this process, and stop at one place on its way until whoever watches says go.

    fault_driver.py '{"place": "drain", "told": 5, "go": 6, ...}' trace left right

The program is the product's, unchanged: the functions that its stages consist of are wrapped from here. What a stage
looks up by name it finds wrapped, in the second process too, which is forked from this one.
"""

import errno
import importlib
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from fault_places import PLACES


def main() -> None:
    told = json.loads(sys.argv[1])
    command = told["command"]
    if told.get("engine_timeout_s"):
        importlib.import_module("inspector.discover.engine").CALL_TIMEOUT_S = told["engine_timeout_s"]
    if told.get("full_at"):
        refuse_writes(told["full_at"])
    turned = Turned(told["back_ns"]) if told.get("back_ns") else None
    if told.get("place"):
        stop_at(PLACES[command][told["place"]], lambda: wait(told, turned))
    if turned is not None:
        turned.install()
    sys.argv = ["dnetsniff", *sys.argv[2:]]
    importlib.import_module("inspector.cli.start").main()


def stop_at(place: tuple[str, str, int], stop: Callable[[], None]) -> None:
    """Have a function of the product call `stop` before it does its work the nth time."""
    module, path, nth = place
    owner: Any = importlib.import_module(module)
    *parts, name = path.split(".")
    for each in parts:
        owner = getattr(owner, each)
    real, calls = getattr(owner, name), 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            stop()
        return real(*args, **kwargs)

    setattr(owner, name, wrapped)


def wait(told: dict[str, Any], turned: "Turned | None") -> None:
    """Say that the place is reached, and wait for a word; a signal that comes meanwhile is answered as ever.

    A confined process has no descriptor to say it by: it stops, which can be seen.
    """
    try:
        os.write(told["told"], f"{os.getpid()}\n".encode())
    except OSError:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        os.read(told["go"], 1)
    if turned is not None:
        turned.turn()


def refuse_writes(nth: int) -> None:
    """Have the disk be full from the nth write to a regular file on, half of the nth still fitting."""
    real, calls = os.write, 0

    def write(descriptor: int, data: Any, /) -> int:
        nonlocal calls
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return real(descriptor, data)
        calls += 1
        if calls < nth:
            return real(descriptor, data)
        if calls == nth and len(data) > 1:
            return real(descriptor, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.write = write


class Turned:
    """A clock that somebody sets back: what we read of it, and what the kernel stamps frames with."""

    def __init__(self, back_ns: int) -> None:
        self._wanted_ns, self._back_ns = back_ns, 0

    def turn(self) -> None:
        self._back_ns = self._wanted_ns

    def install(self) -> None:
        listening = importlib.import_module("inspector.capture.listening")
        replace = importlib.import_module("msgspec.structs").replace
        real_ns, real_s, observation = time.time_ns, time.time, listening._observation
        time.time_ns = lambda: real_ns() - self._back_ns
        time.time = lambda: real_s() - self._back_ns / 1e9

        def observed(point: int, frame: Any) -> Any:
            seen = observation(point, frame)
            return replace(seen, at_ns=seen.at_ns - self._back_ns)

        listening._observation = observed
        injector = importlib.import_module("inspector.capture.injector")
        stamp_of = injector.stamp_of
        injector.stamp_of = lambda control: (at_ns := stamp_of(control)) and at_ns - self._back_ns
        modules = [importlib.import_module(f"inspector.capture.{name}") for name in ("session", "asking")]
        for module in modules:
            # The clock that is there when the class is made is the one it would keep.
            module.Clocks = lambda: SimpleNamespace(realtime_ns=time.time_ns, monotonic_ns=time.monotonic_ns)


if __name__ == "__main__":
    main()
