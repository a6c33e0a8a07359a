"""Wireshark, capinfos and tcpdump open what was saved."""

import shutil
import subprocess
from pathlib import Path

import pytest


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
