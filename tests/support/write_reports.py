"""Write beside each recording that is kept here what it says now: look at the difference before committing."""

import sys
from pathlib import Path

from inspector.archive import load
from inspector.pipeline import review
from inspector.render.report_text import render_text

ROOT = Path(__file__).parents[2]
REPORT = "report.txt"


def main() -> None:
    """Write the reports of the samples and of the worlds."""
    for kept in (ROOT / "captures" / "samples", ROOT / "tests" / "worlds"):
        for each in sorted(kept.rglob("recording.json")):
            write_report(each.parent)


def write_report(folder: Path) -> None:
    """Write what a recording says, as wide as a terminal that is wide enough."""
    (folder / REPORT).write_text(render_text(review(load(folder)), width=100), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
