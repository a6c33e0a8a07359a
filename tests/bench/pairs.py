"""Time two ways in turn, and print both and the ratio of each pair: what else the machine does meets both alike."""

import compileall
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from os import environ
from pathlib import Path
from statistics import median

from rows import Row

import inspector

RUNS = int(environ.get("BENCH_ROUNDS", "9"))
WIDTH = 74
Work = Callable[[], object]
Figures = list[tuple[float, float]]
"""Wall and CPU seconds of each run."""


def program() -> str:
    """Return the command beside this interpreter, or else the one on the path; compiled, as pip installs it."""
    compileall.compile_dir(Path(inspector.__file__).parent, quiet=1)
    return shutil.which("dnetsniff", path=f"{Path(sys.executable).parent}:{environ['PATH']}") or "dnetsniff"


def compare(ours: str, mine: Work, theirs: str, other: Work, most: int = RUNS) -> tuple[Figures, Figures]:
    """Time both in turn, `most` times at most, say what came of it, and return the figures."""
    pairs = [(measured(mine), measured(other)) for _ in range(min(most, RUNS))]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    for what, runs in ((ours, first), (theirs, second)):
        print(f"{what:{WIDTH}}  {mid(runs, 0):6.3f}  {mid(runs, 1):6.3f}", file=sys.stderr)
    wall, cpu = (median(a[which] / b[which] for a, b in pairs) for which in (0, 1))
    print(f"{'ratio, median of pairs':{WIDTH}}  {wall:6.2f}  {cpu:6.2f}\n", file=sys.stderr)
    return first, second


def in_row(what: str, ours: Figures, beside: str, theirs: Figures, goal: float | None = None) -> Row:
    """Make a line of the table of both wall times."""
    ratio = median(a / b for (a, _), (b, _) in zip(ours, theirs, strict=True))
    return Row(what, times(ours), f"{beside}: {times(theirs)}", (ratio,), goal)


def times(runs: Figures) -> str:
    """Write the medians of wall and CPU seconds."""
    return f"{mid(runs, 0):.3f} s ({mid(runs, 1):.3f} CPU)"


def several(work: Work) -> Figures:
    """Time it as often as the pairs."""
    return [measured(work) for _ in range(RUNS)]


def mid(runs: Figures, which: int) -> float:
    """Return the median of one of the figures."""
    return median(each[which] for each in runs)


def measured(work: Work) -> tuple[float, float]:
    """Return wall and CPU seconds of the processes that the work starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    ended, after = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ended - started, cpu


def run(command: list[str], *allowed: int) -> None:
    """Run a command that must succeed, or end with a status that is allowed."""
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode in {0, *allowed}, f"{command}: {done.returncode}"
