"""What watching does to the traffic beside it: round trips and throughput with an observer and without it, in turn.

All traffic is on one CPU (`loads.py`), what observes on the others: what is measured is what the kernel does more for
each packet, and not who gets a CPU. Measured is traffic between the two containers that are traced, between two others
of the same bridge, and between two of another bridge, while

- traces run one after another,
- one trace waits for an answer that does not come: everything it ever opens is open all the time, and it is idle,
- a capture of other traffic runs,
- a capture of this very traffic runs, at three points; beside it, three tcpdumps at the same points.

Three figures in a cell are of the traced containers, of others of the same bridge, and of another bridge's. Prints
medians of the rounds; it judges nothing. Needs root, an engine, two CPUs, tcpdump, and the course network (`dnetsniff
lab up`); traffic of the host's namespace is that of the engine's host, so run it there.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from capture import inspected, pid_of
from capture import survey as capture_points
from loads import KINDS
from pairs import program
from rows import LEAST, MOST, Row, table

from inspector import netns

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SLICE_S = float(os.environ.get("BENCH_SLICE", "0.15"))
WHOLE_TRACES_S = 6 * SLICE_S
"""Several traces should fit into it."""
NEIGHBOUR = "dnetsniff-bench"
TRAFFIC_CPU, *OBSERVER_CPUS = sorted(os.sched_getaffinity(0))
UNHEARD = 9_010
"""The port of a socket that never answers."""
NOTHING = "udp port 9011"
"""A filter for traffic that there is none of."""
PATIENCE_S = 20
BEHIND_ATTENTION_S = 4 * SLICE_S
"""A trace has the kernel tell of drops for 0.3 s after each probe: what is measured is its long wait."""
ROUND_TRIP, THROUGHPUT = 1.05, 0.97
Figures = dict[tuple[str, str], float]
"""Nanoseconds of a packet, by where the traffic is and its kind."""
State = Callable[[], AbstractContextManager[None]]


class Pair(NamedTuple):
    """Two containers between which traffic goes."""

    where: str
    source: str
    destination: str


PAIRS = (
    Pair("the traced containers", "tomcat01", "tomcat02"),
    Pair("others of the same bridge", "tomcat03", NEIGHBOUR),
    Pair("another bridge's", "mynet-tomcat01", "mynet-tomcat02"),
)
WORDS = {
    "traces": "traces one after another",
    "waiting": "a trace that waits for an answer",
    "passive": "the same with `--passive`",
    "elsewhere": "a capture of other traffic",
}
CARRIED = {"echo": "ping round trip", "udp": "UDP throughput", "tcp": "TCP throughput"}


class Load:
    """The process that makes one pair's traffic."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        pids = [str(pid_of(each)) for each in pair[1:]]
        addresses = [inspected(each, ADDRESS).split()[0] for each in pair[1:]]
        words = [sys.executable, str(Path(__file__).with_name("loads.py")), str(TRAFFIC_CPU), *pids, *addresses]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, kind: str, seconds: float) -> float:
        """Return the nanoseconds of a packet."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{kind} {seconds}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline().split()[1])

    def close(self) -> None:
        """End it."""
        self._process.communicate()


ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table."""
    if not OBSERVER_CPUS:
        return
    with ExitStack() as stack:
        stack.enter_context(neighbour())
        loads = [Load(each) for each in PAIRS]
        for each in loads:
            stack.callback(each.close)
        states = {
            "traces": traces,
            "waiting": waiting,
            "passive": lambda: waiting("--passive"),
            "elsewhere": lambda: capturing(NOTHING),
            "others": lambda: dumping(NOTHING),
        }
        seen: dict[str, list[tuple[Figures, Figures]]] = {name: [] for name in states}
        same: list[tuple[Figures, Figures, Figures]] = []
        for _ in range(ROUNDS):
            for name, state in states.items():
                seen[name].append(compared(loads, KINDS, state, WHOLE_TRACES_S if name == "traces" else SLICE_S))
            ours, theirs = (compared(loads[:1], KINDS[:2], each, SLICE_S) for each in (capturing, dumping))
            same.append((ours[1], theirs[1], {key: (ours[0][key] + theirs[0][key]) / 2 for key in ours[0]}))
    for name in WORDS:
        yield from (_row(name, kind, seen[name], seen["others"]) for kind in KINDS)
    yield from (_same_row(kind, same) for kind in KINDS[:2])


def compared(loads: list[Load], kinds: tuple[str, ...], state: State, seconds: float) -> tuple[Figures, Figures]:
    """Measure without, with, and without; return the mean of the first and last, and the second."""
    before = _measured(loads, kinds, SLICE_S)
    with state():
        during = _measured(loads, kinds, seconds)
    after = _measured(loads, kinds, SLICE_S)
    return {key: (before[key] + after[key]) / 2 for key in before}, during


def _measured(loads: list[Load], kinds: tuple[str, ...], seconds: float) -> Figures:
    return {(each.pair.where, kind): each.measure(kind, seconds) for each in loads for kind in kinds}


def _row(name: str, kind: str, rounds: list[tuple[Figures, Figures]], others: list[tuple[Figures, Figures]]) -> Row:
    without, during = ([median(each[which][pair.where, kind] for each in rounds) for pair in PAIRS] for which in (0, 1))
    what = f"{CARRIED[kind]}, beside {WORDS[name]}"
    beside = f"without: {_amounts(kind, without)}"
    if name == "elsewhere":
        ratios = "; ".join(f"{each:.2f}" for each in _ratios(kind, others))
        beside = f"{beside} (three tcpdumps: {ratios})"
    goal, direction = (ROUND_TRIP, MOST) if kind == "echo" else (THROUGHPUT, LEAST)
    return Row(what, _amounts(kind, during), beside, _ratios(kind, rounds), goal, direction)


def _ratios(kind: str, rounds: list[tuple[Figures, Figures]]) -> tuple[float, ...]:
    """Return those of the times, or of the rates, for each pair of containers."""
    keys = [(pair.where, kind) for pair in PAIRS]
    if kind == "echo":
        return tuple(median(each[1][key] / each[0][key] for each in rounds) for key in keys)
    return tuple(median(each[0][key] / each[1][key] for each in rounds) for key in keys)


def _amounts(kind: str, each_ns: list[float]) -> str:
    """Write round trips or rates, the unit once."""
    written = [_amount(kind, each) for each in each_ns]
    return "; ".join(each.partition(" ")[0] for each in written) + " " + written[0].partition(" ")[2]


def _same_row(kind: str, rounds: list[tuple[Figures, Figures, Figures]]) -> Row:
    key = PAIRS[0].where, kind
    ours, theirs, without = (median(each[which][key] for each in rounds) for which in (0, 1, 2))
    ratio = median(each[0][key] / each[1][key] for each in rounds)
    what = f"{CARRIED[kind]} that is captured itself, at three points"
    beside = f"three tcpdumps: {_amount(kind, theirs)} (without: {_amount(kind, without)})"
    if kind == "echo":
        return Row(what, _amount(kind, ours), beside, (ratio,), 1.0, MOST)
    return Row(what, _amount(kind, ours), beside, (1 / ratio,), 1.0, LEAST)


def _amount(kind: str, each_ns: float) -> str:
    if kind == "echo":
        return f"{each_ns / 1e3:.1f} us"
    return f"{1e9 / each_ns / 1e3:.0f} thousand/s" if kind == "udp" else f"{65_536 * 8 / each_ns:.1f} Gbit/s"


@contextmanager
def neighbour() -> Iterator[None]:
    """Have one more container on the default bridge."""
    image = inspected("tomcat01", "{{.Config.Image}}")
    run = ["docker", "run", "-d", "--pull", "never", "--name", NEIGHBOUR, "--stop-signal", "KILL"]
    subprocess.run([*run, "--dns", "127.0.0.1", image], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "rm", "-f", NEIGHBOUR], check=True, capture_output=True)


def _apart() -> None:
    os.sched_setaffinity(0, OBSERVER_CPUS)


def _begin(words: list[str], **streams: int) -> "subprocess.Popen[str]":
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
    return subprocess.Popen(words, preexec_fn=_apart, text=True, **streams)  # noqa: PLW1509 - single-threaded


def _end(*started: "subprocess.Popen[str]", number: int = signal.SIGINT) -> None:
    for each in started:
        each.send_signal(number)
    for each in started:
        each.communicate()


@contextmanager
def traces() -> Iterator[None]:
    """Trace again and again."""
    words = [program(), "trace", "tomcat01", "tomcat02", "-c", "3", "--no-lookup"]
    line = f"while :; do {' '.join(words)}; done"
    looping = _begin(["setsid", "sh", "-c", line])
    try:
        yield
    finally:
        os.killpg(looping.pid, signal.SIGTERM)
        looping.communicate()


@contextmanager
def waiting(*more: str) -> Iterator[None]:
    """Hold a trace open: its datagram reaches a socket that does not answer."""
    namespace = os.open(f"/proc/{pid_of('tomcat02')}/ns/net", os.O_RDONLY)
    with netns.enter(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as unheard:
        os.close(namespace)
        unheard.bind(("0.0.0.0", UNHEARD))
        unheard.settimeout(PATIENCE_S)
        options = ["--no-lookup", "-c", "1", "-W", "60", *more]
        tracing = _begin([program(), "trace", "tomcat01", f"tomcat02:{UNHEARD}/udp", *options])
        try:
            unheard.recv(2_048)
            time.sleep(BEHIND_ATTENTION_S)
            yield
        finally:
            _end(tracing)


@contextmanager
def capturing(*expression: str) -> Iterator[None]:
    """Capture at the points of a container, which are three beside its loopback."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.pcapng")
        only = ["--filter", *expression] if expression else []
        started = _begin([program(), "capture", "tomcat01", "-w", str(file), *only])
        try:
            _wait(lambda: file.exists() and file.stat().st_size > 0, started)
            yield
        finally:
            _end(started)


@contextmanager
def dumping(*expression: str) -> Iterator[None]:
    """Capture by a tcpdump at each of the same points."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for number, (pid, interface) in enumerate(capture_points()[0]):
            enter = ["nsenter", "-t", str(pid or os.getpid()), "-n"]
            words = ["tcpdump", "-n", "-B", "16384", "-i", interface, "-w", f"{folder}/{number}.pcap", *expression]
            started = _begin([*enter, *words], stderr=subprocess.PIPE)
            stack.callback(_end, started)
            assert started.stderr
            while "listening on" not in started.stderr.readline():
                assert started.poll() is None
        yield


def _wait(fact: Callable[[], bool], started: "subprocess.Popen[str]") -> None:
    limit = time.monotonic() + PATIENCE_S
    while not fact():
        assert started.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.01)


if __name__ == "__main__":
    main()
