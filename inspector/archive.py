"""Keep a recording in a folder, and give it back: `frames.pcapng` for Wireshark, `recording.json` for `explain`.

1. The folder is new and ours alone (0700, files 0600, nothing followed, nothing overwritten).
2. Under sudo everything is made with the effective ids of the user who asked, so that root follows no link of theirs.
3. Frames are kept once, in the pcapng; observation n of `recording.json` is frame n of `frames.pcapng`.
4. A full disk leaves whole frames only. Those missing then are a blind spot of the recording that is loaded.
"""

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from inspector.archive_codec import Json, decode, encode
from inspector.errors import MalformedInputError, NoSuchFileError, OutputError
from inspector.model.question import CapturePoint, Heading
from inspector.model.recording import Answered, NotSent, Observation, Recording
from inspector.model.text import safe
from inspector.model.topology import BlindSpot, Topology
from inspector.wire import pcapng, pcapng_reader

FRAMES = "frames.pcapng"
DOCUMENT = "recording.json"
SCHEMA = "dnetsniff.recording"
SCHEMA_VERSION = 1
MAX_DOCUMENT = 256 * 1024 * 1024

Owner = tuple[int, int]
"""User and group id."""

_WHAT_IT_IS = f"a recording is a folder with {FRAMES} and {DOCUMENT} in it"
_ANOTHER_FOLDER = "name a folder that does not exist yet, inside one that you may write to"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def prepare(folder: Path, *, owner: Owner | None = None) -> None:
    """Make sure, before anything is sent, that the folder can be made; OutputError says why not."""
    parent = folder.parent
    with _acting_as(owner):
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


def save(
    recording: Recording,
    folder: Path,
    comments: Mapping[int, str],
    packet_ids: Mapping[int, int],
    version: str,
    *,
    owner: Owner | None = None,
) -> None:
    """Write the recording into a new folder; `comments` and `packet_ids` are by index of the observation."""
    document = json.dumps(_document(recording, version), indent=1).encode() + b"\n"
    ahead, packets = _blocks_ahead(recording, version), _packet_blocks(recording, comments, packet_ids)
    with _acting_as(owner):
        try:
            folder.mkdir(0o700)
            directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                _write(directory, DOCUMENT, (document,))
                _write(directory, FRAMES, (*ahead, *packets, *_statistics_blocks(recording)))
            finally:
                os.close(directory)
        except pcapng.CutShortError as error:
            kept = min(max(error.blocks - len(ahead), 0), len(recording.observations))
            raise _cut_short(error, folder, f"{kept} of {len(recording.observations)} frames") from error
        except FileExistsError as error:
            raise _unwritable(folder, "it exists already") from error
        except OSError as error:
            raise _unwritable(folder, error.strerror or str(error)) from error


def load(folder: Path) -> Recording:
    """Read a recording back; nothing but this folder is needed."""
    try:
        document = json.loads(_read_document(folder / DOCUMENT))
    except (ValueError, RecursionError) as error:
        raise MalformedInputError(f"{_shown(folder / DOCUMENT)} is not JSON") from error
    recording = _recording(document, folder / DOCUMENT)
    try:
        with _regular(folder / FRAMES).open("rb") as stream:
            capture = pcapng_reader.read(stream)
    except OSError as error:
        raise _unreadable(folder / FRAMES, error) from error
    except MalformedInputError as error:
        raise MalformedInputError(f"{_shown(folder / FRAMES)}: {error.message}", error.hint) from error
    return _with_frames(recording, capture, folder)


def _document(recording: Recording, version: str) -> dict[str, Json]:
    without = tuple(replace(each, frame=b"") for each in recording.observations)
    written = encode(Recording, replace(recording, observations=without))
    if not isinstance(written, dict) or not isinstance(written["observations"], list):
        raise TypeError
    for each in written["observations"]:
        if isinstance(each, dict):
            del each["frame"]
    return {"schema": f"{SCHEMA}/{SCHEMA_VERSION}", "version": version, **written}


def _recording(document: object, path: Path) -> Recording:
    name, _, number = str(document.get("schema")).partition("/") if isinstance(document, dict) else ("", "", "")
    if not isinstance(document, dict) or name != SCHEMA or not (number.isascii() and number.isdigit()):
        raise MalformedInputError(f"{_shown(path)} is not a recording of dnetsniff", _WHAT_IT_IS)
    if number != str(SCHEMA_VERSION):
        raise MalformedInputError(
            f"{_shown(path)} has the schema {SCHEMA}/{safe(number, limit=20)}; "
            f"this dnetsniff reads {SCHEMA}/{SCHEMA_VERSION}",
            "use the version of dnetsniff that wrote it, or a newer one",
        )
    fields = {key: value for key, value in document.items() if key not in {"schema", "version"}}
    observations = fields.get("observations")
    if isinstance(observations, list):
        fields["observations"] = [{"frame": "", **each} if isinstance(each, dict) else each for each in observations]
    try:
        return decode(Recording, fields)
    except MalformedInputError as error:
        raise MalformedInputError(f"{_shown(path)}: {error.message}", error.hint) from error


def _with_frames(recording: Recording, capture: pcapng_reader.Capture, folder: Path) -> Recording:
    """Give each observation its frame, after making sure that both files speak of the same thing."""
    points, announced, kept = len(recording.plan.points), len(recording.observations), len(capture.packets)
    indexes = [each.point for each in recording.observations] + [each.point for each in recording.counts]
    if any(not 0 <= index < points for index in indexes):
        raise MalformedInputError(f"{_shown(folder / DOCUMENT)} speaks of a capture point that is not in its plan")
    pairs = list(zip(recording.observations, capture.packets, strict=False))
    if kept > announced or any((a.point, a.at_ns) != (b.interface, b.at_ns) for a, b in pairs):
        raise MalformedInputError(f"{FRAMES} and {DOCUMENT} in {_shown(folder)} are not of one recording")
    observations = tuple(replace(seen, frame=_frame(seen, packet.frame)) for seen, packet in pairs)
    lost = BlindSpot("recording", f"only the first {kept} of {announced} frames are in {FRAMES}")
    blind_spots = (*recording.blind_spots, lost) if kept < announced else recording.blind_spots
    return replace(recording, observations=observations, blind_spots=blind_spots)


def _frame(observation: Observation, frame: bytes) -> bytes:
    return frame if observation.vlan is None else pcapng.remove_tag(frame)


def _blocks_ahead(recording: Recording, version: str) -> tuple[bytes, ...]:
    machine, question, engine = os.uname(), recording.plan.question, recording.topology.engine
    section = pcapng.Section(
        hardware=machine.machine,
        system=f"{machine.sysname} {machine.release}",
        application=f"dnetsniff {version}",
        comments=(f"trace {question.source} {question.destination}", f"engine {engine.name} {engine.version}"),
    )
    names = pcapng.names_block(_names(recording.topology))
    interfaces = (_interface(recording.topology, point) for point in recording.plan.points)
    return (pcapng.section_block(section), names, *(pcapng.interface_block(each) for each in interfaces))


def _names(topology: Topology) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for container in topology.containers:
        for address in (address for endpoint in container.endpoints for address in endpoint.addresses):
            try:
                key = str(ip_address(address))
            except ValueError:
                continue
            names[key] = tuple(dict.fromkeys((*names.get(key, ()), container.name)))
    return names


def _interface(topology: Topology, point: CapturePoint) -> pcapng.Interface:
    link, stack = topology.link(point.link), topology.sandbox(point.sandbox)
    if link is None or stack is None:
        return pcapng.Interface(str(point))
    words = [f"{link.kind} in {point.sandbox}", f"netns {stack.inode}"]
    for relation, key in (("peer", link.peer), ("port of", link.bridge)):
        other = topology.link(key)
        words += [f"{relation} {other.sandbox}/{other.name}"] if other else []
    network = topology.network_of(link.key)
    words += [f"network {network.name}"] if network else []
    return pcapng.Interface(str(point), description=", ".join(words), addresses=link.addresses, mac=link.mac)


def _packet_blocks(recording: Recording, comments: Mapping[int, str], packet_ids: Mapping[int, int]) -> Iterator[bytes]:
    for index, seen in enumerate(recording.observations):
        tag = seen.vlan
        frame = pcapng.insert_tag(seen.frame, tag.tci, tag.tpid) if tag else seen.frame
        packet = pcapng.Packet(
            interface=seen.point,
            at_ns=seen.at_ns,
            frame=frame,
            wire_length=seen.wire_length + len(frame) - len(seen.frame),
            flags=pcapng.packet_flags(
                outgoing=seen.heading is Heading.OUT,
                packet_type=seen.packet_type,
                checksum_ready=seen.checksum_ready,
            ),
            packet_id=packet_ids.get(index),
            comments=(comments[index],) if index in comments else (),
        )
        yield pcapng.packet_block(packet)


def _statistics_blocks(recording: Recording) -> Iterator[bytes]:
    moments = [each.at_ns for each in recording.observations]
    moments += [each.at_ns for each in recording.probes if not isinstance(each, NotSent)]
    moments += [each.answered_ns for each in recording.probes if isinstance(each, Answered)]
    start_ns, end_ns = min(moments, default=0), max(moments, default=0)
    for count in recording.counts:
        yield pcapng.statistics_block(
            pcapng.Statistics(count.point, count.received, count.dropped, start_ns=start_ns, end_ns=end_ns)
        )


@contextmanager
def _acting_as(owner: Owner | None) -> Iterator[None]:
    """Create as this user, if we are root; the process must still have a single thread that cares."""
    if owner is None or os.geteuid() != 0:
        yield
        return
    user, group = owner
    groups, group_before = os.getgroups(), os.getegid()
    try:
        os.setgroups([group])
        os.setegid(group)
        os.seteuid(user)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group_before)
        os.setgroups(groups)


def _write(directory: int, name: str, blocks: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    try:
        pcapng.write(descriptor, blocks)
    finally:
        os.close(descriptor)


def _read_document(path: Path) -> bytes:
    try:
        with _regular(path).open("rb") as stream:
            data = stream.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > MAX_DOCUMENT:
        raise MalformedInputError(f"{_shown(path)} is larger than {MAX_DOCUMENT} bytes")
    return data


def _regular(path: Path) -> Path:
    """Refuse what would block or never end: a FIFO, a device, a folder."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise MalformedInputError(f"{_shown(path)} is not a regular file", _WHAT_IT_IS)
    return path


def _unwritable(folder: Path, why: str) -> OutputError:
    return OutputError(f"cannot save to {_shown(folder)}: {why}", _ANOTHER_FOLDER)


def _cut_short(error: pcapng.CutShortError, folder: Path, kept: str) -> OutputError:
    why = "the disk is full" if error.errno in _FULL else error.strerror
    return OutputError(f"{why}: {kept} are readable in {_shown(folder)}", "make room and save to another folder")


def _unreadable(path: Path, error: OSError) -> NoSuchFileError:
    return NoSuchFileError(f"cannot read {_shown(path)}: {error.strerror}", _WHAT_IT_IS)


def _shown(path: Path) -> str:
    return safe(str(path), limit=4_096)
