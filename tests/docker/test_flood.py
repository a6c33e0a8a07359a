"""A flood across the same bridge changes nothing: no probe frame is lost by a tap, and the verdict is the same."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from commands import docker

pytestmark = pytest.mark.docker

FLOOD = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], 9))
end = time.monotonic() + 20
print("flooding", flush=True)
while time.monotonic() < end:
    for _ in range(1000):
        try:
            sock.send(b"x" * 64)
        except OSError:
            pass
"""


@contextmanager
def flooding(source: str, address: str) -> Iterator[None]:
    pid = docker("inspect", "-f", "{{.State.Pid}}", source)
    enter = ["nsenter", "-t", pid, "-n", sys.executable, "-c", FLOOD, address]
    with subprocess.Popen(enter, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "flooding\n"
        try:
            yield
        finally:
            process.kill()


@pytest.mark.usefixtures("course")
def test_a_flood_between_the_same_two_containers_hides_nothing(run: Callable[..., Any]) -> None:
    address = docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "tomcat02")
    flooder = docker("inspect", "-f", "{{.State.Pid}}", "tomcat03")
    with flooding("tomcat03", address):
        before, started = sent(flooder), time.monotonic()
        ran = run("trace", "tomcat01", "tomcat02", "-c", "5", "--format", "json")
        rate = (sent(flooder) - before) / (time.monotonic() - started)
    assert rate > 5_000, f"only {rate:.0f} frames/s: that is no flood"
    print(f"{rate:.0f} frames/s crossed the bridge")
    report = ran.json
    assert (ran.status, report["verdict"]["outcome"]) == (0, "delivered")
    assert report["blind_spots"] == []
    requests = [path for path in report["paths"] if path["direction"] == "request"]
    assert len(requests) == 5
    assert all(hop["seen"] for path in requests for hop in path["hops"])


def sent(pid: str) -> int:
    """Return the frames that the container's eth0 has sent so far: each enters the bridge."""
    words = ["nsenter", "-t", pid, "-n", "ip", "-j", "-s", "link", "show", "eth0"]
    (link,) = json.loads(subprocess.check_output(words))
    return int(link["stats64"]["tx"]["packets"])
