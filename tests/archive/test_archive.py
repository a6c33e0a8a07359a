"""A recording goes into a folder and comes back equal."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from recordings import POINTS, plan, recording, save, topology

from inspector import archive
from inspector.model.question import Heading
from inspector.model.recording import NotSent, Observation, Probe, Recording, Sent, TapCount, Vlan
from inspector.model.topology import BlindSpot

TEXT = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\\"), max_size=12)
STAMP = st.integers(0, (1 << 62) - 1)
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


@given(RECORDINGS)
def test_any_recording_comes_back_equal(value: Recording) -> None:
    """Whatever was seen."""
    with tempfile.TemporaryDirectory() as base:
        save(value, Path(base, "trace"))
        assert archive.load(Path(base, "trace")) == value


def test_a_full_recording_comes_back_equal(saved: Path) -> None:
    """Every field of the vocabulary."""
    assert archive.load(saved) == recording()


def test_the_document_names_its_schema_and_no_frame(saved: Path) -> None:
    """Frames are kept once."""
    document = json.loads((saved / "recording.json").read_text())
    assert (document["schema"], document["version"]) == ("dnetsniff.recording/1", "0.1.0")
    assert "frame" not in document["observations"][0]
    assert (saved / "recording.json").read_bytes().isascii()


def test_names_of_one_address_are_all_kept(saved: Path) -> None:
    """Two containers may have had it; an address that is none is left out."""
    with (saved / "frames.pcapng").open("rb") as stream:
        names = archive.pcapng_reader.read(stream).names
    assert names == {"10.0.0.2": ("web", "odd"), "fd00::2": ("web",)}
