"""Time `dnetsniff ls` and `trace` on a host with 200 containers in 20 networks, and beside 1,000 veth pairs of others.

Everything is made on engines of their own, with 6 containers in 3 networks to compare with; nothing of it is left. In
turn, medians, and what a container or a pair adds. Beside `ls`: `docker inspect $(docker ps -q)`. Judges nothing.
Needs root and dockerd; takes two minutes. BENCH_CONTAINERS, BENCH_NETWORKS and BENCH_PAIRS choose other numbers.
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from statistics import median

from pairs import Figures, Work, compare, in_row, program, run, times
from rows import Row, table

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from crowd import crowded_engine, strangers
from private_engine import PrivateEngine

CONTAINERS = int(os.environ.get("BENCH_CONTAINERS", "200"))
NETWORKS = int(os.environ.get("BENCH_NETWORKS", "20"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "1000"))
FEW, FEW_NETWORKS = 6, 3
MOST_PAIRS = 3
GOAL = 1.5
ours = cache(program)


def rows() -> Iterator[Row]:
    """Measure."""
    with crowded_engine(FEW, FEW_NETWORKS) as small:
        with crowded_engine(CONTAINERS, NETWORKS) as large:
            many = f"{CONTAINERS} containers in {NETWORKS} networks"
            inspect = f"docker --host {large.url} inspect $(docker --host {large.url} ps -q)"
            beside = "docker inspect $(docker ps -q)"
            asking = partial(run, ["sh", "-c", inspect])
            mine, theirs = compare(f"ls, {many}", listing(large), beside, asking, MOST_PAIRS)
            yield in_row(f"`ls`, {many}", mine, f"`{beside}`", theirs, GOAL)
            for name, work in WORKS.items():
                yield grown(name, work(small), many, work(large, NETWORKS), (CONTAINERS - FEW, "container"))
        with crowded_engine(FEW, FEW_NETWORKS) as crossed, strangers(crossed, PAIRS):
            for name, work in WORKS.items():
                yield grown(
                    name, work(small), f"{FEW} and {PAIRS} veth pairs of others", work(crossed), (PAIRS, "pair")
                )


def grown(name: str, of_few: Work, many: str, of_many: Work, more: tuple[int, str]) -> Row:
    """Compare the same on a small host and a large one, and say what each that is more there adds."""
    large, small = compare(f"{name}, {many}", of_many, f"{name}, {FEW} containers", of_few, MOST_PAIRS)
    number, what = more
    wall, cpu = (added(large, small, which) / number * 1e3 for which in (0, 1))
    told = f"{times(large)}; {wall:.2f} ms ({cpu:.2f} CPU) a {what}"
    return in_row(f"`{name}`, {many}", large, f"{FEW} containers", small)._replace(ours=told)


def added(large: Figures, small: Figures, which: int) -> float:
    """Return the median of what the larger one takes more."""
    return median(a[which] - b[which] for a, b in zip(large, small, strict=True))


def listing(engine: PrivateEngine, _networks: int = FEW_NETWORKS) -> Work:
    """List everything."""
    return lambda: run([ours(), "--host", engine.url, "ls"])


def listing_as_json(engine: PrivateEngine, _networks: int = FEW_NETWORKS) -> Work:
    """List everything for a program."""
    return lambda: run([ours(), "--host", engine.url, "ls", "--format", "json"])


def tracing(engine: PrivateEngine, networks: int = FEW_NETWORKS) -> Work:
    """Trace between two containers of one network."""
    return lambda: run([ours(), "--host", engine.url, "trace", "c0", f"c{networks}", "-c", "3", "--no-lookup"])


WORKS: dict[str, Callable[..., Work]] = {
    "ls": listing,
    "ls --format json": listing_as_json,
    "trace c0 c1 -c 3": tracing,
}

if __name__ == "__main__":
    print(table(rows()))
