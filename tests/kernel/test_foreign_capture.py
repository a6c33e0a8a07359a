"""Captures made by tcpdump and dumpcap themselves, of packets that a bridge handed on, are explained."""

import shutil
import subprocess
from pathlib import Path

import pytest
from commands import dnetsniff
from lab import Lab

pytestmark = pytest.mark.kernel
PINGS = 2
FRAMES = PINGS * 4
"""Request and answer, each at both ports of the bridge."""
BEGUN = {"tcpdump": b"listening on", "dumpcap": b"File:"}
COMMANDS = {
    "any.pcap": ("tcpdump", "--immediate-mode", "-i", "any", "-c", str(FRAMES), "icmp", "-w"),
    "va.pcap": ("tcpdump", "--immediate-mode", "-i", "va", "-c", str(PINGS * 2), "icmp", "-w"),
    "two.pcapng": ("dumpcap", "-q", "-f", "icmp", "-i", "va", "-i", "vb", "-c", str(FRAMES), "-w"),
}


@pytest.fixture
def captures(world: Lab, tmp_path: Path) -> Path:
    """Capture in each way at once; each program ends by itself, with the last frame that it waits for."""
    running = []
    try:
        for name, words in COMMANDS.items():
            if shutil.which(words[0]) is None:
                pytest.skip(f"needs {words[0]}")
            inside = ["nsenter", f"--net=/run/netns/{world.names['s']}", *words, str(tmp_path / name)]
            begun = subprocess.Popen(inside, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
            running.append(begun)
            assert begun.stderr is not None
            assert any(BEGUN[words[0]] in line for line in begun.stderr)
        ping = f"ip netns exec {world.names['a']} ping -q -c {PINGS} -i 0.01 -W 5 10.99.0.3"
        assert subprocess.run(ping.split(), capture_output=True, check=False).returncode == 0
        for each in running:
            each.communicate(timeout=30)
    finally:
        for each in running:
            each.kill()
            each.communicate()
    return tmp_path


def test_captures_of_other_programs_are_explained(captures: Path) -> None:
    told = {name: dnetsniff("explain", str(captures / name), "--format", "json") for name in COMMANDS}
    assert {(each.status, each.err) for each in told.values()} == {(0, "")}
    for each in told.values():
        (echoes,) = each.json["echoes"]
        assert (echoes["source"], echoes["sent"], echoes["answered"]) == ("10.99.0.2", PINGS, PINGS)
        assert each.json["well"][0] == f"{PINGS} echo requests answered"
    assert [len(each.json["interfaces"]) for each in told.values()] == [2, 1, 2]
    there = next(each for each in told["two.pcapng"].json["ways"] if each["source"] == "10.99.0.2")
    assert [(each["interface"], each["hand"]) for each in there["sightings"]] == [("va", None), ("vb", "switched")]
    there = next(each for each in told["any.pcap"].json["ways"] if each["source"] == "10.99.0.2")
    assert [each["heading"] for each in there["sightings"]] == ["in", "out"]
    assert (there["packets"], told["va.pcap"].json["ways"]) == (PINGS, [])
