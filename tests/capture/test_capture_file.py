"""A capture file holds whole blocks, whatever the disk or the reader does, and is nobody else's."""

import errno
import os
import struct
from pathlib import Path

import pytest

from inspector.capture.capture_file import (
    CaptureFile,
    CutShort,
    Files,
    Full,
    Pipe,
    ReaderLeft,
    count_blocks,
    whole_blocks,
)
from inspector.errors import OutputError

STAMP = "20260131120000"


def block(length: int, fill: bytes = b"x") -> bytes:
    return struct.pack("<II", 6, length) + fill * (length - 12) + struct.pack("<I", length)


AHEAD, BEHIND = block(100, b"a"), block(40, b"z")


def files(path: Path, keep: int | None = None) -> Files:
    return Files(path, keep, None, lambda: STAMP)


def begun(outlet: Files | Pipe, max_size: int | None = None) -> CaptureFile:
    file = CaptureFile(outlet, lambda: AHEAD, lambda: BEHIND, max_size)
    file.start()
    return file


def test_a_file_is_private_and_has_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    file = begun(files(path))
    file.write([block(60), memoryview(block(60) + block(80))])
    assert path.read_bytes() == AHEAD + block(60) * 2 + block(80), "readable while it grows"
    file.finish()
    assert path.read_bytes()[-40:] == BEHIND
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_nothing_is_written_over_and_no_link_followed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c.pcapng"
    target = tmp_path / "target"
    {"file": lambda: path.write_text("mine"), "link": lambda: path.symlink_to(target), "folder": path.mkdir}[kind]()
    outlet = files(path)
    for attempt in (outlet.check, outlet.open):
        with pytest.raises(OutputError, match="exists already"):
            attempt()
    assert not target.exists()


def test_it_ends_before_it_gets_larger_than_it_may(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    file = begun(files(path), max_size=300)
    with pytest.raises(Full):
        file.write([block(60) * 10])
    file.finish()
    assert path.read_bytes() == AHEAD + block(60) * 2 + BEHIND
    assert count_blocks([memoryview(block(60) * 10)], file.taken) == 2


def test_a_ring_goes_on_in_another_file_and_keeps_the_last(tmp_path: Path) -> None:
    file = begun(files(tmp_path / "c.pcapng", keep=2), max_size=300)
    for number in range(5):
        file.write([block(60, b"%d" % number) * 2])
    file.finish()
    made = sorted(each.name for each in tmp_path.iterdir())
    assert made == [f"c_0000{number}_{STAMP}.pcapng" for number in (4, 5)]
    assert (tmp_path / made[0]).read_bytes() == AHEAD + block(60, b"3") * 2 + BEHIND


def test_a_block_larger_than_a_file_may_be_is_not_lost(tmp_path: Path) -> None:
    file = begun(files(tmp_path / "c.pcapng", keep=9), max_size=200)
    file.write([block(500), block(20)])
    file.finish()
    first, second = sorted(tmp_path.iterdir())
    assert first.read_bytes() == AHEAD + block(500) + BEHIND
    assert second.read_bytes() == AHEAD + block(20) + BEHIND


def test_what_somebody_put_in_the_place_of_a_file_is_not_removed(tmp_path: Path) -> None:
    outlet = files(tmp_path / "c.pcapng", keep=1)
    os.close(outlet.open())
    mine = tmp_path / f"c_00001_{STAMP}.pcapng"
    mine.rename(tmp_path / "kept")
    mine.write_text("another")
    os.close(outlet.open())
    assert mine.read_text() == "another"


@pytest.mark.parametrize("room", [0, 30, 59, 60, 61, 130, 239])
def test_a_disk_that_fills_up_leaves_whole_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    path = tmp_path / "c.pcapng"
    file = begun(files(path))
    left = room
    really = os.write

    def short(descriptor: int, data: memoryview) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = really(descriptor, data[:left])
        left -= taken
        return taken

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(CutShort):
        file.write([block(60), block(60) * 3])
    assert path.read_bytes() == AHEAD + block(60) * (room // 60)
    assert file.taken == room // 60 * 60


def test_a_reader_that_left_is_told_apart() -> None:
    reading, writing = os.pipe()
    file = begun(Pipe(writing))
    os.close(reading)
    with pytest.raises(ReaderLeft):
        file.write([block(60)])
    file.close()
    os.close(writing)


def test_blocks_are_counted_within_a_limit() -> None:
    blocks = memoryview(block(60) + block(80) + block(20))
    assert [whole_blocks(blocks, limit) for limit in (0, 59, 60, 139, 140, 999)] == [0, 0, 60, 60, 140, 160]
