"""Time `dnetsniff capture` of three points against three tcpdumps, and against one dumpcap for each, on the same load.

The load is UDP from a container to another on the default bridge, at a rate that is kept; the points are the sender's
interface, its far end, and the bridge. Each program captures in turn. CPU time is that for each frame while they came,
and of the whole process from its start. Prints medians and the ratio of the pairs; judges nothing.
Needs root, an engine, tcpdump and dumpcap, and the course network (`dnetsniff lab up`).
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pairs import program
from rows import Row, table

RATE = 130_000
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SOURCE, DESTINATION = os.environ.get("BENCH_ENDS", "tomcat01 tomcat02").split()
PORT = "9"
START_S = min(0.5, 2 * SECONDS)
SETTLE_S = min(1.2, 4 * SECONDS)
"""What a tcpdump or dumpcap may hold back: a second."""
SIZES = (("frames of one size", (64,)), ("five sizes in turn", (22, 64, 300, 700, 1400)))
NAMES = ("dnetsniff capture", "three tcpdumps", "three dumpcaps")
FLOOD = """
import socket, sys, time
address, rate, seconds, sizes = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), eval(sys.argv[4])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((address, 9))
send, payloads = sock.send, [b"x" * size for size in sizes] * (120 // len(sizes))
start = time.monotonic()
sent = 0
while time.monotonic() < start + seconds:
    for payload in payloads:
        try:
            send(payload)
        except OSError:
            send(payload)
    sent += len(payloads)
    ahead = start + sent / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
print(sent, sent / (time.monotonic() - start))
"""


class Cost(NamedTuple):
    """What one capture took, and what it missed."""

    cpu: float
    """Microseconds for each frame, while they came."""
    whole: float
    """Seconds, from start to end."""
    lost: int
    size: int
    rate: float


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table."""
    where, address = survey()
    for words, sizes in SIZES:
        print(f"{words}, {RATE} frames/s wanted, {SECONDS} s, three points", file=sys.stderr)
        rounds = [[one(where, address, sizes) for one in (ours, tcpdumps, dumpcaps)] for _ in range(ROUNDS)]
        ways = [list(each) for each in zip(*rounds, strict=True)]
        for name, costs in zip(NAMES, ways, strict=True):
            print(row(name, costs), file=sys.stderr)
        what = f"`capture` of {words}, CPU of a frame, of all"
        for costs, name in zip(ways[1:], NAMES[1:], strict=True):
            ratio = median(a.cpu / b.cpu for a, b in zip(ways[0], costs, strict=True))
            yield Row(what, _spent(ways[0]), f"{name}: {_spent(costs)}", (ratio,), 1.0)
        lost = [sum(each.lost for each in costs) for costs in ways]
        rate = median(each.rate for each in ways[0])
        kept = ", ".join(f"{name}: {number}" for name, number in zip(NAMES[1:], lost[1:], strict=True))
        yield Row(f"frames lost at {rate:,.0f} a second and point", str(lost[0]), kept)


def _spent(costs: list[Cost]) -> str:
    return f"{median(each.cpu for each in costs):.2f} us, {median(each.whole for each in costs):.2f} s"


def row(name: str, costs: list[Cost]) -> str:
    """Write a line of the table."""
    fields = ("cpu", "whole", "rate", "size")
    cpu, whole, rate, size = (median(getattr(each, field) for each in costs) for field in fields)
    lost = sum(each.lost for each in costs)
    spent = f"{cpu:6.3f} us CPU a frame  {whole:6.3f} s in all"
    return f"{name:20} {spent}  {rate:8.0f} frames/s  {lost:6} lost  {size / 1e6:7.1f} MB"


def survey() -> tuple[list[tuple[int | None, str]], str]:
    """Return the three points, (pid or None, interface), and whom to send to."""
    answer = subprocess.run([program(), "ls", "--format", "json"], check=True, capture_output=True)
    bridge = next(each for each in json.loads(answer.stdout)["networks"] if each["name"] == "bridge")
    port = next(each for each in bridge["ports"] if each["peer"] and each["peer"]["sandbox"] == SOURCE)
    address = "{{.NetworkSettings.Networks.bridge.IPAddress}}"
    points = [(pid_of(SOURCE), "eth0"), (None, port["interface"]), (None, bridge["bridge"])]
    return points, inspected(DESTINATION, address)


def inspected(name: str, template: str) -> str:
    """Ask the engine."""
    return subprocess.run(
        ["docker", "inspect", "-f", template, name], check=True, capture_output=True, text=True
    ).stdout.strip()


def pid_of(name: str) -> int:
    """Return the container's first process."""
    return int(inspected(name, "{{.State.Pid}}"))


def host_pid() -> int:
    """Return a process in the namespace that the engine's bridges are in: ours, where nothing else is said."""
    return int(os.environ.get("BENCH_HOST_PID", os.getpid()))


def flooded(address: str, sizes: tuple[int, ...], pids: list[int]) -> tuple[int, float, float]:
    """Send, and return how much and how fast, and what CPU these processes took meanwhile."""
    before = sum(cpu_of(each) for each in pids)
    enter = ["nsenter", "-t", str(pid_of(SOURCE)), "-n", sys.executable, "-c", FLOOD]
    words = [address, str(RATE), str(SECONDS), repr(sizes)]
    sent, rate = subprocess.run([*enter, *words], check=True, capture_output=True, text=True).stdout.split()
    time.sleep(SETTLE_S)
    return int(sent), float(rate), sum(cpu_of(each) for each in pids) - before


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process so far, to the nanosecond (proc(5), schedstat)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in tasks) / 1e9


def ours(_where: list[tuple[int | None, str]], address: str, sizes: tuple[int, ...]) -> Cost:
    """Capture by ours: the container's points are three, since its loopback has no such frame."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.pcapng")
        command = [program(), "capture", SOURCE, "-w", str(file), "--filter", f"udp port {PORT}"]
        started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        time.sleep(START_S)
        sent, rate, cpu = flooded(address, sizes, [started.pid])
        said, whole = ended([started])
        counts = [int(each.replace(",", "")) for each in re.findall(r"/\S+ +([0-9,]+)", said)]
        frames = int(re.findall(r"captured ([0-9,]+) frame", said)[0].replace(",", ""))
        assert sorted(counts)[-3:] == [sent] * 3, said
        return Cost(cpu / sent / 3 * 1e6, whole, 3 * sent - frames, file.stat().st_size, rate)


def tcpdumps(where: list[tuple[int | None, str]], address: str, sizes: tuple[int, ...]) -> Cost:
    """Capture by a tcpdump at each point, with buffers as large as ours."""
    return others(where, address, sizes, ["tcpdump", "-n", "-B", "16384"], r"(\d+) packets captured")


def dumpcaps(where: list[tuple[int | None, str]], address: str, sizes: tuple[int, ...]) -> Cost:
    """Capture by a dumpcap at each point."""
    return others(where, address, sizes, ["dumpcap", "-q", "-B", "16"], r"Packets captured: (\d+)")


def others(
    where: list[tuple[int | None, str]], address: str, sizes: tuple[int, ...], command: list[str], counted: str
) -> Cost:
    """Capture at each point by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        files = [Path(folder, f"{number}.pcap") for number in range(len(where))]
        started = []
        for (pid, interface), file in zip(where, files, strict=True):
            enter = ["nsenter", "-t", str(pid or host_pid()), "-n"]
            only = ["-f"] if command[0] == "dumpcap" else []
            words = ["-i", interface, "-w", str(file), *only, f"udp port {PORT}"]
            started.append(subprocess.Popen([*enter, *command, *words], stderr=subprocess.PIPE, text=True))
        while not all(each.exists() for each in files):
            time.sleep(0.05)
        time.sleep(START_S)
        sent, rate, cpu = flooded(address, sizes, [each.pid for each in started])
        said, whole = ended(started)
        frames = sum(int(each) for each in re.findall(counted, said))
        return Cost(cpu / sent / 3 * 1e6, whole, 3 * sent - frames, sum(each.stat().st_size for each in files), rate)


def ended(processes: "list[subprocess.Popen[str]]") -> tuple[str, float]:
    """End them as Ctrl-C does; return what they said and what CPU they took."""
    cpu, said = 0.0, []
    for each in processes:
        each.send_signal(signal.SIGINT)
        assert each.stderr
        said.append(each.stderr.read())
        _, status, usage = os.wait4(each.pid, 0)
        each.returncode = os.waitstatus_to_exitcode(status)
        assert each.returncode == 0, said
        cpu += usage.ru_utime + usage.ru_stime
    return "".join(said), cpu


if __name__ == "__main__":
    main()
