"""Time what rule tracing adds to a trace: with and without it, in turn; then beside 5,000 rules that are nobody's.

Prints medians and differences; it judges nothing. Needs root, an engine, and the course network (`dnetsniff lab up`).
The rules are in a table of this benchmark's own, in chains that every packet of the host passes; it is gone afterwards.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pairs import compare, in_row, program, run
from rows import Row, table

PROBES = ("trace", "tomcat01", "tomcat02", "-c", "3", "--no-lookup")
MANY = int(os.environ.get("BENCH_RULES", "5000"))
TABLE = "dnetsniff_bench"


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table."""
    yield _row("few rules")
    with unrelated():
        yield _row(f"{MANY:,} rules of others, which match nothing")


def _row(where: str) -> Row:
    """Time a trace with and without rule tracing there."""
    command = [program(), *PROBES]
    what, beside = f"trace, rules traced, {where}", "`--no-rule-trace`"
    traced, plain = compare(
        what, lambda: run(command), f"{beside}, {where}", lambda: run([*command, "--no-rule-trace"])
    )
    return in_row(what, traced, beside, plain)


@contextmanager
def unrelated() -> Iterator[None]:
    """Load rules that match no packet of ours."""
    rules = "\n".join(f"ip saddr 203.0.113.{number % 256} tcp dport {1024 + number} drop" for number in range(MANY))
    chain = f"chain forward {{ type filter hook forward priority 0; policy accept;\n{rules}\n}}"
    _nft(f"table ip {TABLE} {{\n{chain}\n}}")
    try:
        yield
    finally:
        _nft(f"delete table ip {TABLE}")


def _nft(script: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True)


if __name__ == "__main__":
    main()
