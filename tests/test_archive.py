"""The archive: a recording goes into a folder and comes back equal, and other folders are refused in a sentence."""

import errno
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector import archive
from inspector.errors import MalformedInputError, NoSuchFileError, OutputError
from inspector.model.question import CapturePoint, Heading, Party, PathKind, Plan, Question, Resolution, Step
from inspector.model.recording import (
    Aftermath,
    Answered,
    Failed,
    NotSent,
    Observation,
    Probe,
    Recording,
    Sent,
    TapCount,
    Vlan,
)
from inspector.model.topology import (
    BlindSpot,
    Container,
    Endpoint,
    EngineIdentity,
    FdbEntry,
    Link,
    LinkKey,
    LinkKind,
    Mode,
    Neighbour,
    Network,
    Route,
    Sandbox,
    SandboxId,
    Setting,
    Subnet,
    Topology,
)

WEB, HOST = SandboxId("web"), SandboxId("host")
ETH0, VETH, BRIDGE = LinkKey(WEB, 2), LinkKey(HOST, 7), LinkKey(HOST, 5)
POINTS = (
    CapturePoint(ETH0, "eth0"),
    CapturePoint(VETH, "veth7", promiscuous=True),
    CapturePoint(LinkKey(HOST, 99), "x"),
)
FRAME = bytes.fromhex("0242ac1100030242ac110002080045000028000140004001aaaa0a0000020a0000030800f7ff00000000") + bytes(
    12
)
AT_NS = 1_700_000_000_123_456_789
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = 65_534

TEXT = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\\"), max_size=12)
STAMP = st.integers(0, (1 << 62) - 1)


def topology() -> Topology:
    """Describe one container on one bridge."""
    web = Link(ETH0, "eth0", LinkKind.VETH, True, True, 1500, "02:42:ac:11:00:02", (IPv4Interface("10.0.0.2/24"),))  # noqa: FBT003
    web = replace(web, addresses=(*web.addresses, IPv6Interface("fd00::2/64")), peer=VETH, peer_ifindex=7)
    veth = replace(web, key=VETH, name="veth7", addresses=(), peer=ETH0, bridge=BRIDGE, port=1)
    bridge = replace(veth, key=BRIDGE, name="br0", kind=LinkKind.BRIDGE, peer=None, bridge=None, port=None)
    routes = (Route(IPv4Network("0.0.0.0/0"), "10.0.0.1", 2), Route(IPv6Network("fd00::/64"), None, 2, local=True))
    return Topology(
        engine=EngineIdentity("docker", "28.0"),
        sandboxes=(
            Sandbox(WEB, 4026533870, (web,), routes, settings=(Setting("net/ipv4/ip_forward", None),)),
            Sandbox(HOST, 4026531840, (veth, bridge)),
        ),
        networks=(
            Network("0" * 64, "app", "bridge", (Subnet(IPv4Network("10.0.0.0/24"), "10.0.0.1"),), bridge=BRIDGE),
        ),
        containers=(
            Container(
                "1" * 64, "web", "running", Mode.OWN, WEB, None, (Endpoint("app", ("10.0.0.2", "fd00::2"), None),)
            ),
            Container("2" * 64, "odd", "exited", Mode.NONE, None, endpoints=(Endpoint("app", ("", "10.0.0.2"), None),)),
        ),
    )


def plan() -> Plan:
    """Describe a trace between two containers."""
    return Plan(
        question=Question("web", "db", timeout_s=2),
        source=Party("web", WEB, "10.0.0.2", "web"),
        destination=Party("db", None, "10.0.0.3"),
        resolution=Resolution("db", "docker dns", "10.0.0.3"),
        kind=PathKind.SWITCHED,
        family=4,
        request=(Step(POINTS[0], Heading.OUT), Step(POINTS[1], Heading.IN, routed=True)),
        points=POINTS,
        neighbours=("10.0.0.3",),
    )


def recording() -> Recording:
    """Build a recording with something of everything."""
    seen = Observation(0, AT_NS, Heading.OUT, 4, FRAME, len(FRAME), checksum_ready=False)
    tagged = Observation(1, AT_NS + 5, Heading.IN, 3, FRAME, 2000, vlan=Vlan(0x2007, 0x88A8))
    return Recording(
        topology=topology(),
        plan=plan(),
        token=bytes(range(16)),
        probes=(NotSent(1, "a"), Failed(2, AT_NS, 1, "b"), Sent(3, AT_NS), Answered(4, AT_NS, AT_NS + 9, "reply")),
        observations=(seen, tagged),
        counts=(TapCount(0, 12, 0), TapCount(1, 12, 3)),
        blind_spots=(BlindSpot("host/x", "not there"),),
        aftermath=Aftermath(
            (FdbEntry(BRIDGE, VETH, "02:42:ac:11:00:02", learned=True),), (Neighbour(ETH0, "a", None, "s"),)
        ),
        side_effects=("an ARP entry",),
        departed=("cache",),
    )


def save(value: Recording, folder: Path) -> None:
    """Save with a comment and packet ids."""
    archive.save(value, folder, {0: "hop 1/2"}, {0: 7, 1: 7}, "0.1.0")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Save the recording of above."""
    save(recording(), tmp_path / "trace")
    return tmp_path / "trace"


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the document in a saved folder."""
    path = folder / "recording.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


OBSERVATIONS = st.builds(
    Observation,
    point=st.integers(0, len(POINTS) - 1),
    at_ns=STAMP,
    heading=st.sampled_from(Heading),
    packet_type=st.integers(0, 7),
    frame=st.binary(max_size=80),
    wire_length=st.integers(0, 65_535),
    vlan=st.none() | st.builds(Vlan, st.integers(0, 0xFFFF), st.sampled_from([0x8100, 0x88A8])),
    checksum_ready=st.booleans(),
)
PROBES: st.SearchStrategy[Probe] = st.builds(Sent, STAMP, STAMP) | st.builds(NotSent, STAMP, TEXT)
RECORDINGS = st.builds(
    Recording,
    topology=st.just(topology()),
    plan=st.just(plan()),
    token=st.binary(max_size=16),
    probes=st.lists(PROBES, max_size=3).map(tuple),
    observations=st.lists(OBSERVATIONS, max_size=5).map(tuple),
    counts=st.lists(st.builds(TapCount, st.integers(0, 2), STAMP, STAMP), max_size=3).map(tuple),
    blind_spots=st.lists(st.builds(BlindSpot, TEXT, TEXT), max_size=2).map(tuple),
    side_effects=st.lists(TEXT, max_size=2).map(tuple),
    interrupted=st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(RECORDINGS)
def test_any_recording_comes_back_equal(value: Recording) -> None:
    """Whatever was seen."""
    with tempfile.TemporaryDirectory() as base:
        save(value, Path(base, "trace"))
        assert archive.load(Path(base, "trace")) == value


def test_a_full_recording_comes_back_equal(saved: Path) -> None:
    """Every field of the vocabulary."""
    assert archive.load(saved) == recording()


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


def test_the_document_names_its_schema_and_no_frame(saved: Path) -> None:
    """Frames are kept once."""
    document = json.loads((saved / "recording.json").read_text())
    assert (document["schema"], document["version"]) == ("dnetsniff.recording/1", "0.1.0")
    assert "frame" not in document["observations"][0]
    assert (saved / "recording.json").read_bytes().isascii()


def run(*command: str) -> str:
    """Run a tool of others, if it is there."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wireshark_shows_points_times_and_comments(saved: Path) -> None:
    """One line per observation; the tag is back in the second frame."""
    fields = ("frame.interface_name", "frame.time_epoch", "frame.comment", "frame.packet_id", "frame.packet_flags")
    columns = [word for field in (*fields, "ieee8021ad.id", "frame.len") for word in ("-e", field)]
    shown = run("tshark", "-r", str(saved / "frames.pcapng"), "-T", "fields", *columns)
    first, second = (line.split("\t") for line in shown.splitlines())
    assert first[:3] == ["web/eth0", "1700000000.123456789", "hop 1/2"]
    assert [int(word, 0) for word in first[3:5]] == [7, 0x202]
    assert (second[:3], second[5:]) == (["host/veth7", "1700000000.123456794", ""], ["7", "2004"])
    assert [int(word, 0) for word in second[3:5]] == [7, 0x11]


def test_capinfos_and_tcpdump_open_the_frames(saved: Path) -> None:
    """Three interfaces, all described; every frame readable by libpcap."""
    shown = run("capinfos", str(saved / "frames.pcapng"))
    for words in ("Name = web/eth0", "Name = host/x", "peer host/veth7", "port of host/br0", "trace web db"):
        assert words in shown
    assert len(run("tcpdump", "-n", "-e", "-r", str(saved / "frames.pcapng")).splitlines()) == 2


def test_names_of_one_address_are_all_kept(saved: Path) -> None:
    """Two containers may have had it; an address that is none is left out."""
    with (saved / "frames.pcapng").open("rb") as stream:
        names = archive.pcapng_reader.read(stream).names
    assert names == {"10.0.0.2": ("web", "odd"), "fd00::2": ("web",)}


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


def test_a_disk_full_at_once_says_that_nothing_is_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the document fits."""
    fill_disk(monkeypatch, 100)
    with pytest.raises(OutputError, match="0 of 2 frames are readable"):
        save(recording(), tmp_path / "trace")


@pytest.mark.parametrize("name", ["", "recording.json", "frames.pcapng"])
def test_what_is_missing_is_named(saved: Path, name: str) -> None:
    """Exit status 66, and what a recording is."""
    if name:
        (saved / name).unlink()
    else:
        shutil.rmtree(saved)
    with pytest.raises(NoSuchFileError, match=f"cannot read {saved / (name or 'recording.json')}") as caught:
        archive.load(saved)
    assert caught.value.exit_status == 66
    assert "a recording is a folder" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            lambda document: document.update(schema="dnetsniff.recording/2"),
            "this dnetsniff reads dnetsniff.recording/1",
        ),
        (lambda document: document.update(schema="dnetsniff.report/1"), "is not a recording of dnetsniff"),
        (lambda document: document.update(schema="dnetsniff.recording/²"), "is not a recording of dnetsniff"),
        (lambda document: document.clear(), "is not a recording of dnetsniff"),
        (lambda document: document.update(extra=1), "extra is not known"),
        (lambda document: document["plan"].pop("family"), "plan.family is missing"),
        (lambda document: document["observations"].append(3), r"observations\[2\] should be an object"),
        (lambda document: document.update(observations=3), "observations should be an array"),
        (lambda document: document["observations"].pop(), "are not of one recording"),
        (lambda document: document["observations"].reverse(), "are not of one recording"),
        (lambda document: document["counts"][0].update(point=3), "a capture point that is not in its plan"),
        (lambda document: document["observations"][0].update(point=-1), "a capture point that is not in its plan"),
    ],
)
def test_a_document_that_is_wrong_is_refused(saved: Path, edit: Callable[[dict[str, Any]], object], why: str) -> None:
    """Exit status 65 and a sentence."""
    change(saved, edit)
    with pytest.raises(MalformedInputError, match=why) as caught:
        archive.load(saved)
    assert caught.value.exit_status == 65


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000])
def test_what_is_no_json_is_refused(saved: Path, content: bytes) -> None:
    """However it is broken."""
    (saved / "recording.json").write_bytes(content)
    with pytest.raises(MalformedInputError, match="is not JSON"):
        archive.load(saved)


def test_frames_that_are_no_pcapng_are_refused(saved: Path) -> None:
    """With the name of the file."""
    (saved / "frames.pcapng").write_bytes(b"GIF89a, I am a picture")
    with pytest.raises(MalformedInputError, match=r"frames\.pcapng: malformed pcapng at byte 0"):
        archive.load(saved)


@pytest.mark.parametrize("name", ["recording.json", "frames.pcapng"])
def test_a_fifo_does_not_hold_us_up(saved: Path, name: str) -> None:
    """Only regular files are opened."""
    (saved / name).unlink()
    os.mkfifo(saved / name)
    with pytest.raises(MalformedInputError, match="is not a regular file"):
        archive.load(saved)


def test_a_document_beyond_the_limit_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is parsed."""
    monkeypatch.setattr(archive, "MAX_DOCUMENT", 1_000)
    with pytest.raises(MalformedInputError, match="is larger than 1000 bytes"):
        archive.load(saved)
