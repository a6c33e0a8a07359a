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
from math import gcd
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
AT_ONCE, CROWDS = 50, 2


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
        try:
            outcome = play(cell, scene, self.sample)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            scene.renew()
            return Outcome(0, "", "", (f"the fault could not be made: {error}",))
        if outcome.status in allowed(cell):
            return outcome
        wrong = (*outcome.wrong, f"exit status {outcome.status}, not {sorted(allowed(cell))}")
        return Outcome(outcome.status, outcome.said, outcome.left, wrong)

    def crowd(self) -> Iterator[tuple[str, Outcome]]:
        """Yield what no single run meets."""
        yield f"{AT_ONCE} at once", many_at_once(self._of[False], AT_ONCE)
        yield "a flood", flooded(self._of[False])


def main() -> None:
    """Run it all, or as much as fits into the minutes that are given, and write the page."""
    started, minutes = time.monotonic(), float(sys.argv[1]) if len(sys.argv) > 1 else None
    cells = list(whole())
    rows: list[tuple[int, tuple[str, ...], bool]] = []

    def write() -> None:
        broken, took = sum(wrong for _, _, wrong in rows), (time.monotonic() - started) / 60
        head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
        lines = _page([row for _, row, _ in sorted(rows)], len(cells) + CROWDS, broken, took)
        PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n", encoding="utf-8")

    with ExitStack() as until:
        scenes = Scenes(until, (False, True))
        for number in _spread(len(cells)):
            if minutes is not None and time.monotonic() - started > minutes * 60:
                break
            cell = cells[number]
            rows.append(_row(number, (cell.fault.name, cell.place, cell.command), scenes.play(cell)))
        write()
        for name, outcome in scenes.crowd():
            rows.append(_row(len(cells) + len(rows), (name, "", "trace"), outcome))
            write()
    sys.exit(any(wrong for _, _, wrong in rows))


def _spread(count: int) -> Iterator[int]:
    """Yield all numbers, far apart from one to the next: where time is up, something of everything was tried."""
    step = next(each for each in range(max(count // 3, 1), count + 2) if gcd(each, count) == 1)
    return (number * step % count for number in range(count))


def _row(number: int, where: tuple[str, str, str], outcome: Outcome) -> tuple[int, tuple[str, ...], bool]:
    fault, place, command = where
    mark = f"WRONG {'; '.join(outcome.wrong)}" if outcome.wrong else "ok"
    print(f"{fault}, {command} {place}: {outcome.status} {mark}", file=sys.stderr, flush=True)
    said = f"**{'; '.join(outcome.wrong)}**" if outcome.wrong else outcome.said
    cells = (fault, place or "from the start", command, str(outcome.status), _cell(said), outcome.left)
    return number, cells, bool(outcome.wrong)


def _page(rows: list[tuple[str, ...]], known: int, broken: int, minutes: float) -> Iterator[str]:
    told = subprocess.run(["dockerd", "--version"], capture_output=True, text=True, check=False).stdout
    machine = f"{os.cpu_count()} processors, Linux {platform.release()}, {told.split(',')[0]}"
    many = f"{len(rows)} of {known} runs" if len(rows) < known else f"{known} runs"
    yield f"`make faults` wrote this: {many} in {minutes:.0f} minutes, {broken} of them broke a promise."
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
