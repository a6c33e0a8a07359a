"""The files of a resolver: whose they are, and what is left of them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.discover import files
from inspector.discover.beneath import Content, Identity, Refusal, Root
from inspector.discover.engine_answers import ProcessFact
from inspector.model.lookup import Libc, ResolverFile

FACT = ProcessFact(
    container="web", pid=1, started="now", hosts_path="/engine/web/hosts", resolv_conf_path="/engine/web/resolv.conf"
)


class World:
    """A container's root and an engine's, as folders."""

    def __init__(self, base: Path, held: ExitStack) -> None:
        self.own = base / "own"
        self.engine = base / "host"
        (self.own / "etc").mkdir(parents=True)
        (self.engine / "etc").mkdir(parents=True)
        (self.engine / "engine/web").mkdir(parents=True)
        flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        self.roots = {each: held.enter_context(Root(os.open(each, flags))) for each in (self.own, self.engine)}

    def bind(self, name: str, text: str) -> None:
        """Make one file of both, as a bind mount does: two paths to one inode."""
        (self.engine / "engine/web" / name).write_text(text)
        (self.own / "etc" / name).hardlink_to(self.engine / "engine/web" / name)

    def read(self, own: Root | Refusal | None = None) -> files.ResolverFiles:
        return files.read_resolver_files(own=own or self.roots[self.own], engine=self.roots[self.engine], process=FACT)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as held:
        yield World(tmp_path, held)


def test_one_inode_is_the_engines_file(world: World) -> None:
    world.bind("hosts", "172.18.0.2 web\n")
    world.bind("resolv.conf", "nameserver 127.0.0.11\n")
    found = world.read()
    assert found.hosts == ResolverFile("/etc/hosts", ("172.18.0.2 web", ""), "the engine's file")
    assert found.resolv_conf == ResolverFile("/etc/resolv.conf", ("nameserver 127.0.0.11", ""), "the engine's file")
    assert found.nsswitch == ResolverFile("/etc/nsswitch.conf", None, "the container's own file", "no such file")


def test_another_inode_is_the_containers_own(world: World) -> None:
    (world.engine / "engine/web/hosts").write_text("172.18.0.2 web\n")
    (world.own / "etc/hosts").write_text("10.9.9.9 web\n")
    assert world.read().hosts == ResolverFile("/etc/hosts", ("10.9.9.9 web", ""), "the container's own file")


def test_a_link_in_the_image_is_followed_inside(world: World) -> None:
    (world.own / "run").mkdir()
    (world.own / "run/hosts").write_text("10.9.9.9 web\n")
    (world.own / "etc/hosts").symlink_to("/run/hosts")
    assert world.read().hosts == ResolverFile("/etc/hosts", ("10.9.9.9 web", ""), "the container's own file")


def test_the_engines_stands_in_and_says_why(world: World) -> None:
    (world.engine / "engine/web/hosts").write_text("172.18.0.2 web\n")
    os.mkfifo(world.own / "etc/hosts")
    why = "the container's own: not a regular file"
    assert world.read().hosts == ResolverFile("/etc/hosts", ("172.18.0.2 web", ""), "the engine's file", why)
    closed = world.read(Refusal("its root cannot be opened: permission denied"))
    assert closed.hosts.why == "the container's own: its root cannot be opened: permission denied"
    assert closed.libc_evidence == "assumed: its root cannot be opened: permission denied"


def test_both_reasons_are_given_where_neither_can_be_read(world: World) -> None:
    (world.engine / "engine/web/hosts").mkdir()
    why = "no such file; the engine's: not a regular file"
    assert world.read().hosts == ResolverFile("/etc/hosts", None, "the container's own file", why)


def test_the_engine_that_names_no_file_is_not_asked(world: World) -> None:
    (world.own / "etc/hosts").write_text("10.9.9.9 web\n")
    plain = ProcessFact(container="web", pid=1, started="now")
    found = files.read_resolver_files(own=world.roots[world.own], engine=world.roots[world.engine], process=plain)
    assert found.hosts == ResolverFile("/etc/hosts", ("10.9.9.9 web", ""), "the container's own file")
    assert found.resolv_conf.why == "no such file; the engine's: there is none"


def test_the_path_of_the_engine_does_not_lead_out_either(world: World) -> None:
    (world.engine / "engine/web/hosts").symlink_to("/etc/passwd")
    assert world.read().hosts.why == "no such file; the engine's: no such file"


def test_the_hosts_files(world: World) -> None:
    (world.engine / "etc/hosts").write_text("127.0.0.1\tlocalhost\n")
    (world.engine / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    found = files.read_host_files(world.roots[world.engine])
    assert found.hosts == ResolverFile("/etc/hosts", ("127.0.0.1 localhost", ""), "the host's file")
    assert found.resolv_conf == ResolverFile("/etc/resolv.conf", None, "the host's file", "no such file")
    assert found.nsswitch == ResolverFile("/etc/nsswitch.conf", ("hosts: files dns", ""), "the host's file")
    assert found.libc is Libc.GLIBC


def test_hostile_bytes_are_escaped_line_by_line(world: World) -> None:
    (world.own / "etc/hosts").write_bytes(b"10.0.0.1\tweb\x1b[2J\r\n\xff\xfe\n\xe2\x80\xae10.0.0.2 b\x00\n")
    text = world.read().hosts.text
    assert text == "10.0.0.1 web\\x1b[2J\\x0d\n\\xff\\xfe\n\\u202e10.0.0.2 b\\x00\n"


def test_a_long_line_is_cut(world: World) -> None:
    (world.own / "etc/hosts").write_text("#" * 5000 + "\n10.0.0.1 web\n")
    text = world.read().hosts.text
    assert text is not None
    first, second, last = text.split("\n")
    assert (len(first), second, last) == (files.LINE_LIMIT, "10.0.0.1 web", "")


def test_a_file_that_is_too_long_ends_with_a_whole_line_and_says_so(world: World) -> None:
    (world.own / "etc/hosts").write_text("10.0.0.1 web\n" * 6000)
    found = world.read().hosts
    assert found.text is not None
    assert set(found.text.split("\n")) == {"10.0.0.1 web"}
    assert found.why == "only its first 65536 bytes were read"


@given(st.binary(max_size=400))
def test_any_bytes_become_harmless_lines(data: bytes) -> None:
    lines = files._lines(Content(data=data, identity=Identity(0, 0)))
    assert len(lines) == data.count(b"\n") + 1
    assert all(line.isprintable() for line in lines)
