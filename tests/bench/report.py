"""Run every benchmark and write one table of ratios: to standard output, and into docs/performance.md.

`make bench`. Where DOCKER_HOST names no engine, all of it is measured on one of its own, whose host is an empty network
namespace: nothing else is on its bridges, and nothing leaves the machine. `--quick` runs each once, as briefly as it
can be: that shows that it works, and no figure of it means anything. `--into FILE` writes into another file; `--parts`
measures only some, and writes into no file but one that is named.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "performance.md"
BEGIN, END = "<!-- written by make bench -->", "<!-- end of what make bench writes -->"
PARTS = {
    "startup": "Before anything is done",
    "by_hand": "One trace, one look-up",
    "rule_trace": "What rule tracing adds",
    "scale": "Large hosts",
    "capture": "A long capture",
    "points": "A long capture of many points",
    "explain_capture": "A capture file",
    "observer": "What the traffic beside it feels",
}
"""Modules, each with `rows()`."""
QUICK = {
    "BENCH_ROUNDS": "1",
    "BENCH_SECONDS": "0.1",
    "BENCH_SLICE": "0.02",
    "BENCH_RULES": "50",
    "BENCH_PACKETS": "500",
    "BENCH_CONTAINERS": "8",
    "BENCH_NETWORKS": "4",
    "BENCH_PAIRS": "20",
    "BENCH_POINTS": "1 3",
}
VERSIONS = (("docker", "version", "--format", "Docker Engine {{.Server.Version}}"), *((each, "--version") for each in (
    "tcpdump", "dumpcap", "tshark")))  # fmt: skip


def main() -> int:
    """Return the exit status."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--into", type=Path)
    asked.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    chosen = asked.parse_args()
    if chosen.quick:
        os.environ.update(QUICK)
    if not os.environ.get("DOCKER_HOST") and shutil.which("dockerd"):
        return _on_an_engine_of_its_own()
    begun = time.monotonic()
    text = written(chosen.parts, begun)
    print(text)
    page = chosen.into or (PAGE if chosen.parts == list(PARTS) and not chosen.quick else None)
    if page:
        page.write_text(with_text(page.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 0


def written(parts: list[str], begun: float) -> str:
    """Measure, and write the tables with what they were measured on."""
    from rows import table

    tables, missing = [], []
    for module in parts:
        title = PARTS[module]
        print(f"\n== {title} ({time.monotonic() - begun:.0f} s so far)", file=sys.stderr)
        lines = list(import_module(module).rows())
        if lines:
            tables.append(f"### {title}\n\n{table(lines)}")
        else:
            missing.append(title.lower())
    left = f" Not measured here: {', '.join(missing)} (one CPU is too few)." if missing else ""
    return f"{_machine()}{left}\n\n" + "\n".join(tables)


def with_text(page: str, text: str) -> str:
    """Put the text between the marks of the page."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"no {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def _machine() -> str:
    """Say when and on what."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    cores = len(os.sched_getaffinity(0))
    system = f"Linux {platform.release()} ({platform.machine()}), {cores} CPUs, Python {platform.python_version()}"
    tools = ", ".join(_version(words) for words in VERSIONS)
    return f"{day}, {system}, {tools}."


def _version(words: tuple[str, ...]) -> str:
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).partition("\n")[0].partition(" (")[0].rstrip(".")


def _on_an_engine_of_its_own() -> int:
    sys.path.insert(0, str(TESTS / "support"))
    from pairs import program
    from private_engine import private_engine
    from upstream_place import upstream_beside

    from inspector.discover.engine import connect
    from inspector.discover.survey import host_namespace
    from inspector.model.engine_choice import EngineChoice

    with ExitStack() as stack:
        engine = stack.enter_context(private_engine())
        connected = stack.enter_context(closing(connect(EngineChoice(host=engine.url))))
        server = stack.enter_context(upstream_beside(stack.enter_context(host_namespace(connected)).fd))
        server.serve({})
        there = ["nsenter", f"--net=/run/netns/{engine.name}"]
        environment = {**os.environ, "DOCKER_HOST": engine.url}
        for words in ([program(), "lab", "up", "--dns", server.address], [sys.executable, *sys.argv]):
            done = subprocess.run([*there, *words], check=False, env=environment)
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
