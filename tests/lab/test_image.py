"""The image made from the host's busybox: which programs will do, and what is in the archive."""

import io
import struct
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.lab.image import APPLETS, BUSYBOX, PT_INTERP, image_tree, is_static

LIST = Path("/bin/ls")


def elf(types: list[int], *, start: int = 64, size: int = 56) -> bytes:
    """Write an Elf64_Ehdr and one Elf64_Phdr for each type (elf(5))."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1)
    head += struct.pack("<QQQIHHHHHH", 0, start, 0, 0, 64, size, len(types), 0, 0, 0)
    return head + bytes(max(0, start - 64)) + b"".join(struct.pack("<I", each).ljust(size, b"\0") for each in types)


@pytest.mark.skipif(not BUSYBOX.exists(), reason="no busybox here")
def test_the_static_busybox_is_static() -> None:
    assert is_static(BUSYBOX.read_bytes())


@pytest.mark.skipif(not LIST.exists(), reason="no /bin/ls here")
def test_a_dynamic_program_is_not() -> None:
    assert not is_static(LIST.read_bytes())


@given(st.binary(max_size=200))
def test_what_is_no_program_is_not_static(garbage: bytes) -> None:
    assert is_static(garbage) == (len(garbage) >= 64 and garbage.startswith(b"\x7fELF\x02"))


@given(st.binary(min_size=59, max_size=400))
def test_a_broken_program_is_read_without_an_error(rest: bytes) -> None:
    assert is_static(b"\x7fELF\x02" + rest) in (True, False)


@given(st.lists(st.integers(0, 8), max_size=12), st.integers(64, 200), st.integers(56, 80))
def test_an_interpreter_anywhere_in_the_table_decides(types: list[int], start: int, size: int) -> None:
    assert is_static(elf(types, start=start, size=size)) == (PT_INTERP not in types)


def test_a_32_bit_program_will_not_do() -> None:
    assert not is_static(b"\x7fELF\x01" + elf([1])[5:])


@given(st.binary(max_size=5000))
def test_the_archive_gives_the_program_back(program: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(image_tree(program))) as tree:
        entry = tree.getmember("bin/busybox")
        file = tree.extractfile(entry)
        assert file is not None
        assert file.read() == program
        assert entry.mode == 0o755


def test_every_applet_is_a_link_to_it_and_its_folder_comes_first() -> None:
    with tarfile.open(fileobj=io.BytesIO(image_tree(b"program"))) as tree:
        entries = {each.name: each for each in tree.getmembers()}
    names = list(entries)
    for applet in APPLETS:
        assert entries[f"bin/{applet}"].issym()
        assert entries[f"bin/{applet}"].linkname == "busybox"
    assert all(entries[folder].isdir() for folder in ("bin", "etc", "proc", "sys", "tmp"))
    assert names.index("bin") < names.index("bin/busybox")
    assert not any(name.startswith(("/", "..")) for name in names)


def test_the_same_program_gives_the_same_archive() -> None:
    assert image_tree(b"program") == image_tree(b"program")
