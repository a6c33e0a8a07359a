"""The pcapng writer: what it writes, our reader and the tools of others agree on."""

import io
import os
import shutil
import subprocess
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import pcapng, pcapng_reader

TEXT = st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="\\")).filter(str.isprintable)
STAMP = st.integers(0, (1 << 62) - 1)
SECTIONS = st.builds(
    pcapng.Section,
    hardware=st.none() | TEXT,
    system=st.none() | TEXT,
    application=st.none() | TEXT,
    comments=st.lists(TEXT, max_size=3).map(tuple),
)
INTERFACES = st.builds(
    pcapng.Interface,
    name=TEXT,
    description=st.none() | TEXT,
    addresses=st.lists(
        st.builds(lambda ip, bits: IPv4Interface((ip, bits)), st.ip_addresses(v=4), st.integers(0, 32))
        | st.builds(lambda ip, bits: IPv6Interface((ip, bits)), st.ip_addresses(v=6), st.integers(0, 128)),
        max_size=3,
    ).map(tuple),
    mac=st.none() | st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":")),
    filter=st.none() | TEXT,
)
PACKETS = st.binary(max_size=90).flatmap(
    lambda frame: st.builds(
        pcapng.Packet,
        interface=st.just(0),
        at_ns=STAMP,
        frame=st.just(frame),
        wire_length=st.integers(len(frame), 70_000),
        flags=st.integers(0, 0xFFFF_FFFF),
        packet_id=st.none() | st.integers(0, (1 << 64) - 1),
        comments=st.lists(TEXT, max_size=3).map(tuple),
    )
)
COUNT = st.integers(0, (1 << 64) - 1)
STATISTICS = st.builds(pcapng.Statistics, st.just(0), COUNT, COUNT, start_ns=STAMP, end_ns=STAMP)
NAMES = st.dictionaries(
    st.ip_addresses().map(str), st.lists(TEXT.filter(bool), min_size=1, max_size=3).map(tuple), max_size=4
)
FRAME = bytes.fromhex("0242ac1100030242ac110002080045000028000140004001aaaa0a0000020a0000030800f7ff00000000") + bytes(
    12
)


@given(SECTIONS, NAMES, INTERFACES, st.lists(PACKETS, max_size=4), STATISTICS)
def test_what_is_written_is_read(
    section: pcapng.Section,
    names: dict[str, tuple[str, ...]],
    interface: pcapng.Interface,
    packets: list[pcapng.Packet],
    statistics: pcapng.Statistics,
) -> None:
    """Every value comes back as it was."""
    blocks = [pcapng.section_block(section), pcapng.names_block(names), pcapng.interface_block(interface)]
    blocks += [*map(pcapng.packet_block, packets), pcapng.statistics_block(statistics)]
    assert all(len(block) % 4 == 0 for block in blocks)
    assert pcapng_reader.read(io.BytesIO(b"".join(blocks))) == pcapng_reader.Capture(
        sections=(section,),
        interfaces=(interface,),
        packets=tuple(packets),
        statistics=(statistics,),
        names=names,
        warnings=(),
    )


@given(st.binary(max_size=80), st.integers(0, 0xFFFF), st.sampled_from([0x8100, 0x88A8]))
def test_a_tag_goes_in_and_out(frame: bytes, tci: int, tpid: int) -> None:
    """For frames of any length, even shorter than their addresses."""
    tagged = pcapng.insert_tag(frame, tci, tpid)
    assert len(tagged) == len(frame) + 4
    assert pcapng.remove_tag(tagged) == frame


@pytest.mark.parametrize(
    ("outgoing", "packet_type", "ready", "flags"),
    [
        (False, 0, True, 0b00101),
        (False, 1, True, 0b01101),
        (False, 2, True, 0b01001),
        (False, 3, True, 0b10001),
        (True, 4, True, 0b00010),
        (True, 4, False, 0b10_0000_0010),
    ],
)
def test_flags_say_direction_reception_and_checksum(
    outgoing: bool,  # noqa: FBT001 - a column of the table
    packet_type: int,
    ready: bool,  # noqa: FBT001 - a column of the table
    flags: int,
) -> None:
    """Bits 0-1, 2-4 and 9 of epb_flags."""
    assert pcapng.packet_flags(outgoing=outgoing, packet_type=packet_type, checksum_ready=ready) == flags


def test_text_cannot_reach_a_terminal() -> None:
    """Names come from containers; a file of ours shows them harmless."""
    block = pcapng.interface_block(pcapng.Interface("web/e\x1b[2Jth\n"))
    assert rb"web/e\x1b[2Jth\x0a" in block


@pytest.mark.parametrize("mac", ["", "02:42", "not a mac", "80:00:00:48:fe:80:00:00"])
def test_a_mac_that_is_none_is_left_out(mac: str) -> None:
    """Tunnels have addresses of other lengths."""
    block = pcapng.interface_block(pcapng.Interface("host/tun0", mac=mac))
    assert pcapng_reader.read(io.BytesIO(pcapng.section_block(pcapng.Section()) + block)).interfaces[0].mac is None


def test_short_writes_are_completed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel that takes three bytes at a time still gets them all."""
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole(descriptor, bytes(data[:3])))
    target = tmp_path / "f"
    with target.open("wb", buffering=0) as stream:
        pcapng.write(stream.fileno(), [b"0123456789", b"abcdef"])
    assert target.read_bytes() == b"0123456789abcdef"


def test_a_full_disk_leaves_whole_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The part of a block that was taken before the error is cut off again."""
    whole, room = os.write, [14]

    def scarce(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        taken = whole(descriptor, bytes(data[: room[0]]))
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", scarce)
    target = tmp_path / "f"
    with target.open("wb", buffering=0) as stream, pytest.raises(pcapng.CutShortError) as caught:
        pcapng.write(stream.fileno(), [b"0123456789", b"abcdef"])
    assert (caught.value.blocks, caught.value.errno) == (1, 28)
    assert target.read_bytes() == b"0123456789"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Write a small file with one of everything."""
    packet = pcapng.Packet(1, 1_700_000_000_123_456_789, FRAME, len(FRAME), 0b00101, 7, ("hop 2/4", "delivered"))
    blocks = [
        pcapng.section_block(pcapng.Section("x86_64", "Linux 6.1", "dnetsniff 0.1.0", ("trace web db",))),
        pcapng.names_block({"10.0.0.2": ("web",), "fd00::2": ("web", "web6")}),
        pcapng.interface_block(pcapng.Interface("web/eth0", "veth in web", (IPv4Interface("10.0.0.2/24"),))),
        pcapng.interface_block(pcapng.Interface("db/eth0", mac="02:42:ac:11:00:03", filter="icmp")),
        pcapng.packet_block(packet),
        pcapng.statistics_block(pcapng.Statistics(1, received=5, dropped=2, start_ns=1, end_ns=2)),
    ]
    path = tmp_path / "frames.pcapng"
    path.write_bytes(b"".join(blocks))
    return path


def run(*command: str) -> str:
    """Run a tool of others, if it is there."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tshark_shows_what_we_meant(capture: Path) -> None:
    """Name, nanoseconds, comments, packet id and direction."""
    fields = ("interface_name", "time_epoch", "comment", "packet_id", "packet_flags", "packet_flags_direction")
    columns = [word for field in fields for word in ("-e", f"frame.{field}")]
    shown = run("tshark", "-r", str(capture), "-T", "fields", *columns).rstrip("\n").split("\t")
    assert shown[:2] == ["db/eth0", "1700000000.123456789"]
    assert shown[2] == "hop 2/4,delivered"
    assert int(shown[3], 0) == 7
    assert int(shown[4], 0) == 0b00101
    assert int(shown[5], 0) == 1


def test_tshark_takes_our_names(capture: Path) -> None:
    """The name resolution block is used."""
    assert "web → 10.0.0.3" in run("tshark", "-N", "n", "-r", str(capture))


def test_capinfos_finds_interfaces_and_precision(capture: Path) -> None:
    """Both interfaces, nanoseconds, our name and our statistics."""
    shown = run("capinfos", str(capture))
    for words in (
        "Interface #1 info",
        "nanoseconds (9)",
        "dnetsniff 0.1.0",
        "Name = web/eth0",
        "Number of stat entries",
    ):
        assert words in shown


def test_tcpdump_reads_every_frame(capture: Path) -> None:
    """The file is also libpcap's."""
    assert "10.0.0.2 > 10.0.0.3" in run("tcpdump", "-n", "-r", str(capture))
