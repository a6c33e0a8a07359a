"""Keep a recording in a folder, and give it back: `frames.pcapng` for Wireshark, `recording.json` for `explain`.

1. The folder is new and ours alone (0700, files 0600, nothing followed, nothing overwritten).
2. Under sudo everything is made with the effective ids of the user who asked, so that root follows no link of theirs.
3. Frames are kept once, in the pcapng; observation n of `recording.json` is frame n of `frames.pcapng`.
4. A full disk leaves whole frames only. Those missing then are a blind spot of the recording that is loaded.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from inspector import archive_document, archive_frames
from inspector.archive_document import DOCUMENT, FRAMES, WHAT_IT_IS, Loaded
from inspector.errors import InspectorError, MalformedInputError, NoSuchFileError, OutputError, why_unwritten
from inspector.model.packed import Packed
from inspector.model.recording import Recording
from inspector.model.text import safe
from inspector.model.topology import BlindSpot
from inspector.ownership import Owner, acting_as
from inspector.wire import pcapng, pcapng_reader

_NOTHING = pcapng_reader.Capture((), (), (), (), {}, ())
MAX_DOCUMENT = 64 * 1024 * 1024

_MAKE_ROOM = "make room and save to another folder"
_ANOTHER_FOLDER = "name a folder that does not exist yet, inside one that you may write to"


def prepare(folder: Path, *, owner: Owner | None = None) -> None:
    """Make sure, before anything is sent, that the folder can be made; OutputError says why not."""
    parent = folder.parent
    with acting_as(owner):
        try:
            mode = parent.stat().st_mode
            exists = os.path.lexists(folder)
        except OSError as error:
            raise _unwritable(folder, f"{_shown(parent)}: {error.strerror}") from error
        if exists:
            raise _unwritable(folder, "it exists already")
        if not stat.S_ISDIR(mode):
            raise _unwritable(folder, f"{_shown(parent)} is not a folder")
        if not os.access(parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise _unwritable(folder, f"{_shown(parent)} is not writable")


def pack(
    recording: Recording,
    comments: Mapping[int, str],
    packet_ids: Mapping[int, int],
    version: str,
    *,
    here: bool = True,
) -> Packed:
    """Lay both files out; `comments` and `packet_ids` are by number of the frame in the file.

    `here`: this machine made it, and its hardware and kernel are named.
    """
    frames = archive_frames.captured(recording)
    ahead = archive_frames.blocks_ahead(recording, frames, version, os.uname() if here else None)
    packets = archive_frames.packet_blocks(frames, comments, packet_ids)
    return Packed(
        document=archive_document.write(recording, version),
        blocks=(*ahead, *packets, *archive_frames.statistics_blocks(recording, frames)),
        ahead=len(ahead),
        frames=len(frames.taken),
    )


def write(packed: Packed, folder: Path, *, owner: Owner | None = None) -> None:
    """Write a recording into a new folder. Raises OutputError."""
    with acting_as(owner):
        try:
            folder.mkdir(0o700)
            with _held(folder) as directory:
                _write_document(directory, folder, packed.document)
                _write(directory, FRAMES, packed.blocks)
        except pcapng.CutShortError as error:
            kept = min(max(error.blocks - packed.ahead, 0), packed.frames)
            raise _cut_short(error, folder, f"{kept} of {packed.frames} frames") from error
        except FileExistsError as error:
            raise _unwritable(folder, "it exists already") from error
        except OSError as error:
            raise _unwritable(folder, error.strerror or str(error)) from error


def comment(packed: Packed, folder: Path, *, owner: Owner | None = None) -> None:
    """Put the same frames, with comments, in the place of those that `write` wrote. Raises OutputError."""
    new = f".{FRAMES}"
    with acting_as(owner):
        try:
            with _held(folder) as directory:
                try:
                    _write(directory, new, packed.blocks)
                    os.rename(new, FRAMES, src_dir_fd=directory, dst_dir_fd=directory)
                except OSError:
                    with suppress(OSError):
                        os.unlink(new, dir_fd=directory)
                    raise
        except OSError as error:
            why = why_unwritten(error.errno, error.strerror)
            raise OutputError(f"{why}: the frames in {_shown(folder)} are whole, and without comments") from error


def save(
    recording: Recording,
    folder: Path,
    comments: Mapping[int, str],
    packet_ids: Mapping[int, int],
    version: str,
    *,
    owner: Owner | None = None,
    here: bool = True,
) -> None:
    """Pack a recording and write it. Raises OutputError."""
    write(pack(recording, comments, packet_ids, version, here=here), folder, owner=owner)


def load(folder: Path) -> Recording:
    """Read a recording back; nothing but this folder is needed."""
    return load_with_origin(folder).recording


def load_with_origin(folder: Path) -> Loaded:
    """Read a recording back, and say who wrote it and which of its keys are not known here."""
    with opened(folder) as files:
        return read(files)


class Files(Struct, frozen=True):
    """Both files of a recording, open."""

    folder: Path
    document: BinaryIO
    frames: BinaryIO | InspectorError
    """Why not, where they cannot be opened: a document that is none weighs more."""

    def descriptors(self) -> tuple[int, ...]:
        """Return what is read."""
        return tuple(each.fileno() for each in (self.document, self.frames) if not isinstance(each, InspectorError))


@contextmanager
def opened(folder: Path) -> Iterator[Files]:
    """Open what `read` reads. Raises NoSuchFileError, MalformedInputError."""
    with ExitStack() as until:
        document = until.enter_context(_regular(folder / DOCUMENT))
        try:
            frames: BinaryIO | InspectorError = until.enter_context(_regular(folder / FRAMES))
        except InspectorError as error:
            frames = error
        yield Files(folder, document, frames)


def read(files: Files) -> Loaded:
    """Read a recording from its files: opens nothing."""
    folder = files.folder
    try:
        loaded = archive_document.read(_read_document(files.document, folder / DOCUMENT))
    except MalformedInputError as error:
        raise MalformedInputError(f"{_shown(folder / DOCUMENT)} {error.message}", error.hint) from error
    if isinstance(files.frames, InspectorError):
        raise files.frames
    try:
        # No block fitted on the disk.
        empty = os.fstat(files.frames.fileno()).st_size == 0
        capture = _NOTHING if empty else pcapng_reader.read(files.frames)
    except OSError as error:
        raise _unreadable(folder / FRAMES, error) from error
    except MalformedInputError as error:
        raise MalformedInputError(f"{_shown(folder / FRAMES)}: {error.message}", error.hint) from error
    return replace(loaded, recording=_with_frames(loaded.recording, capture, folder))


def _with_frames(recording: Recording, capture: pcapng_reader.Capture, folder: Path) -> Recording:
    """Give each observation its frame, after making sure that both files speak of the same thing."""
    try:
        frames = archive_frames.captured(recording)
    except IndexError as error:
        message = f"{_shown(folder / DOCUMENT)} speaks of a capture point that is not in its plan"
        raise MalformedInputError(message) from error
    if not archive_frames.agrees(frames, capture):
        raise MalformedInputError(f"{FRAMES} and {DOCUMENT} in {_shown(folder)} are not of one recording")
    whole = archive_frames.with_frames(recording, (each.frame for each in capture.packets))
    announced, kept = len(frames.taken), len(capture.packets)
    lost = BlindSpot("recording", f"only the first {kept} of {announced} frames are in {FRAMES}")
    return replace(whole, blind_spots=(*whole.blind_spots, lost)) if kept < announced else whole


def _write_document(directory: int, folder: Path, document: bytes) -> None:
    """Write what nothing can be read without; where it does not fit, leave no folder that seems to be a recording."""
    try:
        _write(directory, DOCUMENT, (document,))
    except pcapng.CutShortError as error:
        with suppress(OSError):
            os.unlink(DOCUMENT, dir_fd=directory)
            folder.rmdir()
        why = why_unwritten(error.errno, error.strerror)
        raise OutputError(f"{why}: nothing could be kept in {_shown(folder)}", _MAKE_ROOM) from error


def _write(directory: int, name: str, blocks: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    try:
        pcapng.write(descriptor, blocks)
    finally:
        os.close(descriptor)


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


def _read_document(stream: BinaryIO, path: Path) -> bytes:
    try:
        data = stream.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > MAX_DOCUMENT:
        raise MalformedInputError(f"is larger than {MAX_DOCUMENT} bytes")
    return data


def _regular(path: Path) -> BinaryIO:
    """Open a file, and refuse what would block or never end: a FIFO, a device, a folder."""
    try:
        # Of a device, opening it may already do something.
        regular = stat.S_ISREG(path.stat().st_mode)
        stream = open(path if regular else os.devnull, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller does
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise MalformedInputError(f"{_shown(path)} is not a regular file", WHAT_IT_IS)
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _unwritable(folder: Path, why: str) -> OutputError:
    return OutputError(f"cannot save to {_shown(folder)}: {why}", _ANOTHER_FOLDER)


def _cut_short(error: pcapng.CutShortError, folder: Path, kept: str) -> OutputError:
    why = why_unwritten(error.errno, error.strerror)
    return OutputError(f"{why}: {kept} are readable in {_shown(folder)}", _MAKE_ROOM)


def _unreadable(path: Path, error: OSError) -> NoSuchFileError:
    return NoSuchFileError(f"cannot read {_shown(path)}: {error.strerror}", WHAT_IT_IS)


def _shown(path: Path) -> str:
    return safe(str(path), limit=4_096)
