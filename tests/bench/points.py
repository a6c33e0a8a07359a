"""Time `dnetsniff capture` of 1, 3, 11 and 41 points against as many tcpdumps, and as many dumpcaps, on the same load.

On an engine of its own: a network of no, one, five and twenty containers is captured, and what is sent is a broadcast
that each point sees; the single point is a container's loopback, which sees each frame twice. As many frames in all,
however many points. At last a load as a quiet network has it. Prints medians of CPU time and memory; judges nothing.
Needs root, dockerd, tcpdump and dumpcap. BENCH_SECONDS, BENCH_ROUNDS and BENCH_POINTS make it shorter.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from capture import cpu_of, ended
from pairs import program
from rows import Row, table

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from private_engine import IMAGE, PrivateEngine, private_engine

SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1"))
POINTS = tuple(int(each) for each in os.environ.get("BENCH_POINTS", "1 3 11 41").split())
FLOOD, TRICKLE = 60_000, 400
"""Frames a second at all points together."""
PORT = "9"
SENDER = """
import socket, sys, time
address, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.connect((address, 9))
start = time.monotonic()
sent, at_once, failed = 0, max(1, int(rate / 200)), 0
while time.monotonic() < start + seconds:
    for _ in range(at_once):
        try:
            sock.send(bytes(64))
        except OSError:
            failed += 1
    sent += at_once
    time.sleep(max(0, start + sent / rate - time.monotonic()))
print(sent - failed)
"""


class Point(NamedTuple):
    """Where to listen: a process in its namespace, and an interface."""

    pid: int
    interface: str


class Place(NamedTuple):
    """What is captured, by whom, and who sends."""

    target: str
    points: list[Point]
    sender: int
    address: str
    sightings: int
    """How often a frame is seen in all."""


class Cost(NamedTuple):
    """What one capture took, and what it missed."""

    cpu: float
    """Seconds while frames came."""
    memory: float
    """MB, of all processes, what they share counted once (smaps_rollup, Pss)."""
    seen: int
    dropped: int
    """By its own count."""
    missing: int
    """Of all that was sent; the kernel loses some before any point, where its queue is full (netdev_max_backlog)."""

    @property
    def a_frame(self) -> float:
        """Return the microseconds of CPU time for each frame."""
        return self.cpu / max(self.seen, 1) * 1e6

    @property
    def share(self) -> float:
        """Return how much of a processor it took."""
        return self.cpu / SECONDS


def rows() -> Iterator[Row]:
    """Measure."""
    with private_engine() as engine:
        engine.docker("run", "-d", "--network", "none", "--name", "alone", IMAGE)
        alone = pid_of(engine, "alone")
        places = {1: Place("alone", [Point(alone, "lo")], alone, "127.0.0.1", 2)}
        for members in (1, 5, 20):
            network, subnet = f"of{members}", f"10.211.{members}"
            names = [f"{network}-{each}" for each in range(members)]
            engine.docker("network", "create", "--subnet", f"{subnet}.0/24", network)
            for name in names:
                engine.docker("run", "-d", "--network", network, "--dns", "127.0.0.1", "--name", name, IMAGE)
            there = place(engine, network, names, f"{subnet}.255", from_host=members == 1)
            places[len(there.points)] = there
        for number in POINTS:
            yield from compare(engine, places[number], FLOOD, f"a flood, {number} points")
        yield from compare(engine, places[POINTS[-1]], TRICKLE, f"a quiet network, {POINTS[-1]} points")


def compare(engine: PrivateEngine, where: Place, rate: float, words: str) -> Iterator[Row]:
    """Let each capture in turn, and say what it took."""
    print(f"{words}: {rate:,} frames/s in all, {SECONDS} s", file=sys.stderr)
    works: dict[str, Callable[[], Cost]] = {
        "dnetsniff": lambda: ours(engine, where, rate),
        "tcpdumps": lambda: others(where, rate, ["tcpdump", "-n", "-B", "16384"], r"(\d+) packets captured"),
        "dumpcaps": lambda: others(where, rate, ["dumpcap", "-q", "-B", "16"], r"Packets captured: (\d+)"),
    }
    rounds = [[work() for work in works.values()] for _ in range(ROUNDS)]
    told = [said(list(costs)) for costs in zip(*rounds, strict=True)]
    for name, text in zip(works, told, strict=True):
        print(f"  {name:10} {text}", file=sys.stderr)
    for index, name in ((1, "tcpdumps"), (2, "dumpcaps")):
        ratio = median(each[0].a_frame / each[index].a_frame for each in rounds)
        yield Row(f"{words}, {rate:,} frames/s in all", told[0], f"as many {name}: {told[index]}", (ratio,))


def said(costs: list[Cost]) -> str:
    """Write the medians, and what was lost in all."""
    share, a_frame, memory = (
        median(getattr(each, field) for each in costs) for field in ("share", "a_frame", "memory")
    )
    dropped, missing = (sum(getattr(each, field) for each in costs) for field in ("dropped", "missing"))
    lost = f", {dropped} dropped" if dropped else ""
    lost += f", {missing - dropped} lost before any of them" if missing > dropped else ""
    return f"{a_frame:.2f} us CPU a frame, {share:.1%} of a core, {memory:.0f} MB{lost}"


def pid_of(engine: PrivateEngine, name: str) -> int:
    """Return the container's first process."""
    return int(engine.docker("inspect", "-f", "{{.State.Pid}}", name))


def place(engine: PrivateEngine, network: str, members: list[str], address: str, *, from_host: bool = False) -> Place:
    """Return where a network of these members can be listened to."""
    host = int((engine.folder / "pid").read_text())
    bridge = f"br-{engine.docker('network', 'inspect', '-f', '{{.Id}}', network)[:12]}"
    ports = re.findall(r"^\d+: ([^@:]+)", engine.ip(f"-o link show master {bridge}"), re.MULTILINE)
    pids = [pid_of(engine, each) for each in members]
    points = [Point(host, bridge), *(Point(host, each) for each in ports), *(Point(each, "eth0") for each in pids)]
    return Place(network, points, host if from_host else pids[0], address, len(points))


def sent(where: Place, rate: float, pids: list[int]) -> tuple[int, float, float]:
    """Send, and return how much, and what CPU and memory these processes took meanwhile."""
    before = sum(cpu_of(each) for each in pids)
    enter = ["nsenter", "-t", str(where.sender), "-n", sys.executable, "-c", SENDER]
    words = [where.address, str(rate / where.sightings), str(SECONDS)]
    told = subprocess.run([*enter, *words], check=True, capture_output=True, text=True).stdout
    time.sleep(min(1.2, 4 * SECONDS))
    return int(told), sum(cpu_of(each) for each in pids) - before, sum(memory_of(each) for each in pids) / 1e3


def memory_of(pid: int) -> int:
    """Return the memory of a process in kB, its share of what several have (proc(5), smaps_rollup)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Pss: +(\d+)", rollup, re.MULTILINE)[0])


def ours(engine: PrivateEngine, where: Place, rate: float) -> Cost:
    """Capture by ours."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.pcapng")
        command = [program(), "--host", engine.url, "capture", where.target, "-w", str(file)]
        started = subprocess.Popen([*command, "--filter", f"udp port {PORT}"], stderr=subprocess.PIPE, text=True)
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        time.sleep(min(0.5, 2 * SECONDS))
        frames, cpu, memory = sent(where, rate, [started.pid])
        said, _ = ended([started])
        found = int(re.findall(r"captured ([0-9,]+) frame", said)[0].replace(",", ""))
        dropped = re.findall(r"^([0-9,]+) frames? w\w+ dropped", said, re.MULTILINE)
        lost = sum(int(each.replace(",", "")) for each in dropped)
        return Cost(cpu, memory, found, lost, frames * where.sightings - found)


def others(where: Place, rate: float, command: list[str], counted: str) -> Cost:
    """Capture at each point by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        started = []
        for number, point in enumerate(where.points):
            enter = ["nsenter", "-t", str(point.pid), "-n"]
            only = ["-f"] if command[0] == "dumpcap" else []
            words = ["-i", point.interface, "-w", f"{folder}/{number}.pcap", *only, f"udp port {PORT}"]
            started.append(subprocess.Popen([*enter, *command, *words], stderr=subprocess.PIPE, text=True))
        while len(list(Path(folder).iterdir())) < len(where.points):
            time.sleep(0.05)
        time.sleep(min(1.0, 4 * SECONDS))
        frames, cpu, memory = sent(where, rate, [each.pid for each in started])
        said, _ = ended(started)
        found = sum(int(each) for each in re.findall(counted, said))
        dropped = re.findall(r"(\d+) packets dropped by kernel", said) + re.findall(r": \d+/(\d+) \(", said)
        lost = sum(int(each) for each in dropped)
        # What leaves a loopback libpcap passes over: it comes in again.
        return Cost(cpu, memory, found, lost, frames * len(where.points) - found)


if __name__ == "__main__":
    print(table(rows()))
