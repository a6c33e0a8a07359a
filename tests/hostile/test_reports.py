"""A recording in which a stranger wrote every text and touched every frame, shown in each form there is.

The value is walked by its fields, whatever they are: a field that is added later is poisoned, too.
"""

import json
import re
from pathlib import Path

import pytest
from fuzzing import FOLDERS, SEED, named, some
from hostile import NEVER, Poison, harmful, obeyed, unquoted
from msgspec.structs import replace

from inspector import archive
from inspector.errors import InspectorError, MalformedInputError
from inspector.keep import keep
from inspector.model.recording import Recording
from inspector.model.report import Report
from inspector.model.sentence import LANGUAGES, Sentence
from inspector.pipeline import review
from inspector.render import topology_json, topology_text
from inspector.render.report_json import render_json
from inspector.render.report_text import render_text, render_verdict
from inspector.withhold.headers import headers_only
from inspector.withhold.redaction import redact

COLOUR = re.compile(r"\x1b\[(0|1|2|31|32|33)m")
"""All that a report writes for a terminal itself."""
SHARES = [(1.0, False), (0.3, False), (0.2, True)]
ROUNDS = [(folder, *share) for folder in some(FOLDERS, 6, "reports") for share in SHARES]


def written(recording: Recording, tmp_path: Path) -> Recording:
    """Write a recording as a stranger would, and read it as we do."""
    archive.save(recording, tmp_path / "evil", {}, {}, "1")
    return archive.load(tmp_path / "evil")


def forms(report: Report) -> list[str]:
    """Return every form of a report."""
    told = [
        COLOUR.sub("", render_text(report, width=width, coloured=coloured, verbose=verbose, lang=lang))
        for lang in LANGUAGES
        for width, coloured, verbose in ((80, False, True), (100, True, False))
    ]
    return [*told, *(render_verdict(report, lang=lang) for lang in LANGUAGES), render_json(report)]


@pytest.mark.parametrize(
    ("folder", "share", "addresses"), ROUNDS, ids=lambda each: named(each) if isinstance(each, Path) else str(each)
)
def test_nothing_of_a_hostile_recording_is_obeyed(folder: Path, share: float, addresses: bool, tmp_path: Path) -> None:  # noqa: FBT001
    poison = Poison((SEED, named(folder), share), share=share, addresses=addresses)
    try:
        recording = written(poison.value(archive.load(folder)), tmp_path)
    except MalformedInputError as error:
        assert not obeyed(str(error))  # noqa: PT017 - refusal is one of two right ends
        return
    assert harmful(recording) == []
    try:
        report = review(recording)
    except (InspectorError, ValueError) as error:
        assert addresses or isinstance(error, InspectorError)  # noqa: PT017 - what is no address may be what cannot be
        return
    for told in forms(report):
        assert obeyed(told) == ""
    assert harmful(json.loads(render_json(report))) == []
    for place, each in (
        ("here", recording),
        ("redacted", redact(recording, bytes(32))),
        ("cut", headers_only(recording)),
    ):
        keep(each, tmp_path / place, here=False)
        for file in (tmp_path / place).iterdir():
            data = file.read_bytes()
            assert not [never for never in NEVER if never in data]


@pytest.mark.parametrize("folder", some(FOLDERS, 14, "shell"), ids=named)
def test_what_is_to_be_typed_does_nothing_else(folder: Path, tmp_path: Path) -> None:
    """A remedy is pasted into a shell, often root's."""
    known = archive.load(folder)
    poison = Poison((SEED, named(folder)), texts=("x;reboot;", "$(id)", "`id`", "a b>c", "|sh&"))
    evil = replace(known, topology=poison.value(known.topology), plan=poison.value(known.plan))
    report = review(written(evil, tmp_path))
    for finding in report.findings:
        for line in finding.remedy:
            assert isinstance(line, Sentence) or unquoted(line) == "", (finding.id, line)


@pytest.mark.parametrize("folder", some(FOLDERS, 14, "trees"), ids=named)
def test_a_tree_obeys_nothing_and_reads_no_markup(folder: Path, tmp_path: Path) -> None:
    known = archive.load(folder)
    topology = written(replace(known, topology=Poison((SEED, named(folder))).value(known.topology)), tmp_path).topology
    for terminal in (None, 80, 200):
        told = topology_text.render_text(topology, width=80, terminal=terminal)
        assert obeyed(told) == ""
    assert harmful(json.loads(topology_json.render_json(topology))) == []
