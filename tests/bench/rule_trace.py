"""Time what rule tracing adds to a trace: with and without it, in turn; then beside 5,000 rules that are nobody's.

Prints medians and differences; it judges nothing. Needs root, an engine, and the course network (`dnetsniff lab up`).
The rules are in a table of this benchmark's own, in chains that every packet of the host passes; it is gone afterwards.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pairs import WIDTH, compare, mid, program, run

PROBES = ("trace", "tomcat01", "tomcat02", "-c", "3", "--no-lookup")
MANY = 5_000
TABLE = "dnetsniff_bench"


def main() -> None:
    """Print the table."""
    added("few rules")
    with unrelated():
        added(f"{MANY} unrelated rules")


def added(where: str) -> None:
    """Print what rule tracing adds there."""
    command = [program(), *PROBES]
    traced, plain = compare(
        f"trace, rules traced, {where}",
        lambda: run(command),
        f"trace --no-rule-trace, {where}",
        lambda: run([*command, "--no-rule-trace"]),
    )
    wall, cpu = (mid(traced, which) - mid(plain, which) for which in (0, 1))
    print(f"{'added by rule tracing':{WIDTH}}  {wall:+6.3f}  {cpu:+6.3f}\n")


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
