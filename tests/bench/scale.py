"""Time `dnetsniff ls` and `trace` on a host with 200 containers in 20 networks, and beside 1,000 veth pairs of others.

Everything is made on engines of their own, with 6 containers in 3 networks to compare with; nothing of it is left. In
turn, medians, and what a container or a pair adds. Beside `ls`: `docker inspect $(docker ps -q)`. Judges nothing.
Needs root and dockerd; takes three minutes. BENCH_CONTAINERS, BENCH_NETWORKS, BENCH_PAIRS choose other numbers.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median

from pairs import RUNS, WIDTH, Work, measured, program, row, run

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from crowd import crowded_engine, populate, strangers
from private_engine import PrivateEngine, private_engine

CONTAINERS = int(os.environ.get("BENCH_CONTAINERS", "200"))
NETWORKS = int(os.environ.get("BENCH_NETWORKS", "20"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "1000"))
FEW, FEW_NETWORKS = 6, 3
ours = cache(program)


def main() -> None:
    """Print the tables."""
    with private_engine() as small, crowded_engine(CONTAINERS, NETWORKS) as large:
        populate(small, FEW, FEW_NETWORKS)
        works = {"ls": listing, "ls --format json": listing_as_json, "trace": tracing}
        beside(large)
        for name, work in works.items():
            few, many = f"{name}, {FEW} containers", f"{name}, {CONTAINERS} containers in {NETWORKS} networks"
            compare((few, work(small, FEW_NETWORKS)), (many, work(large, NETWORKS)), CONTAINERS - FEW, "container")
        with strangers(small, PAIRS), crowded_engine(FEW, FEW_NETWORKS) as plain:
            for name, work in works.items():
                few, many = f"{name}, {FEW} containers", f"{name}, beside {PAIRS} veth pairs of others"
                compare((few, work(plain, FEW_NETWORKS)), (many, work(small, FEW_NETWORKS)), PAIRS, "pair")


def beside(large: PrivateEngine) -> None:
    """Compare `ls` with the engine's own command."""
    inspect = f"docker --host {large.url} inspect $(docker --host {large.url} ps -q)"
    runs = [(measured(listing(large, NETWORKS)), measured(lambda: run(["sh", "-c", inspect]))) for _ in range(RUNS)]
    print(row(f"ls, {CONTAINERS} containers", [mine for mine, _ in runs]))
    print(row("docker inspect $(docker ps -q)", [theirs for _, theirs in runs]))
    wall, cpu = (median(mine[which] / theirs[which] for mine, theirs in runs) for which in (0, 1))
    print(f"{'ratio, median of pairs':{WIDTH}}  {wall:6.2f}  {cpu:6.2f}")
    output = subprocess.run([ours(), "--host", large.url, "ls"], check=True, capture_output=True).stdout
    as_json = subprocess.run(
        [ours(), "--host", large.url, "ls", "--format", "json"], check=True, capture_output=True
    ).stdout
    print(f"ls writes {len(output.splitlines())} lines, {len(output):,} bytes; as JSON {len(as_json):,} bytes\n")


def listing(engine: PrivateEngine, _networks: int) -> Work:
    """List everything."""
    return lambda: run([ours(), "--host", engine.url, "ls"])


def listing_as_json(engine: PrivateEngine, _networks: int) -> Work:
    """List everything for a program."""
    return lambda: run([ours(), "--host", engine.url, "ls", "--format", "json"])


def tracing(engine: PrivateEngine, networks: int) -> Work:
    """Trace between two containers of one network."""
    return lambda: run([ours(), "--host", engine.url, "trace", "c0", f"c{networks}", "-c", "3", "--no-lookup"], 0)


def compare(few: tuple[str, Work], many: tuple[str, Work], more: int, what: str) -> None:
    """Time both in turn; print both, and what each of so many more adds."""
    pairs = [(measured(few[1]), measured(many[1])) for _ in range(RUNS)]
    print(row(few[0], [a for a, _ in pairs]))
    print(row(many[0], [b for _, b in pairs]))
    wall, cpu = (median(b[which] - a[which] for a, b in pairs) for which in (0, 1))
    told = f"for each {what} more, in microseconds; {wall * 1e3:.0f} ms in all"
    print(f"{told:{WIDTH}}  {wall / more * 1e6:6.0f}  {cpu / more * 1e6:6.0f}\n", flush=True)


if __name__ == "__main__":
    main()
