"""Time `--help`, `--version` and completion beside docker's own help and bare Python, in turn."""

import sys
from collections.abc import Iterator

from pairs import RUNS, measured, mid, program, run
from rows import Row, table

LIMIT_S = 0.1
COMPLETING = {"_DNETSNIFF_COMPLETE": "bash_complete", "COMP_WORDS": "dnetsniff tr", "COMP_CWORD": "1"}
"""What click's completion function for bash sets."""


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table; the ratio is to the limit."""
    dnetsniff = program()
    completion = ["env", *(f"{name}={value}" for name, value in COMPLETING.items()), dnetsniff]
    asked = {"`--help`": [dnetsniff, "--help"], "`--version`": [dnetsniff, "--version"], "completion": completion}
    beside = {"`docker --help`": ["docker", "--help"], "`python -c pass`": [sys.executable, "-c", "pass"]}
    commands = {**asked, **beside}
    rounds = [{name: measured(lambda words=words: run(words)) for name, words in commands.items()} for _ in range(RUNS)]
    wall = {name: mid([each[name] for each in rounds], 0) for name in commands}
    others = ", ".join(f"{name}: {wall[name]:.3f} s" for name in beside)
    for name in asked:
        yield Row(name, f"{wall[name]:.3f} s", f"{LIMIT_S} s ({others})", (wall[name] / LIMIT_S,), 1.0)


if __name__ == "__main__":
    main()
