"""Recordings of an older schema are read, those of a newer version as far as known, those of a newer schema not."""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from recordings import recording

from inspector import archive, archive_document
from inspector.archive_frames import without_frames
from inspector.errors import MalformedInputError
from inspector.model.recording import Answered
from inspector.pipeline import review

OLDER = Path(__file__).parent / "older"


@pytest.mark.parametrize(("name", "last"), [("from-host", "DELIVERED"), ("name-link", "hosts-file")])
def test_a_recording_of_an_earlier_day_is_read(name: str, last: str) -> None:
    """Made by the first commit that kept recordings, and by the first that looked names up."""
    loaded = archive.load_with_origin(OLDER / name)
    report = review(loaded.recording)
    assert report.verdict.outcome == "delivered"
    assert (report.names.mechanism if report.names else "DELIVERED") == last
    assert (loaded.left_out, loaded.version) == ((), "0.1.0")
    assert loaded.recording.conntrack.own == ()


def test_what_a_newer_version_adds_is_left_out_and_told() -> None:
    document = json.loads(archive_document.write(recording(), "9.9"))
    document["weather"] = "rain"
    for each in document["observations"]:
        each["mood"] = {"deep": []}
    loaded = archive_document.read(json.dumps(document).encode())
    assert loaded.recording == without_frames(recording())
    assert (loaded.version, loaded.left_out) == ("9.9", ("observations[].mood", "weather"))


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "waits_us": document.pop("waits")}


def in_nanoseconds(document: dict[str, Any]) -> dict[str, Any]:
    pairs = zip(document["probes"], document.pop("waits_us"), strict=True)
    return {**document, "probes": [{**each, "answered_ns": each["at_ns"] + 1_000 * us} for each, us in pairs]}


def test_a_step_turns_each_schema_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be if waits had been in microseconds once, and before that under another name."""
    monkeypatch.setattr(archive_document, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(archive_document, "UPGRADES", MappingProxyType({1: renamed, 2: in_nanoseconds}))
    document = json.loads(archive_document.write(recording(), "0.1.0"))
    probe = {"kind": "answered", "sequence": 1, "at_ns": 5, "answer": "reply"}
    old = {**document, "schema": "dnetsniff.recording/1", "probes": [probe], "waits": [7]}
    assert archive_document.read(json.dumps(old).encode()).recording.probes == (Answered(1, 5, 7_005, "reply"),)


@pytest.mark.parametrize("number", ["0", "2", "9" * 10_000])
def test_a_schema_without_a_way_to_ours_is_refused(number: str) -> None:
    with pytest.raises(MalformedInputError, match="this dnetsniff reads"):
        archive_document.read(json.dumps({"schema": f"dnetsniff.recording/{number}"}).encode())


def test_a_refusal_names_the_version_that_wrote_it() -> None:
    document = json.loads(archive_document.write(recording(), "0.7"))
    document["plan"]["kind"] = "teleported"
    with pytest.raises(MalformedInputError, match=r"plan\.kind should be one of") as caught:
        archive_document.read(json.dumps(document).encode())
    assert "dnetsniff 0.7 wrote it" in (caught.value.hint or "")
