"""Time `dnetsniff` against the same questions answered by hand at full speed, in turn, in one run.

By hand: five tcpdumps started together, ping, mergecap and tshark, as an expert would script it, who has looked up
namespaces, interfaces and addresses before; so the trace that is compared takes its address from the engine. A name by
hand is nslookup inside the container, beside the bare import of what `resolve` stands on. Prints medians and ratios; it
judges nothing. Needs root, an engine, and the course network (`dnetsniff lab up`).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from pairs import compare, in_row, program, run, several, times
from rows import Row, table

NAMED = ("mynet-tomcat01", "mynet-tomcat02")
IMPORTS = ("click", "docker", "scapy", "pyroute2")
BARE = "import click, docker, scapy.layers.dns, pyroute2"
SOURCE, DESTINATION = "tomcat01", "tomcat02"
BY_HAND = 0.7


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table."""
    dnetsniff = program()
    ends = survey(dnetsniff)
    probes = ("trace", SOURCE, DESTINATION, "-c", "3")
    what, beside = f"`{' '.join(probes)} --no-lookup`", "by hand (5 tcpdump, ping, mergecap, tshark)"
    ours, theirs = compare(what, lambda: run([dnetsniff, *probes, "--no-lookup"]), beside, lambda: by_hand(ends))
    yield in_row(what, ours, beside, theirs, BY_HAND)
    what = f"`{' '.join(probes)}`, its name looked up"
    yield Row(what, times(several(lambda: run([dnetsniff, *probes], 1))), "")
    what, beside = f"`resolve {' '.join(NAMED)}`", f"`docker exec` nslookup, and bare imports of {', '.join(IMPORTS)}"
    ours, theirs = compare(
        what,
        lambda: run([dnetsniff, "resolve", *NAMED]),
        beside,
        lambda: (run(["docker", "exec", NAMED[0], "nslookup", NAMED[1]], 1), run([sys.executable, "-c", BARE])),
    )
    yield in_row(what, ours, beside, theirs, 1.0)


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
