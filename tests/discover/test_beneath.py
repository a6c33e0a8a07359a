"""Files below a root that somebody else rules: each trick to lead a reader out of it, or to keep it there."""

import ctypes
import gc
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.discover import beneath
from inspector.discover.beneath import MAX_BYTES, Content, Refusal, Root, identify, list_names, read_file

INSIDE = b"127.0.0.1 inside\n"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/inside").write_bytes(INSIDE)
    (tmp_path / "outside").write_bytes(b"secret\n")
    return tmp_path / "root"


@pytest.fixture
def root(tree: Path) -> Iterator[Root]:
    with Root(os.open(tree, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)) as opened:
        yield opened


def refused(root: Root, path: str = "/etc/hosts") -> str:
    """Return the reason why a file is not read."""
    found = read_file(root, path)
    assert isinstance(found, Refusal), found
    return found.why


def contained(root: Root, path: str = "/etc/hosts") -> bytes:
    """Return what a file holds."""
    found = read_file(root, path)
    assert isinstance(found, Content), found
    return found.data


def test_a_file_is_read_with_its_identity(root: Root, tree: Path) -> None:
    found = read_file(root, "/etc/inside")
    state = (tree / "etc/inside").stat()
    assert found == Content(INSIDE, beneath.Identity(state.st_dev, state.st_ino))
    assert identify(root, "/etc/inside") == found.identity


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../../../../../../../etc/passwd", "../../outside", "/proc/self/root/etc/passwd"]
)
def test_a_link_that_leads_out_leads_nowhere(root: Root, tree: Path, target: str) -> None:
    (tree / "etc/hosts").symlink_to(target)
    assert (tree / "etc/hosts").exists(), "a naive reader would follow it"
    assert refused(root) == "no such file"


@pytest.mark.parametrize("target", ["/etc/inside", "../../../etc/inside", "inside"])
def test_a_harmless_link_is_followed_inside(root: Root, tree: Path, target: str) -> None:
    (tree / "etc/hosts").symlink_to(target)
    assert contained(root) == INSIDE


def test_a_path_itself_does_not_lead_out(root: Root) -> None:
    assert refused(root, "/../outside") == "no such file"
    assert contained(root, "../../etc/inside") == INSIDE
    assert refused(root, "/etc/in\0side") == "no such file"


def test_a_directory_link_is_resolved_inside(root: Root, tree: Path) -> None:
    (tree / "etc/link").symlink_to("/etc")
    assert contained(root, "/etc/link/inside") == INSIDE


def test_a_loop_of_links_is_refused(root: Root, tree: Path) -> None:
    (tree / "etc/hosts").symlink_to("/etc/other")
    (tree / "etc/other").symlink_to("/etc/hosts")
    assert refused(root) == "a loop of links, or a link of /proc"


@pytest.mark.timeout(5)
def test_a_fifo_does_not_hang(root: Root, tree: Path) -> None:
    os.mkfifo(tree / "etc/hosts")
    assert refused(root) == "not a regular file"


def test_a_fifo_with_a_writer_is_left_alone(root: Root, tree: Path) -> None:
    os.mkfifo(tree / "etc/hosts")
    with (tree / "etc/hosts").open("r+b", buffering=0) as both:
        both.write(b"keep")
        assert refused(root) == "not a regular file"
        assert both.read(4) == b"keep"


def test_a_socket_and_a_directory_are_refused(root: Root, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)  # a socket's path has at most 107 bytes (unix(7))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("etc/hosts")
        assert refused(root) == "not a regular file"
    assert refused(root, "/etc") == "not a regular file"


@AS_ROOT
@pytest.mark.timeout(5)
@pytest.mark.parametrize("minor", [5, 8])
def test_a_device_is_not_even_opened(root: Root, tree: Path, minor: int) -> None:
    os.mknod(tree / "etc/hosts", 0o600 | 0o020000, os.makedev(1, minor))  # /dev/zero, /dev/random
    assert refused(root) == "not a regular file"


@AS_ROOT
def test_opening_a_device_is_no_part_of_looking_at_it(root: Root, tree: Path) -> None:
    """A node without a driver cannot be opened (ENXIO); that we do not learn so shows that we did not try."""
    os.mknod(tree / "etc/hosts", 0o600 | 0o020000, os.makedev(511, 77))
    with pytest.raises(OSError, match="No such device"):
        os.open(tree / "etc/hosts", os.O_RDONLY | os.O_NONBLOCK)
    assert refused(root) == "not a regular file"


def test_a_huge_file_is_read_no_further_than_the_limit(root: Root, tree: Path) -> None:
    with (tree / "etc/hosts").open("wb") as hosts:
        hosts.truncate(16 << 30)
    found = read_file(root, "/etc/hosts")
    assert isinstance(found, Content)
    assert (len(found.data), found.whole) == (MAX_BYTES, False)


def test_a_file_of_exactly_the_limit_is_whole(root: Root, tree: Path) -> None:
    (tree / "etc/hosts").write_bytes(b"x" * MAX_BYTES)
    found = read_file(root, "/etc/hosts")
    assert isinstance(found, Content)
    assert (len(found.data), found.whole) == (MAX_BYTES, True)


def test_what_is_missing_is_said(root: Root) -> None:
    assert refused(root) == "no such file"
    assert refused(root, "/nowhere/hosts") == "no such file"
    assert refused(root, "/etc/inside/hosts") == "a part of its path is not a directory"
    assert refused(root, "/" + "n" * 300) == "file name too long"
    assert identify(root, "/etc/hosts") is None


def test_a_file_that_the_kernel_makes_up_is_refused() -> None:
    with Root(os.open("/", os.O_PATH | os.O_DIRECTORY)) as root:
        assert refused(root, "/proc/version") == "a file that the kernel makes up"
        assert refused(root, "/sys/kernel/notes") == "a file that the kernel makes up"


def test_a_magic_link_is_refused_where_proc_is_mounted() -> None:
    with Root(os.open("/", os.O_PATH | os.O_DIRECTORY)) as root:
        assert refused(root, "/proc/self/root/etc/passwd") == "a loop of links, or a link of /proc"


@AS_ROOT
def test_a_bind_mount_is_crossed(root: Root, tree: Path, tmp_path: Path) -> None:
    (tree / "etc/hosts").write_bytes(b"")
    subprocess.run(["mount", "--bind", tmp_path / "outside", tree / "etc/hosts"], check=True)
    try:
        assert contained(root) == b"secret\n"
    finally:
        subprocess.run(["umount", tree / "etc/hosts"], check=True)


def test_names_are_listed_within_the_limit_and_links_inside(root: Root, tree: Path) -> None:
    (tree / "link").symlink_to("/etc")
    (tree / "out").symlink_to("/proc/self/root/etc")
    for name in range(5):
        (tree / f"etc/{name}").touch()
    assert sorted(list_names(root, "/link")) == ["0", "1", "2", "3", "4", "inside"]
    assert len(list_names(root, "/etc", limit=3)) == 3
    assert list_names(root, "/out") == ()
    assert list_names(root, "/etc/inside") == ()


@pytest.mark.timeout(5)
def test_a_fifo_in_place_of_a_directory_does_not_hang(root: Root, tree: Path) -> None:
    os.mkfifo(tree / "lib")
    assert list_names(root, "/lib") == ()


class _OldKernel:
    """A C library on a kernel that has no openat2."""

    def syscall(self, *_arguments: object) -> int:
        ctypes.set_errno(38)
        return -1


def test_without_openat2_nothing_is_read(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _OldKernel())
    assert refused(root, "/etc/inside") == "this kernel has no openat2 (Linux 5.6)"


def test_a_path_that_keeps_changing_is_given_up(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []

    class Busy:
        def syscall(self, *_arguments: object) -> int:
            tries.append(None)
            ctypes.set_errno(11)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Busy())
    assert refused(root, "/etc/inside") == "its path changed while we looked"
    assert len(tries) == 8


def test_the_root_of_a_process_that_is_gone() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    found = beneath.open_root(child.pid)
    assert isinstance(found, Refusal)
    assert found.gone


def test_no_descriptor_is_left_or_inherited(root: Root, tree: Path) -> None:
    (tree / "etc/loop").symlink_to("loop")
    # What an earlier test left to the collector is not to go meanwhile.
    gc.collect()
    before = sorted(Path("/proc/self/fd").iterdir())
    for path in ("/etc/inside", "/etc/loop", "/etc", "/nowhere"):
        read_file(root, path)
        list_names(root, path)
        identify(root, path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
