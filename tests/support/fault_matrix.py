"""Faults by phases by commands: run a cell, and judge what came of it."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands import PROGRAM
from fault_kinds import Fault
from fault_world import Scene, start
from msgspec import Struct
from nothing_left import await_nothing_left

from inspector.archive import load
from inspector.errors import InspectorError
from inspector.pipeline import review


class Cell(Struct, frozen=True):
    """One fault, in one phase of one command."""

    fault: Fault
    command: str
    place: str = ""
    """A phase of the command; none where the fault is there from the start."""

    def __str__(self) -> str:
        return "-".join(each for each in (self.fault.name, self.command, self.place) if each)


class Outcome(Struct, frozen=True):
    """What came of it."""

    status: int
    said: str
    left: str
    wrong: tuple[str, ...]
    """What breaks a promise."""


def words(command: str, scene: Scene, sample: Path) -> tuple[str, ...]:
    """Return what is typed."""
    here, kept = ("--host", scene.engine.url), scene.folder / "kept"
    match command:
        case "trace":
            return (*here, "trace", "left", "right", "--format", "json", "-w", str(kept))
        case "resolve":
            return (*here, "resolve", "left", "right", "--format", "json", "-w", str(kept))
        case "capture":
            return (*here, "capture", "left", "right", "-w", str(scene.folder / "kept.pcapng"), "--duration", "0.3")
        case "explain":
            return ("explain", str(sample), "--format", "json", "-w", str(kept))
        case "lab":
            return (*here, "lab", "up", "--dns", "127.0.0.1")
        case _:
            return (*here, "lesson", "bridge", "--no-pause", "--lang", "en", "--dns", "127.0.0.1")


def play(cell: Cell, scene: Scene, sample: Path) -> Outcome:
    """Run the command, have the fault happen, mend it, and judge."""
    fault = cell.fault
    wrong: list[str] = []
    with _opened(fault, scene) as options, _talk(cell, scene):
        run = start(words(cell.command, scene, sample), cell.command, {**fault.spec, "place": cell.place}, **options)
        if cell.place:
            if run.await_place():
                try:
                    fault.do(scene, run)
                except BaseException:
                    run.process.kill()
                    run.finish()
                    raise
                run.go_on()
            else:
                wrong.append("it never came there")
        try:
            status, out, err = run.finish()
        except subprocess.TimeoutExpired:
            run.process.kill()
            status, out, err = run.finish()
            wrong.append("it hung")
        fault.undo(scene)
        if cell.command in {"lab", "lesson"}:
            wrong += _wrong_lab(scene, status, err)
        wrong += _wrong(status, out, err)
        wrong += _wrong_files(scene.folder)
    left = _left(scene)
    return Outcome(status, _said(status, out, err), left or "nothing", (*wrong, *([left] if left else [])))


@contextmanager
def _talk(cell: Cell, scene: Scene) -> Iterator[None]:
    """Have the host and a container talk, so that a capture has something to take."""
    if cell.command != "capture":
        yield
        return
    words = ["ip", "netns", "exec", scene.engine.name, "ping", "-q", "-i", "0.01", scene.address("left")]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as talking:
        yield
        talking.kill()


@contextmanager
def _opened(fault: Fault, scene: Scene) -> Iterator[dict[str, Any]]:
    """Make the place to write to and the streams that the fault wants."""
    options = dict(fault.options)
    pages = options.pop("pages", None)
    scene.folder.mkdir()
    if pages:
        size = f"size={pages * 4}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(scene.folder)], check=True)
    if stdout := options.get("stdout"):
        options["stdout"] = stdout()
    try:
        yield options
    finally:
        if stdout:
            os.close(options["stdout"])
        if pages:
            subprocess.run(["umount", str(scene.folder)], check=True)
        shutil.rmtree(scene.folder)


def _wrong(status: int, out: str, err: str) -> Iterator[str]:
    if "Traceback" in err or "bug of ours" in err:
        yield err.strip()[-300:]
    if sum(line.startswith("dnetsniff: ") for line in err.splitlines()) > 1:
        yield "more than one sentence says what happened"
    if out.startswith("{"):
        try:
            json.loads(out)
        except ValueError:
            yield "half a report"
    if status in (2, 69, 74, 75, 77) and not out and not err:
        yield "it said nothing"


def _wrong_lab(scene: Scene, status: int, err: str) -> Iterator[str]:
    """Say where half a lab is left without a word; take down what may be there.

    A run that was killed could not undo it, and no kernel does: it is listed, with the command that removes it.
    """
    listed = _command(scene, "doctor", "--leftovers", "--format", "json")
    half = [each for each in json.loads(listed)["left"] if each["kind"] == "lab"]
    if half and status != -signal.SIGKILL and "dnetsniff lab down" not in err:
        yield f"left on the engine: {half[0]['what']}"
    if half and half[0]["remedy"] != "dnetsniff lab down":
        yield "half a lab, and no way to remove it"
    _command(scene, "lab", "down")


def _command(scene: Scene, *words: str) -> str:
    """Run a command as it is, with no fault."""
    typed = [*PROGRAM, "--host", scene.engine.url, *words]
    return subprocess.run(typed, capture_output=True, text=True, check=False).stdout


def _wrong_files(folder: Path) -> Iterator[str]:
    """Say which files cannot be read: up to the last whole block they must be."""
    for path in folder.rglob("*.pcapng"):
        if path.stat().st_size:
            done = subprocess.run(["capinfos", "-T", "-c", str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"capinfos: {done.stderr.strip()[:200]}"
    for path in folder.rglob("recording.json"):
        # One who was killed between the two files has left the first, and `explain` says so.
        if not (path.parent / "frames.pcapng").exists():
            continue
        try:
            review(load(path.parent))
        except InspectorError as error:
            yield f"explain: {error.exit_status} {error}"


def _left(scene: Scene) -> str:
    """Say what was left; what is tied to a process goes shortly after it."""
    try:
        await_nothing_left()
    except AssertionError as error:
        return "; ".join(str(error).splitlines())
    names = scene.engine.docker("ps", "-a", "--filter", "label=dnetsniff.lab", "--format", "{{.Names}}").split()
    return f"lab: {', '.join(names)}" if names else ""


def _beside(err: str) -> list[str]:
    """Return what was said beside the result, but for where things lie, which every run says."""
    lines = (line for line in err.splitlines() if not line.startswith(("recording kept", "building", "capturing")))
    return [re.sub(r"/tmp/[^ ]*/out", "...", line) for line in lines]


def _said(status: int, out: str, err: str) -> str:
    """Say in a few words what the report said."""
    del status
    if out.startswith("{"):
        try:
            report = json.loads(out)
        except ValueError:
            return "half a report"
        verdict, counted = report["verdict"], report["statistics"]
        parts = [f"{verdict['outcome']}, {counted['received']} of {counted['sent']}"]
        parts += [f"{', '.join(report['departed'])} went away"] if report["departed"] else []
        parts += ["interrupted"] if report["interrupted"] else []
        blind = sorted({each["point"] for each in report["blind_spots"]})
        parts += [f"blind at {', '.join(blind)}"] if blind else []
        parts += [each["id"] for each in report["findings"] if each["severity"] == "error"]
        return "; ".join([*parts, *_beside(err)])
    lines = [*_beside(err), *out.splitlines()]
    return lines[0] if lines else "(nothing)"
