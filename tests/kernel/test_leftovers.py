"""Each kind of thing that could be left behind is found where it is planted, and told with a way to remove it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, run
from nothing_left import clear_planted, environment, planted_name

from inspector import tracing
from inspector.discover.leftovers import find_leftovers
from inspector.model.leftover import Kind, Leftover

pytestmark = pytest.mark.kernel

OUTLIVED = """
import os, socket, struct, sys, threading
from pathlib import Path
from inspector import netns, tracing

Path("/proc/self/comm").write_bytes(sys.argv[2].encode())
there = os.open(sys.argv[1], os.O_RDONLY)

def opened():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    index = socket.if_nametoindex("br0")
    sock.setsockopt(263, 1, struct.pack("iHH8s", index, 1, 0, b""))  # PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC
    return sock, socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)

kept = netns.enter(there, opened)
freed, _ = tracing.drop_tracepoints()
event = tracing.TraceEvent(freed.id, tracing.online_cpus()[0])
ready, over = threading.Event(), threading.Event()
threading.Thread(target=lambda: netns._set_namespace(there) or ready.set() or over.wait(), daemon=True).start()
ready.wait()
print("ready", flush=True)
sys.stdin.read()
"""
"""A process that holds one of each, in the namespace it is told, under the name it is told."""


def started(world: Lab, name: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", OUTLIVED, f"/run/netns/{world.names['s']}", name]
    process = subprocess.Popen(words, stdin=-1, stdout=-1, text=True, env=environment())
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def outlived(world: Lab) -> Iterator[int]:
    """Plant a second process whose owner is not there."""
    with started(world, "dnetsniff-work") as process:
        yield process.pid
        process.kill()


@pytest.fixture
def name() -> Iterator[str]:
    planted = planted_name()
    yield planted
    clear_planted(planted)


def of(found: tuple[Leftover, ...], pid: int) -> dict[Kind, list[Leftover]]:
    kinds: dict[Kind, list[Leftover]] = {}
    for each in found:
        if each.pid == pid:
            kinds.setdefault(each.kind, []).append(each)
    return kinds


def test_a_process_that_outlived_its_owner_is_found_with_all_that_it_holds(world: Lab, outlived: int) -> None:
    found = of(find_leftovers().left, outlived)
    place = f"net:[{world.inode('s')}]"
    assert [each.what for each in found[Kind.PROMISCUITY]] == ["br0"]
    assert {each.what for each in found[Kind.SOCKET]} == {"packet socket", "raw socket"}
    for kind in (Kind.PROMISCUITY, Kind.SOCKET, Kind.THREAD, Kind.NAMESPACE):
        assert {each.place for each in found[kind]} == {place}, kind
    assert [each.what for each in found[Kind.EVENT]] == ["1 open"]
    (process,) = found[Kind.PROCESS]
    assert process.remedy == f"kill {outlived}"


def test_what_a_command_at_work_holds_is_told_apart(world: Lab) -> None:
    with started(world, "dnetsniff") as process:
        found = find_leftovers()
        process.kill()
    assert not of(found.left, process.pid)
    assert set(of(found.running, process.pid)) >= {Kind.PROCESS, Kind.PROMISCUITY, Kind.SOCKET, Kind.EVENT, Kind.THREAD}


def test_a_table_that_nobody_owns_is_found_and_removed_as_told(world: Lab, name: str) -> None:
    run(f"ip netns exec {world.names['s']} nft add table ip {name}")
    (found,) = [each for each in find_leftovers().left if name in each.what]
    assert (found.kind, found.place, found.pid) == (Kind.TABLE, f"net:[{world.inode('s')}]", None)
    run(f"ip netns exec {world.names['s']} {found.remedy}")
    assert not [each for each in find_leftovers().left if name in each.what]


def test_a_namespace_with_a_name_is_found_and_removed_as_told(name: str) -> None:
    run(f"ip netns add {name}")
    try:
        (found,) = [each for each in find_leftovers().left if name in each.what]
        assert found.kind is Kind.NAMESPACE
        assert found.remedy
        subprocess.run(["sh", "-c", found.remedy], check=True)
        assert not Path("/run/netns", name).exists()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_an_instance_of_tracefs_is_found(name: str) -> None:
    folder = tracing._tracefs()
    try:
        os.mkdir(f"instances/{name}", dir_fd=folder)
        try:
            (found,) = [each for each in find_leftovers().left if name in each.what]
        finally:
            os.rmdir(f"instances/{name}", dir_fd=folder)
    finally:
        os.close(folder)
    assert (found.kind, found.remedy) == (Kind.INSTANCE, f"rmdir /sys/kernel/tracing/instances/{name}")


def test_a_temporary_file_is_found_and_removed_as_told(name: str) -> None:
    path = Path("/dev/shm", f"{name}.part")
    path.touch()
    try:
        (found,) = [each for each in find_leftovers().left if name in each.what]
        assert found.kind is Kind.FILE
        assert found.remedy
        subprocess.run(shlex.split(found.remedy), check=True)
        assert not path.exists()
    finally:
        path.unlink(missing_ok=True)


def test_what_has_another_name_is_not_ours(name: str) -> None:
    path = Path("/dev/shm", f"my-{name}")
    path.touch()
    try:
        assert not [each for each in find_leftovers().left if name in each.what]
    finally:
        path.unlink()


def test_the_command_lists_what_is_planted_in_both_forms(run: Any, world: Lab, outlived: int, name: str) -> None:
    subprocess.run(["ip", "netns", "exec", world.names["s"], "nft", "add", "table", "ip", name], check=True)
    nowhere = ("--host", "unix:///nowhere.sock", "doctor", "--leftovers")
    text, json = run(*nowhere), run(*nowhere, "--format", "json")
    subprocess.run(["ip", "netns", "exec", world.names["s"], "nft", "delete", "table", "ip", name], check=True)
    assert (text.status, json.status, text.err, json.err) == (1, 1, "", "")
    assert (
        f"nf_tables table: ip {name} in net:[{world.inode('s')}]\n    remove it: nft delete table ip {name}" in text.out
    )
    assert f"promiscuous mode: br0 in net:[{world.inode('s')}], held by process {outlived}" in text.out
    assert json.json["schema"] == "dnetsniff.leftovers/1"
    assert {"kind", "what", "place", "pid", "remedy"} == set(json.json["left"][0])
    assert name in {each["what"].split()[-1] for each in json.json["left"] if each["kind"] == "nf_tables table"}


def test_an_ordinary_user_is_told_what_could_not_be_seen(run: Any) -> None:
    from capabilities import keep_capabilities

    ran = run("--host", "unix:///nowhere.sock", "doctor", "--leftovers", preexec_fn=keep_capabilities)
    assert (ran.err, "Traceback" in ran.err) == ("", False)
    assert ran.status in (1, 77)
    assert "not seen: " in ran.out
