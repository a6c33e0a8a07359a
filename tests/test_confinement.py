"""What a confined process cannot do, tried from inside."""

import json
import mmap
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.confined import alone
from inspector.confinement import NOBODY, Limits, _become_nobody, _close_others, confine

ROOT = os.geteuid() == 0


def packet_socket() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def engine_socket(path: str = "/var/run/docker.sock") -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)


def become_root() -> None:
    os.setresuid(0, 0, 0)


def read_shadow() -> None:
    Path("/etc/shadow").read_bytes()


def enter_another_network() -> None:
    os.close(os.open("/proc/1/ns/net", os.O_RDONLY))


def start_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def start_a_thread() -> None:
    threading.Thread(target=int).start()


def run_a_program() -> None:
    subprocess.run(["/bin/true"], check=True)


def write_a_file() -> None:
    Path("/tmp/dnetsniff-confined").write_text("here", encoding="ascii")


def type_into_the_terminal() -> None:
    os.close(os.open("/dev/tty", os.O_RDWR))


def raise_a_limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def take_two_gigabytes() -> None:
    mmap.mmap(-1, 2 << 30)


def load_a_module() -> None:
    sys.modules.pop("this", None)
    sys.path_importer_cache.clear()
    __import__("this")


ATTEMPTS: tuple[Callable[[], None], ...] = (
    packet_socket,
    engine_socket,
    read_shadow,
    enter_another_network,
    start_a_thread,
    run_a_program,
    write_a_file,
    type_into_the_terminal,
    take_two_gigabytes,
    load_a_module,
    *((become_root, start_a_process, raise_a_limit) if ROOT else ()),
)


def refused(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except (OSError, ImportError, RuntimeError, ValueError):
        return True
    return False


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: each.__name__)
def test_it_is_refused(attempt: Callable[[], None]) -> None:
    assert alone(lambda: refused(attempt), bool)


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize("attempt", [packet_socket, read_shadow, enter_another_network, become_root])
def test_without_the_limits_the_missing_privilege_alone_refuses(attempt: Callable[[], None]) -> None:
    assert forked(lambda: (_become_nobody(), refused(attempt))[1]) == 1


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_an_ordinary_user_s_process_is_confined_alike() -> None:
    def work() -> bool:
        os.setresgid(12345, 12345, 12345)
        os.setresuid(12345, 12345, 12345)
        attempts = (packet_socket, start_a_thread, run_a_program, write_a_file, load_a_module, take_two_gigabytes)
        return alone(lambda: all(map(refused, attempts)) and os.getuid() == 12345, bool)

    assert forked(work) == 1


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_nobody_cannot_connect_to_the_engine(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        Path(path).chmod(0o660)
        assert forked(lambda: not refused(lambda: engine_socket(path))) == 1, "root can"
        assert forked(lambda: (_become_nobody(), refused(lambda: engine_socket(path)))[1]) == 1


def test_no_capability_is_left_and_none_can_be_had() -> None:
    def lines() -> dict[str, str]:
        text = os.pread(status, 8192, 0).decode()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    # What /proc tells is of the process that it was opened for: the confined one opens it first.
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = os.open("/proc/self/status", os.O_RDONLY)
        confine(Limits(), os.getppid(), (status, writing))
        os.write(writing, json.dumps(lines()).encode())
        os._exit(0)
    os.close(writing)
    told: dict[str, Any] = json.loads(os.read(reading, 65536))
    os.close(reading)
    os.waitpid(child, 0)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", *(("CapBnd",) if ROOT else ())):
        assert int(told[name], 16) == 0, name
    assert told["NoNewPrivs"] == "1"
    assert told["Groups"].split() == [] or not ROOT
    if ROOT:
        assert told["Uid"].split() == told["Gid"].split() == [str(NOBODY)] * 4


def test_only_what_is_kept_stays_open() -> None:
    held = os.open(os.devnull, os.O_RDONLY)
    kept = os.open(os.devnull, os.O_RDONLY)

    def still_open() -> int:
        _close_others((kept,))
        os.fstat(kept)
        return int(refused(lambda: os.fstat(held) and None) and os.read(0, 1) == b"")

    assert forked(still_open) == 1
    os.close(held)
    os.close(kept)


def forked(work: Callable[[], object]) -> int:
    """Return what a function returns in a process of its own, as a small number."""
    child = os.fork()
    if child == 0:
        result = 99
        try:
            result = int(bool(work()))
        finally:
            os._exit(result)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
