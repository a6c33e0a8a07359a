"""Run the fault matrix on engines of our own, and write docs/reliability.md with what came of it: `make faults`.

The page begins with what stands above its table, which is kept; the table is made anew. Ends with status 1 where a
promise was broken.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from commands import PROGRAM
from fault_cells import allowed, whole
from fault_crowd import flooded, many_at_once
from fault_matrix import Cell, Outcome, play
from fault_world import Scene
from private_engine import private_engine

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN = "## What was tried\n"
LONGEST = 110
AT_ONCE = 50


class Scenes:
    """Both kinds of engines: one whose containers outlive it, one whose containers end with it."""

    def __init__(self, until: ExitStack, ends: Iterable[bool]) -> None:
        """Start those that are needed; the folder of what they write goes with them."""
        self.folder = Path(tempfile.mkdtemp(prefix="dnfault-", dir="/tmp"))
        until.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._of = {}
        for each in dict.fromkeys(ends):
            options = () if each else ("--live-restore",)
            self._of[each] = Scene(until.enter_context(private_engine(*options)), self.folder / f"out-{each}")
            self._of[each].build()
        self.sample = self.folder / "sample"
        first = next(iter(self._of.values()))
        typed = [*PROGRAM, "--host", first.engine.url, "trace", "left", "right", "-q", "-w", str(self.sample)]
        subprocess.run(typed, check=True, capture_output=True)

    def play(self, cell: Cell) -> Outcome:
        """Run a cell on the engine it wants; an exit status that the contract does not have for it is wrong."""
        scene = self._of[cell.fault.ends]
        outcome = play(cell, scene, self.sample)
        if outcome.status in allowed(cell):
            return outcome
        wrong = (*outcome.wrong, f"exit status {outcome.status}, not {sorted(allowed(cell))}")
        return Outcome(outcome.status, outcome.said, outcome.left, wrong)

    def crowd(self) -> Iterator[tuple[str, Outcome]]:
        """Yield what no single run meets."""
        yield f"{AT_ONCE} at once", many_at_once(self._of[False], AT_ONCE)
        yield "a flood", flooded(self._of[False])


def main() -> None:
    """Run it all, and write the page."""
    started, broken = time.monotonic(), 0
    rows: list[tuple[str, ...]] = []
    with ExitStack() as until:
        cells = list(whole())
        scenes = Scenes(until, (False, True))
        played = ((cell.fault.name, cell.place, cell.command, scenes.play(cell)) for cell in cells)
        crowd = ((name, "", "trace", outcome) for name, outcome in scenes.crowd())
        for fault, place, command, outcome in (*_told(played), *_told(crowd)):
            broken += bool(outcome.wrong)
            verdict = outcome.said if not outcome.wrong else f"**{'; '.join(outcome.wrong)}**"
            rows.append((fault, place or "from the start", command, str(outcome.status), _cell(verdict), outcome.left))
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    minutes = (time.monotonic() - started) / 60
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(_page(rows, broken, minutes)) + "\n", encoding="utf-8")
    sys.exit(broken > 0)


def _told(played: Iterable[tuple[str, str, str, Outcome]]) -> Iterator[tuple[str, str, str, Outcome]]:
    for fault, place, command, outcome in played:
        mark = "WRONG " + "; ".join(outcome.wrong) if outcome.wrong else "ok"
        print(f"{fault}, {command} {place}: {outcome.status} {mark}", file=sys.stderr, flush=True)
        yield fault, place, command, outcome


def _page(rows: list[tuple[str, ...]], broken: int, minutes: float) -> Iterator[str]:
    told = subprocess.run(["dockerd", "--version"], capture_output=True, text=True, check=False).stdout
    machine = f"{os.cpu_count()} processors, Linux {platform.release()}, {told.split(',')[0]}"
    yield f"`make faults` wrote this: {len(rows)} runs in {minutes:.0f} minutes, {broken} of them broke a promise."
    yield f"The machine: {machine}. An exit status below 0 is the signal that ended the run."
    yield ""
    yield "| fault | phase | command | exit status | what it said | left behind |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _cell(text: str) -> str:
    one = " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")
    return one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…"


if __name__ == "__main__":
    main()
