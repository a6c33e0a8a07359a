"""Wireshark, capinfos, tcpdump and scapy open what was saved, and see in it what we saw."""

import shutil
import subprocess
from pathlib import Path

import pytest

from inspector.archive import load
from inspector.keep import keep
from inspector.model.question import Heading


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


@pytest.fixture(scope="module", params=["switched", "name-forwarded"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep a world again, as it is kept today."""
    folder = tmp_path_factory.mktemp("kept") / "world"
    keep(load(Path(__file__).parents[1] / "worlds" / request.param), folder)
    return folder


def columns(folder: Path, *names: str) -> list[list[str]]:
    """Return what Wireshark says of each frame."""
    words = [word for name in names for word in ("-e", name)]
    shown = run("tshark", "-r", str(folder / "frames.pcapng"), "-N", "n", "-T", "fields", *words)
    return [line.split("\t") for line in shown.splitlines()]


def test_wireshark_sees_each_frame_where_and_when_we_saw_it(kept: Path) -> None:
    recording = load(kept)
    lookup = recording.lookup
    ours = [(lookup.plan.points[each.point], each) for each in lookup.observations] if lookup else []
    ours += [(recording.plan.points[each.point], each) for each in recording.observations]
    theirs = columns(kept, "frame.interface_name", "frame.time_epoch", "frame.packet_flags_direction", "frame.len")
    for (point, seen), (name, at, direction, length) in zip(ours, theirs, strict=True):
        assert name == str(point)
        assert int(at.replace(".", "")) == seen.at_ns
        assert int(direction, 0) == (2 if seen.heading is Heading.OUT else 1)
        assert int(length) == seen.wire_length


def test_one_packet_has_one_number_at_all_points(kept: Path) -> None:
    """Whatever a router may not change is alike in all frames of a number, and no two numbers have all of it alike."""
    rows = columns(
        kept, "frame.packet_id", "icmp.seq", "icmp.type", "dns.id", "dns.flags.response", "arp.opcode", "ip.dst"
    )
    assert all(number for number, *_ in rows)
    facts: dict[str, set[tuple[str, ...]]] = {}
    for number, *rest in rows:
        facts.setdefault(number, set()).add(tuple(rest[:5]))
    assert {len(each) for each in facts.values()} == {1}


def test_each_point_has_its_counts_and_its_kind(kept: Path) -> None:
    shown = run("capinfos", str(kept / "frames.pcapng"))
    points = len(load(kept).plan.points)
    assert shown.count("Number of stat entries = 1") == shown.count("Time precision = nanoseconds (9)") >= points
    assert "Hardware = veth" in shown
    assert "Hardware = bridge" in shown


def test_names_of_containers_are_shown(kept: Path) -> None:
    assert any("tomcat" in host for row in columns(kept, "ip.src_host") for host in row)


@pytest.mark.filterwarnings("ignore")
def test_scapy_reads_the_same_frames(kept: Path) -> None:
    from scapy.utils import RawPcapNgReader

    recording = load(kept)
    ours = [*(recording.lookup.observations if recording.lookup else ()), *recording.observations]
    with RawPcapNgReader(str(kept / "frames.pcapng")) as reader:
        assert [frame for frame, _ in reader] == [each.frame for each in ours]
