"""A folder that is no recording is refused in a sentence."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector import archive
from inspector.errors import MalformedInputError, NoSuchFileError


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the document in a saved folder."""
    path = folder / "recording.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


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
        (lambda document: document["plan"]["question"].update(count=0), "count should be from 1 to 1000, not 0"),
        (lambda document: document["plan"]["question"].update(size=10**9), "size should be from 0 to 65507"),
        (lambda document: document.update(probes=document["probes"] * 251), "probes has 1004 members, more than 1000"),
        (lambda document: document["plan"].update(family=5), "plan.family should be 4 or 6, not 5"),
        (lambda document: document["probes"][2].update(at_ns=2**64), "at_ns should be a number of 64 bits"),
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


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"a": NaN}'])
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
