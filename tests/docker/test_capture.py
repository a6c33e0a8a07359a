"""A long capture on a live engine: what a user types, what the file holds while it grows and after it has ended."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, docker
from private_engine import private_engine

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

PATIENCE_S = 30
ECHO = "icmp or arp"


@contextmanager
def capturing(*words: str, **streams: Any) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([*PROGRAM, "capture", *words], stderr=subprocess.PIPE, **streams)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(found: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    """Wait until it is so; the capture has to go on meanwhile."""
    limit = time.monotonic() + PATIENCE_S
    while not found():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < limit
        select.select([], [], [], 0.02)


def begun(file: Path) -> Callable[[], bool]:
    """Whether the interfaces are in the file, so that all taps are bound."""
    return lambda: file.exists() and file.stat().st_size > 0


def fields(file: Path, *names: str, only: str = "icmp") -> list[list[str]]:
    words = [word for name in names for word in ("-e", name)]
    command = ["tshark", "-n", "-r", str(file), "-Y", only, "-T", "fields", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "cut short" not in done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def address_of(name: str, network: str = "bridge") -> str:
    return docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}', name)


def ping(source: str, address: str) -> None:
    pid = docker("inspect", "-f", "{{.State.Pid}}", source)
    subprocess.run(["nsenter", "-t", pid, "-n", "ping", "-q", "-c", "1", "-W", "2", address], check=True, stdout=-3)


def ended(process: "subprocess.Popen[bytes]", number: int = signal.SIGINT) -> str:
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return err.decode()


def test_every_point_of_two_containers_sees_the_same_ping(tmp_path: Path) -> None:
    file = tmp_path / "all.pcapng"
    with capturing("tomcat01", "tomcat02", "-w", str(file), "--filter", ECHO) as process:
        wait_for(begun(file), process)
        ping("tomcat01", address_of("tomcat02"))
        said = ended(process)
    seen = fields(file, "frame.interface_name", "icmp.type", "frame.packet_flags_direction")
    assert sorted({name.split("/")[0] for name, _, _ in seen}) == ["host", "tomcat01", "tomcat02"]
    assert len(seen) == 10, "two veth pairs and a bridge, there and back"
    own = [(kind, int(direction, 0)) for name, kind, direction in seen if name == "tomcat01/eth0"]
    assert own == [("8", 2), ("0", 1)], "the request goes out, the answer comes in"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "frames were dropped" not in said
    shown = subprocess.check_output(["capinfos", str(file)], text=True)
    assert f"Filter string = {ECHO}" in shown
    assert "nanoseconds" in shown
    assert len(subprocess.check_output(["tcpdump", "-n", "-r", str(file), "icmp"], stderr=-3).splitlines()) == 10


def test_it_is_read_as_it_grows_and_after_a_kill(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "growing.pcapng"
    with capturing("tomcat01", "-w", str(file), "--filter", "icmp") as process:
        wait_for(begun(file), process)
        assert promiscuity() == 1
        ping("tomcat01", address_of("tomcat02"))
        wait_for(lambda: len(fields(file, "frame.number")) == 6, process)
        process.kill()
        process.wait()
    assert len(fields(file, "frame.number")) == 6
    assert promiscuity() == 0


def promiscuity() -> int:
    from inspector.cli.main import EngineChoice
    from inspector.discover.engine import connect
    from inspector.discover.survey import Stacks, survey

    with Stacks() as stacks:
        engine = connect(EngineChoice())
        topology = survey(engine, stacks, ())
        engine.close()
    network = next(each for each in topology.networks if each.default)
    link = topology.link(network.bridge)
    assert link
    return link.promiscuity


def test_a_pipe_carries_the_capture_and_nothing_else(tmp_path: Path) -> None:
    words = ("tomcat01", "-w", "-", "--filter", "icmp", "--duration", "60", "--passive")
    shown = tmp_path / "shown"
    with capturing(*words, stdout=subprocess.PIPE) as process, shown.open("wb") as out:
        command = ["tshark", "-n", "-l", "-c", "2", "-r", "-", "-T", "fields", "-e", "frame.interface_name"]
        with subprocess.Popen(command, stdin=process.stdout, stdout=out, stderr=subprocess.PIPE) as reader:
            assert process.stdout
            process.stdout.close()
            address = address_of("tomcat02")
            limit = time.monotonic() + PATIENCE_S
            while reader.poll() is None and time.monotonic() < limit:
                ping("tomcat01", address)
        assert process.stderr
        err = process.stderr.read().decode()
        assert process.wait(PATIENCE_S) == 0, "a reader that has enough is no error"
    assert len(shown.read_text().split()) == 2
    assert "captured" in err


def test_what_starts_connects_and_stops_meanwhile_is_followed(
    tmp_path: Path, extra: Callable[..., str], network: Callable[..., str]
) -> None:
    file = tmp_path / "followed.pcapng"
    network("dn-late")
    extra("dn-cap", verb="create")
    with capturing("dn-cap", "-w", str(file), "--filter", "icmp") as process:
        wait_for(begun(file), process)

        def is_there(point: str) -> bool:
            return f"Name = {point}\n" in subprocess.check_output(["capinfos", file], text=True)

        docker("start", "dn-cap")
        wait_for(lambda: is_there("dn-cap/eth0"), process)
        docker("network", "connect", "dn-late", "dn-cap")
        wait_for(lambda: is_there("dn-cap/eth1"), process)
        docker("rename", "dn-cap", "dn-cap2")
        docker("pause", "dn-cap2")
        ping("tomcat01", address_of("dn-cap2"))
        docker("unpause", "dn-cap2")
        docker("rename", "dn-cap2", "dn-cap")
        docker("kill", "dn-cap")
        said = ended(process)
    assert "dn-cap/eth1" in said
    points = [name for (name,) in fields(file, "frame.interface_name")]
    assert points.count("dn-cap/eth0") == 2


def test_a_ring_keeps_the_newest_files_each_complete(tmp_path: Path) -> None:
    with capturing(
        "tomcat01", "-w", str(tmp_path / "r.pcapng"), "--ring", "2", "--max-size", "4000", "--filter", "icmp"
    ) as process:
        address = address_of("tomcat02")
        wait_for(lambda: bool(list(tmp_path.iterdir())), process)

        def turned() -> bool:
            ping("tomcat01", address)
            return (tmp_path / "r.pcapng").exists() or max(each.name for each in tmp_path.iterdir()) > "r_00004"

        wait_for(turned, process)
        ended(process)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    for each in files:
        assert each.stat().st_size <= 4000
        assert {name for (name,) in fields(each, "frame.interface_name")} <= {
            line.split(" = ")[1].strip()
            for line in subprocess.check_output(["capinfos", str(each)], text=True).splitlines()
            if "Name = " in line
        }
        assert fields(each, "frame.number")


def test_a_full_disk_leaves_what_was_captured_readable(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(tmp_path)], check=True)
    try:
        file = tmp_path / "full.pcapng"
        with capturing("tomcat01", "-w", str(file), "--filter", "icmp") as process:
            address = address_of("tomcat02")
            while process.poll() is None:
                ping("tomcat01", address)
            assert process.stderr
            err = process.stderr.read().decode()
        assert process.returncode == 74, err
        frames = len(fields(file, "frame.number"))
        assert f"the disk is full: {frames} frames are readable in {file}" in err
        assert frames > 10
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("tomcat1", "-w", "FILE"), "there is no container or network 'tomcat1'; did you mean tomcat01"),
        (("tomcat01", "-w", "FILE", "--filter", "port what"), "is no filter: unknown port 'what'"),
        (("tomcat01", "-w", "FILE", "--ring", "3"), "--ring needs a file, and a size"),
        (("tomcat01", "-w", "FILE", "--max-size", "much"), "'much' is no size"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    run: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    file = tmp_path / "none.pcapng"
    ran = run("capture", *(str(file) if each == "FILE" else each for each in words))
    assert (ran.status, ran.out, file.exists()) == (2, "", False)
    assert sentence in ran.err


def test_nothing_is_written_over(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for each in (file, link):
        ran = run("capture", "tomcat01", "-w", str(each))
        assert ran.status == 74
        assert "exists already" in ran.err
    assert file.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert run("capture", "tomcat01", "-w", str(tmp_path / "no" / "file")).status == 74
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "mine"]


def test_what_outlives_the_engine_is_captured_on(tmp_path: Path) -> None:
    file = tmp_path / "alone.pcapng"
    with private_engine("--live-restore") as engine:
        engine.start("left", "right")
        address = engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "right")
        environment = {**os.environ, "DOCKER_HOST": engine.url}
        with capturing("left", "-w", str(file), "--filter", "icmp", env=environment) as process:
            wait_for(begun(file), process)
            pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "left")
            engine.stop()
            assert process.stderr
            told = iter(process.stderr.readline, b"")
            assert any(b"the engine went away" in line for line in told)
            subprocess.run(["nsenter", "-t", pid, "-n", "ping", "-q", "-c", "1", address], check=True, stdout=-3)
            ended(process)
    assert len(fields(file, "frame.number")) == 6
