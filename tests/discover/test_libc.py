"""Whose libc lies below a root: by its loader alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.discover.beneath import Refusal, Root
from inspector.discover.libc import find_libc
from inspector.model.lookup import Libc


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root(os.open(tmp_path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)) as opened:
        yield opened


def put(base: Path, *paths: str) -> None:
    """Make empty files below a folder."""
    for path in paths:
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).touch()


@pytest.mark.parametrize(
    ("path", "libc"),
    [
        ("lib/ld-musl-x86_64.so.1", Libc.MUSL),
        ("usr/lib/ld-musl-aarch64.so.1", Libc.MUSL),
        ("lib64/ld-linux-x86-64.so.2", Libc.GLIBC),
        ("lib/ld-linux-aarch64.so.1", Libc.GLIBC),
        ("lib/ld-linux.so.2", Libc.GLIBC),
        ("lib64/ld64.so.2", Libc.GLIBC),
        ("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", Libc.GLIBC),
        ("lib/arm-linux-gnueabihf/ld-linux-armhf.so.3", Libc.GLIBC),
    ],
)
def test_the_loader_tells(root: Root, tmp_path: Path, path: str, libc: Libc) -> None:
    put(tmp_path, path, "bin/sh", "lib/libz.so.1")
    assert find_libc(root) == (libc, f"/{path} is there")


def test_a_merged_usr_is_followed(root: Root, tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/ld-musl-x86_64.so.1")
    (tmp_path / "lib").symlink_to("/usr/lib")
    assert find_libc(root) == (Libc.MUSL, "/lib/ld-musl-x86_64.so.1 is there")


def test_an_image_of_static_programs_is_assumed_to_be_glibc(root: Root, tmp_path: Path) -> None:
    put(tmp_path, "bin/busybox")
    libc, evidence = find_libc(root)
    assert libc is Libc.GLIBC
    assert evidence == "assumed: there is no dynamic loader in /lib or /lib64, as in an image of static programs"


def test_alpine_with_names_of_glibc_is_musl(root: Root, tmp_path: Path) -> None:
    put(tmp_path, "lib/ld-musl-x86_64.so.1")
    for name in ("ld-linux-x86-64.so.2", "libc.so.6"):
        (tmp_path / "lib" / name).symlink_to("/lib/ld-musl-x86_64.so.1")
    libc, evidence = find_libc(root)
    assert libc is Libc.MUSL
    assert evidence == (
        "/lib/ld-musl-x86_64.so.1 is there, and /lib/ld-linux-x86-64.so.2 without a libc.so.6 of its own"
    )


def test_debian_with_the_package_musl_is_glibc(root: Root, tmp_path: Path) -> None:
    put(
        tmp_path,
        "lib/ld-musl-x86_64.so.1",
        "lib64/ld-linux-x86-64.so.2",
        "lib/x86_64-linux-gnu/libc.so.6",
    )
    libc, evidence = find_libc(root)
    assert libc is Libc.GLIBC
    assert evidence == (
        "/lib64/ld-linux-x86-64.so.2 and /lib/x86_64-linux-gnu/libc.so.6 are there, beside /lib/ld-musl-x86_64.so.1"
    )


def test_a_link_out_of_the_root_is_no_loader(root: Root, tmp_path: Path) -> None:
    (tmp_path / "lib").symlink_to("/proc/self/root/lib")
    (tmp_path / "lib64").symlink_to("../../../../../../../lib64")
    assert find_libc(root)[1].startswith("assumed: there is no dynamic loader")


def test_a_hostile_name_is_escaped(root: Root, tmp_path: Path) -> None:
    put(tmp_path, "lib/ld-musl-\x1b[2J.so.1")
    assert find_libc(root) == (Libc.MUSL, "/lib/ld-musl-\\x1b[2J.so.1 is there")


def test_a_root_that_cannot_be_opened(root: Root) -> None:
    assert find_libc(Refusal("its root cannot be opened: permission denied")) == (
        Libc.GLIBC,
        "assumed: its root cannot be opened: permission denied",
    )
