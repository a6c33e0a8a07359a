"""Time `dnetsniff trace` against the same question answered by hand at full speed, in turn, in one run.

By hand: five tcpdumps started together, ping, mergecap and tshark, as an expert would script it. Prints medians and
the ratio; judges nothing. Needs root, an engine, and the course network (`dnetsniff lab up`).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

RUNS = 9
SOURCE, DESTINATION = sys.argv[1:3] if len(sys.argv) > 2 else ("tomcat01", "tomcat02")


def main() -> None:
    """Print the table."""
    dnetsniff = shutil.which("dnetsniff", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "dnetsniff"
    ends = survey(dnetsniff)
    pairs = [(measured(lambda: trace(dnetsniff)), measured(lambda: by_hand(ends))) for _ in range(RUNS)]
    ours, hand = [a for a, _ in pairs], [b for _, b in pairs]
    help_times = [measured(lambda: run([dnetsniff, "--help"])) for _ in range(RUNS)]
    print(f"{RUNS} pairs, medians                       wall s   CPU s")
    print(f"dnetsniff trace {SOURCE} {DESTINATION} -c 3   {mid(ours, 0):6.3f}  {mid(ours, 1):6.3f}")
    print(f"by hand (5 tcpdump, ping, merge, tshark)  {mid(hand, 0):6.3f}  {mid(hand, 1):6.3f}")
    print(f"ratio, median of pairs                    {median(a[0] / b[0] for a, b in pairs):6.2f}", end="")
    print(f"  {median(a[1] / b[1] for a, b in pairs):6.2f}")
    print(f"dnetsniff --help                          {mid(help_times, 0):6.3f}  {mid(help_times, 1):6.3f}")


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall and CPU seconds of the processes that the work starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    ended, after = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ended - started, cpu


def mid(runs: list[tuple[float, float]], which: int) -> float:
    """Return the median of one of the figures."""
    return median(each[which] for each in runs)


def run(command: list[str]) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def trace(dnetsniff: str) -> None:
    """Ask dnetsniff."""
    run([dnetsniff, "trace", SOURCE, DESTINATION, "-c", "3"])


def survey(dnetsniff: str) -> list[tuple[int | None, str]]:
    """Return what the expert would have looked up before: (pid or None, interface) of the five points."""
    answer = subprocess.run([dnetsniff, "ls", "--format", "json"], check=True, capture_output=True)
    topology = json.loads(answer.stdout)
    pids = {name: pid_of(name) for name in (SOURCE, DESTINATION)}
    bridge = next(each for each in topology["networks"] if each["name"] == "bridge")
    points: list[tuple[int | None, str]] = [(None, bridge["bridge"])]
    for port in bridge["ports"]:
        if port["peer"] and port["peer"]["sandbox"] in pids:
            points += [(None, port["interface"]), (pids[port["peer"]["sandbox"]], "eth0")]
    return points


def pid_of(name: str) -> int:
    """Return the container's first process."""
    answer = subprocess.run(
        ["docker", "inspect", "-f", "{{.State.Pid}}", name], check=True, capture_output=True, text=True
    )
    return int(answer.stdout)


def by_hand(points: list[tuple[int | None, str]]) -> None:
    """Capture at five points, ping, merge, show."""
    address = subprocess.run(
        ["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", DESTINATION],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{number}.pcap" for number in range(len(points))]
        dumps = [start_dump(pid, interface, file) for (pid, interface), file in zip(points, files, strict=True)]
        for dump in dumps:
            while b"listening on" not in (dump.stderr.readline() if dump.stderr else b"listening on"):
                pass
        source = next(pid for pid, _ in points if pid)
        run(["nsenter", "-t", str(source), "-n", "ping", "-q", "-c", "3", "-i", "0.01", address])
        for dump in dumps:
            dump.terminate()
        for dump in dumps:
            dump.communicate()
        run(["mergecap", "-w", f"{folder}/all.pcapng", *files])
        run(["tshark", "-r", f"{folder}/all.pcapng", "-t", "e"])


def start_dump(pid: int | None, interface: str, file: str) -> subprocess.Popen[bytes]:
    """Start one tcpdump, inside a namespace where a pid is given."""
    enter = ["nsenter", "-t", str(pid), "-n"] if pid else []
    command = [*enter, "tcpdump", "--immediate-mode", "-U", "-i", interface, "-w", file, "icmp or arp"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


if __name__ == "__main__":
    main()
