"""A report is made by a confined process: it is the same report, and what ends it badly loses nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import dnetsniff

from inspector.archive import load
from inspector.cli.answer import look
from inspector.cli.keeping import Keeping
from inspector.cli.thinking import Ended, Kept, Message, Noted, Shown, harmless, hear, ready, thoughts, unthought
from inspector.confined import Confined, ConfinedError
from inspector.errors import OutputError
from inspector.model.recording import Recording
from inspector.pipeline import review
from inspector.render.report_json import render_json
from inspector.render.report_text import render_text

WORLDS = sorted(each for each in (Path(__file__).parents[1] / "worlds").iterdir() if each.is_dir())
SAMPLES = Path(__file__).parents[2] / "captures" / "samples"
ISOLATED = next(each for each in WORLDS if each.name == "isolated")
PLAIN = {"output": None, "form": "text", "quiet": False, "verbose": False, "lang": "en"}
UNKEPT = {"folder": None, "redact": False, "headers_only": False}

INJECTED = """
import ctypes, os, sys, time
from inspector.cli import main
import inspector.correlate.correlation as thinking
def bad(recording):
    {does}
thinking.correlate = bad
sys.argv = ["dnetsniff", *sys.argv[1:]]
main.main()
"""
"""The command, with something in its thinking that does what a dissector's bug does."""
BAD_ENDS = {
    "it was ended by SIGSEGV": "ctypes.string_at(0)",
    "MiB of memory": "bytearray(2 << 30)",
    "it ended with exit status 9": "os._exit(9)",
    "the process that thinks was killed": "os.kill(os.getpid(), 9)",
}


ALONE = """
import ast, sys
from pathlib import Path
from inspector.archive import load
from inspector.cli.answer import look
from inspector.cli.keeping import Keeping
from inspector.cli.thinking import ready
from inspector.pipeline import review
THINKERS = ("inspector.correlate.", "inspector.explain.", "inspector.render.", "inspector.model.")
verbose, folders, looks = sys.argv[1] == "verbose", sys.argv[2:], []
recordings = [load(Path(each)) for each in folders]
for lang in ("en", "zh"):
    for form in ("text", "json"):
        options = {"output": None, "form": form, "quiet": False, "verbose": verbose, "lang": lang}
        looks.append(look(options))
        ready(looks[-1], Keeping({"folder": None, "redact": False, "headers_only": False}, here=False))
for name in [each for each in sys.modules if each.startswith(THINKERS)]:
    tree = ast.parse(Path(sys.modules[name].__file__).read_text())
    later = [part for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) for part in ast.walk(each)]
    wanted = {each.module for each in later if isinstance(each, ast.ImportFrom)}
    assert wanted <= set(sys.modules), (name, wanted - set(sys.modules))
sys.path.clear(); sys.meta_path.clear(); sys.path_importer_cache.clear()
for recording in recordings:
    report = review(recording)
    assert all(each.text(report) for each in looks)
"""
"""All of them thought about where nobody else, pytest least of all, has loaded a module that may be missing; and no
function of what is loaded would load another one."""


def injected(does: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-c", INJECTED.format(does=does), *words]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, **options)


@pytest.mark.parametrize("how", ["plain", "verbose"])
def test_all_modules_are_loaded_before(how: str) -> None:
    folders = [*WORLDS, *(each.parent for each in SAMPLES.rglob("recording.json"))]
    program = [sys.executable, "-P", "-c", ALONE, how, *map(str, folders)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_nothing_is_loaded_or_opened_that_was_not_before(
    world: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = load(world)
    for verbose in (False, True):
        appearance = look({**PLAIN, "verbose": verbose, "lang": lang})
        assert heard(recording, appearance, Keeping(UNKEPT, here=False)) in {0, 1, 3, 75}
        expected = render_text(review(recording), width=appearance.width, verbose=verbose, lang=lang)
        assert capsys.readouterr().out == expected


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_the_json_is_the_same_too(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard(load(world), look({**PLAIN, "form": "json"}), Keeping(UNKEPT, here=False))
    assert capsys.readouterr().out == render_json(review(load(world))) + "\n"


def heard(recording: Recording, appearance: Any, keeping: Keeping, *, kept: bool = True) -> int:
    ready(appearance, keeping)
    with Confined[Message](lambda: thoughts(recording, appearance, keeping, review, kept=kept), Message) as confined:
        return hear(confined, appearance, keeping)


@pytest.mark.parametrize("options", [{}, {"redact": True}, {"headers_only": True}])
def test_it_is_written_before_it_is_thought_about(tmp_path: Path, options: dict[str, bool]) -> None:
    recording = load(ISOLATED)
    keeping = Keeping({**UNKEPT, "folder": tmp_path / "kept", **options}, here=True)
    said = thoughts(recording, look(PLAIN), keeping, review, kept=False)
    first = next(said)
    assert isinstance(first, Kept)
    keeping.take(first.packed)
    assert len(load(tmp_path / "kept").observations) == len(recording.observations)
    plain = (tmp_path / "kept/frames.pcapng").read_bytes()
    rest = list(said)
    assert [type(each) for each in rest] == [Shown, Ended, Kept]
    keeping.take(rest[-1].packed)  # type: ignore[union-attr]
    assert sorted(each.name for each in (tmp_path / "kept").iterdir()) == ["frames.pcapng", "recording.json"]
    assert len((tmp_path / "kept/frames.pcapng").read_bytes()) > len(plain), "there are comments now"


def test_comments_that_find_no_room_leave_the_frames_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = load(ISOLATED)
    keeping = Keeping({**UNKEPT, "folder": tmp_path / "kept"}, here=True)
    keeping.take(keeping.plain(recording))
    before = (tmp_path / "kept/frames.pcapng").read_bytes()
    commented = keeping.commented(recording)

    def full(*_given: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match=r"the disk is full: the frames in .* are whole, and without comments"):
        keeping.take(commented)
    monkeypatch.undo()
    assert [each.name for each in (tmp_path / "kept").iterdir() if each.name.startswith(".")] == []
    assert (tmp_path / "kept/frames.pcapng").read_bytes() == before


@pytest.mark.parametrize("why", BAD_ENDS)
def test_a_bad_end_is_one_sentence_and_70(why: str) -> None:
    done = injected(BAD_ENDS[why], "explain", str(ISOLATED))
    assert (done.returncode, done.stdout) == (70, "")
    assert why in done.stderr
    assert str(ISOLATED) in done.stderr
    assert done.stderr.count("\n") == 1


def test_where_it_broke_is_shown_by_debug() -> None:
    done = injected("raise RuntimeError('here')", "--debug", "explain", str(ISOLATED))
    assert done.returncode == 70
    assert "in bad" in done.stderr


def test_what_was_recorded_is_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording, keeping = load(ISOLATED), Keeping({**UNKEPT, "folder": tmp_path / "kept"}, here=True)
    error = unthought(ConfinedError("it was ended by SIGSEGV"), recording, keeping)
    assert f"the recording is kept in {tmp_path / 'kept'}" in str(error)
    told = capsys.readouterr().err
    assert "captured at tomcat01/eth0: 3 frames\n" in told
    assert "probes: 3 Sent\n" in told
    assert review(load(tmp_path / "kept")).verdict == review(recording).verdict


def test_where_no_folder_was_asked_for_it_is_kept_in_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    recording, keeping = load(ISOLATED), Keeping(UNKEPT, here=True)
    error = unthought(ConfinedError("it was ended by SIGSEGV"), recording, keeping)
    (folder,) = tmp_path.glob("dnetsniff-*/recording")
    assert str(folder) in str(error)
    assert load(folder).plan == recording.plan


def test_where_there_is_no_room_at_all_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    error = unthought(ConfinedError("it was ended by SIGSEGV"), load(ISOLATED), Keeping(UNKEPT, here=True))
    assert "the recording could not be kept" in str(error)


def test_nothing_is_kept_that_was_to_be_withheld(tmp_path: Path) -> None:
    keeping = Keeping({**UNKEPT, "folder": tmp_path / "kept", "redact": True}, here=True)
    error = unthought(ConfinedError("it was ended by SIGSEGV"), load(ISOLATED), keeping)
    assert "the recording could not be kept" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_cannot_obey_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where somebody has taken it over."""
    text = "\x1b[1mbold\x1b[0m\n\x1b]0;title\x07\nplain\n"
    assert harmless("fine\n\x1b[1mbold\x1b[0m\n", coloured=True) == "fine\n\x1b[1mbold\x1b[0m\n"
    with Confined[Message](lambda: (Shown(text), Noted("a\x1b[2Jb"), Ended(0)), Message) as confined:
        hear(confined, look(PLAIN))
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "plain" in told.out


def test_an_ordinary_run_says_no_more_than_before() -> None:
    ran = dnetsniff("explain", str(ISOLATED))
    assert (ran.status, ran.out, ran.err) == (1, (ISOLATED / "report.txt").read_text(), "")
