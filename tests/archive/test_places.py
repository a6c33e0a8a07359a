"""The folder is new and the user's alone; where it cannot be made, and where the disk is full, that is said."""

import errno
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recordings import recording, save

from inspector import archive
from inspector.errors import OutputError
from inspector.model.topology import BlindSpot

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = 65_534


def test_the_folder_is_ours_alone(tmp_path: Path) -> None:
    """Modes hold whatever the umask is."""
    before = os.umask(0)
    try:
        save(recording(), tmp_path / "trace")
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "trace", *(tmp_path / "trace").iterdir())
    }
    assert modes == {"trace": 0o700, "frames.pcapng": 0o600, "recording.json": 0o600}


def test_a_free_place_is_fine(tmp_path: Path) -> None:
    """Nothing is left behind by asking."""
    archive.prepare(tmp_path / "trace")
    assert list(tmp_path.iterdir()) == []


def existing(base: Path) -> Path:
    """Give a folder that is there."""
    (base / "trace").mkdir()
    return base / "trace"


def dangling(base: Path) -> Path:
    """Give a link to nowhere."""
    (base / "trace").symlink_to(base / "nowhere")
    return base / "trace"


def orphan(base: Path) -> Path:
    """Give a place in a folder that is not there."""
    return base / "missing" / "trace"


def below_file(base: Path) -> Path:
    """Give a place in what is no folder."""
    (base / "file").touch()
    return base / "file" / "trace"


@pytest.mark.parametrize(
    "attempt", [archive.prepare, lambda folder: save(recording(), folder)], ids=["prepare", "save"]
)
@pytest.mark.parametrize(
    ("place", "why"),
    [
        (existing, "it exists already"),
        (dangling, "it exists already"),
        (orphan, "No such file or directory"),
        (below_file, "ot a (directory|folder)"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    tmp_path: Path, place: Callable[[Path], Path], why: str, attempt: Callable[[Path], None]
) -> None:
    """Before the trace, and again when it is written."""
    folder = place(tmp_path)
    with pytest.raises(OutputError) as caught:
        attempt(folder)
    assert caught.value.message.startswith(f"cannot save to {folder}: ")
    assert re.search(f"{why}$", caught.value.message)
    assert (caught.value.exit_status, bool(caught.value.hint)) == (74, True)


@pytest.fixture
def open_base() -> Iterator[Path]:
    """Make a folder that every user can reach."""
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        yield Path(base)


@ROOT_ONLY
def test_under_sudo_the_users_rights_count(open_base: Path) -> None:
    """Root does not write where the user could not, and is root again afterwards."""
    with pytest.raises(OutputError, match="is not writable"):
        archive.prepare(open_base / "trace", owner=(NOBODY, NOBODY))
    with pytest.raises(OutputError, match="Permission denied"):
        archive.save(recording(), open_base / "trace", {}, {}, "0", owner=(NOBODY, NOBODY))
    assert (os.geteuid(), os.getegid()) == (0, 0)
    assert list(open_base.iterdir()) == []


@ROOT_ONLY
def test_under_sudo_the_files_are_the_users(open_base: Path) -> None:
    """The user can read what they asked for."""
    open_base.chmod(0o777)
    groups = os.getgroups()
    archive.prepare(open_base / "trace", owner=(NOBODY, NOBODY))
    archive.save(recording(), open_base / "trace", {}, {}, "0", owner=(NOBODY, NOBODY))
    found = [path.stat() for path in open_base.rglob("*")]
    assert {(each.st_uid, each.st_gid) for each in found} == {(NOBODY, NOBODY)}
    assert len(found) == 3
    assert os.getgroups() == groups


def fill_disk(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk take so many bytes, the last ones without an error."""
    whole, left = os.write, [room]

    def scarce(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = whole(descriptor, bytes(data[: left[0]]))
        left[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", scarce)


def test_a_full_disk_keeps_whole_frames_and_says_how_many(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for all but the end of the second frame: the first is readable, the second a blind spot."""
    size = (saved / "recording.json").stat().st_size
    statistics = 2 * 80
    second = (saved / "frames.pcapng").stat().st_size - statistics
    fill_disk(monkeypatch, size + second - 10)
    with pytest.raises(OutputError, match=r"the disk is full: 1 of 2 frames are readable in ") as caught:
        save(recording(), saved.with_name("full"))
    assert caught.value.exit_status == 74
    monkeypatch.undo()
    found = archive.load(saved.with_name("full"))
    assert found.observations == recording().observations[:1]
    assert found.blind_spots[-1] == BlindSpot("recording", "only the first 1 of 2 frames are in frames.pcapng")


def test_a_disk_full_at_once_says_that_nothing_is_kept_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the document fits."""
    fill_disk(monkeypatch, 100)
    with pytest.raises(OutputError, match="the disk is full: nothing could be kept in "):
        save(recording(), tmp_path / "trace")
    assert not (tmp_path / "trace").exists()


def test_a_disk_full_before_the_first_frame_loses_all_of_them_and_says_so(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, (saved / "recording.json").stat().st_size + 10)
    with pytest.raises(OutputError, match="0 of 2 frames are readable"):
        save(recording(), saved.with_name("full"))
    monkeypatch.undo()
    found = archive.load(saved.with_name("full"))
    assert found.observations == ()
    assert found.blind_spots[-1] == BlindSpot("recording", "only the first 0 of 2 frames are in frames.pcapng")
