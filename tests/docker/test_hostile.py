"""A container whose root does what it can against whoever looks: nothing of it is obeyed, followed or believed."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import Ran, docker
from hostile import NEVER, harmful, obeyed
from msgspec.structs import replace
from upstream_answers import Behaviour
from upstream_place import Upstream

from inspector.discover.beneath import Refusal
from inspector.discover.engine import Engine
from inspector.discover.engine_answers import ProcessFact
from inspector.discover.resolver import resolver_files
from inspector.discover.survey import Stacks, survey
from inspector.model.lookup import ResolverFile
from inspector.model.topology import HOST, Container

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Ran]
NAME = "dn-hostile"
LABEL = "\x1b[2J\u202elabel[bold]"
RENAME = """
import ctypes, socket, struct, sys, os
old, new = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
with socket.socket() as sock:
    def asked(request, name, rest):
        ask = ctypes.create_string_buffer(name.ljust(16, b"\\0") + rest.ljust(24, b"\\0"), 40)
        if ctypes.CDLL(None, use_errno=True).ioctl(sock.fileno(), request, ask):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    asked(0x8914, old, struct.pack("H", 0))
    asked(0x8923, old, new)
    asked(0x8914, new, struct.pack("H", 1))
"""
"""SIOCSIFFLAGS down, SIOCSIFNAME, SIOCSIFFLAGS up (linux/sockios.h): what `ip` would refuse to type."""


@pytest.fixture(scope="module")
def hostile(course: str, _upstream: Upstream) -> Iterator[str]:
    """Run it once for all attacks; it has all of its own stack, and the label and alias that its owner gave it."""
    words = ["--name", NAME, "--cap-add", "NET_ADMIN", "--dns", _upstream.address, "--label", f"evil={LABEL}"]
    docker("run", "-d", "--pull", "never", *words, course)
    yield NAME
    docker("rm", "-f", NAME)


@pytest.fixture(scope="module")
def inside(hostile: str) -> Callable[..., str]:
    """Run a program of ours as the container's root would one of its own, in its network and its files."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", hostile)

    def run(*words: str | bytes, files: bool = False) -> str:
        command = ["nsenter", "-t", pid, "-m" if files else "-n", *words]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "replace")

    return run


@contextmanager
def renamed(inside: Callable[..., str], name: bytes) -> Iterator[None]:
    inside(sys.executable, "-c", RENAME, "eth0", name)
    try:
        yield
    finally:
        inside(sys.executable, "-c", RENAME, name, "eth0")


def quiet(ran: Ran, *statuses: int) -> Ran:
    assert obeyed(ran.out + ran.err) == ""
    assert "Traceback" not in ran.err
    assert ran.status in statuses, (ran.status, ran.out, ran.err)
    return ran


def test_the_name_of_an_interface(run: Run, inside: Callable[..., str], tmp_path: Path) -> None:
    """It would clear the screen, is no UTF-8, rings, and has words for a shell: fifteen bytes have room for all."""
    with renamed(inside, b"e\x1b[2J\xff\x07;$(id)"):
        ran = quiet(run("trace", "tomcat01", NAME, "-c", "1", "--no-lookup", "-w", str(tmp_path / "kept")), 0)
        report = quiet(run("trace", NAME, "tomcat01", "-c", "1", "--no-lookup", "--format", "json"), 0).json
        tree = quiet(run("ls"), 0)
        taken = quiet(run("capture", NAME, "-w", str(tmp_path / "taken.pcapng"), "--duration", "0.01"), 0)
    assert harmful(report) == []
    assert taken.err
    shown = [each["point"] for path in report["paths"] for each in path["hops"] if each["point"].startswith(NAME)]
    assert shown
    assert shown[0].partition("/")[2] in ran.out
    assert shown[0].partition("/")[2] in tree.out
    for file in (tmp_path / "kept" / "frames.pcapng", tmp_path / "kept" / "recording.json", tmp_path / "taken.pcapng"):
        assert not [each for each in NEVER if each in file.read_bytes()]
    quiet(run("explain", str(tmp_path / "taken.pcapng")), 0, 1, 3)


LINKS = {
    "absolute": "/secret",
    "upwards": "../../../../../../../../secret",
    "through /proc": "/proc/self/root/secret",
    "through another process": "/proc/1/root/secret",
}
FILES = {
    "FIFO": ("mkfifo", "/etc/hosts"),
    "device": ("mknod", "/etc/hosts", "c", "1", "5"),
    "endless": ("truncate", "-s", "16G", "/etc/hosts"),
}


def test_a_hosts_file_of_every_kind(engine: Engine, inside: Callable[..., str], run: Run, tmp_path: Path) -> None:
    """What Docker mounted there is taken away first; the engine's own file says then what it says instead."""
    secret = Path("/secret")
    pid = docker("inspect", "-f", "{{.State.Pid}}", NAME)
    root = Path(f"/proc/{pid}/root")
    inside("/bin/busybox", "umount", "/etc/hosts", files=True)
    assert not secret.exists()
    secret.write_text("10.66.66.66 stolen\n")
    try:
        for target in LINKS.values():
            (root / "etc/hosts").unlink(missing_ok=True)
            (root / "etc/hosts").symlink_to(target)
            found = hosts_of(engine)
            assert "stolen" not in str(found.lines), target
            assert found.origin == "the engine's file", target
            assert found.why
        for words in FILES.values():
            (root / "etc/hosts").unlink(missing_ok=True)
            subprocess.run([each.replace("/etc", f"{root}/etc") for each in words], check=True)
            found = hosts_of(engine)
            assert len(str(found.lines)) < 100_000
            assert found.why
        (root / "etc/hosts").unlink()
        lines = (
            b"10.0.0.9 e\x1b[2Jvil \xe2\x80\xaegnp\n" + b"10.0.0.10 " + b"x" * 10_000 + b"\n\r\n10.0.0.11 <b>[bold]\n"
        )
        (root / "etc/hosts").write_bytes(lines)
        said = quiet(run("resolve", NAME, "<b>[bold]", "-W", "0.2"), 0)
        assert "<b>[bold]" in said.out
    finally:
        secret.unlink()


def hosts_of(engine: Engine) -> ResolverFile:
    with Stacks() as stacks:
        survey(engine, stacks, (NAME,))
        return resolver_files(engine, stacks, NAME).hosts


def test_answers_of_a_name_server(run: Run, upstream: Upstream, hostile: str) -> None:
    evil = "e\x1b[2J\u202evil\n" + "<img>|[bold]" * 10
    upstream.serve(
        {"*": Behaviour(records=(("TXT", evil), ("PTR", "a\x1b]0;x\x07.example"), ("CNAME", "c\x9b.example")))}
    )
    for form in ("text", "json"):
        quiet(run("resolve", hostile, "evil.example", "-t", "TXT", "-t", "PTR", "-W", "0.3", "--format", form), 0, 1)
    quiet(run("trace", hostile, "evil.example", "-c", "1", "-W", "0.2"), 0, 1, 3)


LIAR = """
import socket, sys
# Answers each echo request under another token: the right identifier and sequence, and the payload turned around.
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
sock.bind(("eth0", 0x0800))
print("lying", flush=True)
def total(data):
    whole = sum(int.from_bytes(data[at:at + 2].ljust(2, b"\\0"), "big") for at in range(0, len(data), 2))
    while whole >> 16:
        whole = (whole & 0xFFFF) + (whole >> 16)
    return (~whole & 0xFFFF).to_bytes(2, "big")
while True:
    frame = sock.recv(65536)
    if frame[23] != 1 or frame[34] != 8:
        continue
    icmp = b"\\0\\0\\0\\0" + frame[38:42] + frame[42:][::-1]
    icmp = icmp[:2] + total(icmp) + icmp[4:]
    head = frame[14:24] + b"\\0\\0" + frame[30:34] + frame[26:30]
    head = head[:10] + total(head) + head[12:]
    for _ in range(3):
        sock.send(frame[6:12] + frame[:6] + b"\\x08\\0" + head + icmp)
"""


def test_replies_that_are_none(run: Run, inside: Callable[..., str], hostile: str) -> None:
    """Right addresses, identifier and sequence, another payload: three for each probe, and none is counted."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", hostile)
    inside(sys.executable, "-c", "open('/proc/sys/net/ipv4/icmp_echo_ignore_all', 'w').write('1')")
    command = ["nsenter", "-t", pid, "-n", sys.executable, "-c", LIAR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as liar:
        assert liar.stdout
        assert liar.stdout.readline() == "lying\n"
        try:
            ran = quiet(
                run("trace", "tomcat01", hostile, "-c", "2", "-W", "0.3", "--no-lookup", "--format", "json"), 1, 3
            )
        finally:
            liar.kill()
            inside(sys.executable, "-c", "open('/proc/sys/net/ipv4/icmp_echo_ignore_all', 'w').write('0')")
    assert ran.json["statistics"]["received"] == 0
    assert ran.json["verdict"]["outcome"] in {"unanswered", "dropped"}
    assert [each for each in ran.json["paths"] if each["direction"] == "reply"] == []


def test_rules_of_its_own(run: Run, inside: Callable[..., str], hostile: str) -> None:
    """A table called as ours are, with a comment that would clear a screen: it is named, and nothing is obeyed."""
    if shutil.which("nft") is None:
        pytest.skip("needs nft")
    table = "dnetsniff-01234567"
    inside("nft", f"add table inet {table}")
    inside("nft", f"add chain inet {table} own {{ type filter hook input priority 0 ; }}")
    inside("nft", f'add rule inet {table} own icmp type echo-request drop comment "\x1b[2J\u202e[bold]"')
    try:
        said = quiet(run("trace", "tomcat01", hostile, "-c", "1", "-W", "0.3", "--no-lookup"), 1)
        ran = quiet(run("trace", "tomcat01", hostile, "-c", "1", "-W", "0.3", "--no-lookup", "--format", "json"), 1)
    finally:
        inside("nft", f"delete table inet {table}")
    assert ran.json["verdict"]["outcome"] == "dropped"
    assert ran.json["verdict"]["rule"]["table"] == table
    assert "\\x1b[2J" in said.out


def test_labels_and_names_of_networks(run: Run, hostile: str, tmp_path: Path) -> None:
    """What the engine lets a name be, and what it says where it refuses."""
    made = []
    for name in ("dn\x1b[2Jnet", "dn;reboot;`id`", "dn[bold]<b>"):
        with_name = subprocess.run(
            ["docker", "network", "create", "--internal", "--label", "dnetsniff.tests=hostile", name],
            capture_output=True,
            text=True,
            check=False,
        )
        made += [with_name.stdout.strip()] if with_name.returncode == 0 else []
    try:
        for identifier in made:
            docker("network", "connect", "--alias", LABEL, identifier, hostile)
        quiet(run("ls"), 0)
        quiet(run("ls", "--format", "json"), 0)
        quiet(run("trace", "tomcat01", hostile, "-c", "1", "--no-lookup", "-w", str(tmp_path / "kept")), 0)
        quiet(run("trace", "e\x1b[2J", hostile), 2)
    finally:
        for identifier in made:
            docker("network", "disconnect", "-f", identifier, hostile)
            docker("network", "rm", identifier)


def test_a_pid_that_is_somebody_elses_by_now(engine: Engine, hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine named a process, and by the time it was opened its number was another container's."""
    truth, asked = engine.processes, []

    def processes(containers: Sequence[Container]) -> tuple[ProcessFact | None, ...]:
        asked.append(len(containers))
        told = truth(containers)
        if len(asked) > 1:
            return told
        (others,) = truth([each for each in engine.containers() if each.name == hostile])
        assert others is not None
        return tuple(replace(each, pid=others.pid) if each else None for each in told)

    monkeypatch.setattr(engine, "processes", processes)
    with Stacks() as stacks:
        topology = survey(engine, stacks, ("tomcat01",))
        assert list(stacks.namespaces) == [HOST]
        assert isinstance(stacks.roots["tomcat01"], Refusal)
    assert [(each.point, each.why) for each in topology.blind_spots] == [
        ("tomcat01", "container tomcat01 restarted while we looked")
    ]
