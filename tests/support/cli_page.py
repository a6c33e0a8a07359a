"""Write docs/cli.md from the real --help; the test compares."""

import os
import subprocess
import sys

PAGES = (
    "",
    "trace",
    "resolve",
    "explain",
    "ls",
    "capture",
    "lab",
    "lab up",
    "lab status",
    "lab down",
    "lesson",
    "doctor",
)
STATUSES = """## Exit status

| status | meaning |
|---|---|
| 0 | delivered and answered |
| 1 | not |
| 2 | usage: the question cannot be asked like this |
| 3 | it cannot be told (`unknown`): a blind spot, or frames lost by the capture |
| 65, 66 | malformed input file; no such file |
| 69 | the engine cannot be reached |
| 70 | a bug of ours |
| 74 | the output cannot be written (disk full too) |
| 75 | a container or the engine went away on the way |
| 77 | a privilege is missing |
| 130 | interrupted; what was seen so far is reported |
"""


def page() -> str:
    """Return the whole page."""
    parts = ["# Command line\n\nMade from `--help` by `make docs`.\n"]
    parts += [f"## dnetsniff {words}".rstrip() + f"\n\n```\n{help_of(words)}```\n" for words in PAGES]
    return "\n".join([*parts, STATUSES])


def help_of(words: str) -> str:
    """Return what --help prints at 100 columns."""
    program = "from inspector.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *words.split(), "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "LC_ALL": "C.UTF-8"},
    )
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(page())
