"""A lookup is kept beside the probes: its frames first in the file, and read back whole."""

import subprocess
from pathlib import Path

import pytest
from dns_frames import POINTS, answer, lookup, on_loopback, query, question, replied, seen, silent
from msgspec.structs import replace
from topologies import delivered, planned, read

from inspector.archive import load
from inspector.errors import MalformedInputError
from inspector.keep import keep
from inspector.model.recording import Lookup, Recording

ASKED = query()
ANSWER = answer(ASKED, "172.18.0.3")
WHOLE = lookup(replied(ASKED, ANSWER), frames=on_loopback(ASKED, ANSWER))


def recording(kept: Lookup) -> Recording:
    topology = read("two-networks.toml")
    return replace(delivered(topology, planned(topology, "web", "db")), lookup=kept)


def fields(folder: Path, *names: str) -> list[list[str]]:
    wanted = [word for name in names for word in ("-e", name)]
    command = ["tshark", "-r", str(folder / "frames.pcapng"), "-T", "fields", *wanted]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def test_both_are_read_back_as_they_were(tmp_path: Path) -> None:
    whole = recording(WHOLE)
    keep(whole, tmp_path / "kept")
    assert load(tmp_path / "kept") == whole


@pytest.mark.parametrize(
    "kept",
    [
        lookup(),
        lookup(silent(ASKED), frames=(seen(1, ("172.18.0.2", 5), ("10.0.0.53", 53), question(ASKED)),)),
        replace(WHOLE, interrupted=True),
    ],
)
def test_any_lookup_is_read_back(tmp_path: Path, kept: Lookup) -> None:
    keep(recording(kept), tmp_path / "kept")
    assert load(tmp_path / "kept") == recording(kept)


def test_tshark_sees_which_query_a_frame_is_of(tmp_path: Path) -> None:
    keep(recording(WHOLE), tmp_path / "kept")
    rows = fields(tmp_path / "kept", "frame.interface_name", "frame.comment", "frame.packet_id", "dns.qry.name")
    assert [row[0] for row in rows[:4]] == ["web/lo"] * 4
    assert rows[0][1].startswith("query 1 (db A) to 127.0.0.11, hop 1 of 2: out at web/lo, destination 127.0.0.11:53")
    assert rows[2][1].startswith("answer to query 1 (db A) from 127.0.0.11: NOERROR, 1 answer, hop 1 of 2")
    assert [row[2] for row in rows[:4]] == ["1", "1", "2", "2"]
    assert rows[4][1].startswith("request 1, hop 1"), "the probe's frames stand behind the lookup's"
    assert int(rows[4][2]) > 2, "and its packets are counted on"


def test_a_point_that_both_watched_is_one_interface(tmp_path: Path) -> None:
    topology = read("two-networks.toml")
    plan = planned(topology, "web", "db")
    shared = replace(WHOLE, plan=replace(WHOLE.plan, points=(*POINTS[:1], plan.points[0], *POINTS[2:])))
    keep(replace(delivered(topology, plan), lookup=shared), tmp_path / "kept")
    names = [row[0] for row in fields(tmp_path / "kept", "frame.interface_name")]
    assert str(plan.points[0]) in names
    text = subprocess.run(
        ["capinfos", str(tmp_path / "kept" / "frames.pcapng")], check=True, capture_output=True, text=True
    ).stdout
    assert f"Number of interfaces in file: {len(POINTS) + len(plan.points) - 1}" in text


def test_a_lookup_that_speaks_of_no_point_of_its_own_is_refused(tmp_path: Path) -> None:
    keep(recording(WHOLE), tmp_path / "kept")
    document = tmp_path / "kept" / "recording.json"
    document.write_text(document.read_text().replace('"point": 0', '"point": 99', 1))
    with pytest.raises(MalformedInputError, match="capture point"):
        load(tmp_path / "kept")
