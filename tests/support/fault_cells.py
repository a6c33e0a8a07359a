"""Which faults happen where, and which exit statuses the contract has for each."""

from collections.abc import Iterator

from fault_kinds import (
    CLOCK,
    CONTAINER,
    ENGINE,
    FULL_OUTPUT,
    NO_READER,
    OUT_OF_MEMORY,
    SIGNALS,
    descriptors,
    full_at,
    memory,
    small_disk,
)
from fault_matrix import Cell
from fault_places import PLACES

FIRST = frozenset({"survey", "namespaces"})
"""The engine is asked."""
BEFORE = frozenset({"looking", "files", "lookup", "plan", "opening taps", "loading", "building", "half-built"})
DURING = frozenset({"probing", "asking", "listening", "teaching"})
END = frozenset({"drain", "taking down"})

DELIVERED, USAGE, UNKNOWN, UNREACHABLE, LIMIT, UNWRITTEN, DEPARTED, INTERRUPTED = 0, 2, 3, 69, 70, 74, 75, 130
KILLED = -9
_GONE = ({0, 1, 2, 3, 75}, {1, 3, 75}, {75}, {0, 75}, {0})
_LESS = ({0, 1, 3}, {0, 1, 3}, {0, 1, 3}, {0}, {0})
_SAME = ({0}, {0}, {0}, {0}, {0})
_HERE = ({0, 69, 75}, {0}, {0}, {0}, {0})
_STOPPED = ({130}, {130}, {130}, {0, 130}, {0})
_OF_PHASES = {
    "container killed": _GONE,
    "container restarted": ({0, 1, 3, 75}, {75}, {75}, {0, 75}, {0}),
    "container paused": _SAME,
    "container disconnected": _LESS,
    "container removed": _GONE,
    "namespace gone": _GONE,
    "interface renamed": _SAME,
    "interface renamed inside": _SAME,
    "interface removed": _LESS,
    "engine stopped": ({69, 75}, {1, 75}, {75}, {0, 75}, {0}),
    "engine restarted": ({0, 1, 69, 75}, {75}, {75}, {0, 75}, {0}),
    "engine stopped, live-restore": _HERE,
    "engine restarted, live-restore": _HERE,
    "engine hung": ({69}, {0}, {0}, {0}, {0}),
    "SIGINT": _STOPPED,
    "SIGTERM": _STOPPED,
    "SIGHUP": _STOPPED,
}
"""While the engine is asked, before anything is sent, while it is, at its end, and afterwards."""
_ANYWHERE = {
    "SIGKILL": {KILLED},
    OUT_OF_MEMORY.name: {LIMIT, KILLED},
    CLOCK.name: {DELIVERED},
    NO_READER.name: {DELIVERED},
    FULL_OUTPUT.name: {UNWRITTEN},
}


def allowed(cell: Cell) -> set[int]:
    """Return the exit statuses that keep the contract."""
    name = cell.fault.name
    if name.startswith("disk full"):
        return {UNWRITTEN}
    if name.startswith("disk of"):
        return {DELIVERED, UNWRITTEN}
    if name.endswith(("descriptors", "of memory")):
        return {DELIVERED, LIMIT}
    if name in _ANYWHERE:
        return _ANYWHERE[name]
    return _of_phase(cell)


def _of_phase(cell: Cell) -> set[int]:
    name, place = cell.fault.name, cell.place
    if cell.command == "capture":
        # Ended by a signal it is whole; and it goes on with what is still there.
        return {69, 75} if name.startswith("engine") and place == "survey" else {0, 75}
    if cell.command == "explain":
        # Nothing is to be kept or undone: it ends as any program does.
        return {INTERRUPTED, -15, -1, 0}
    if cell.command in {"lab", "lesson"} and name.startswith("engine"):
        return {0, 1, 69, 75}
    groups = (FIRST, BEFORE, DURING, END)
    number = next((number for number, group in enumerate(groups) if place in group), len(groups))
    statuses = _OF_PHASES[name][number]
    return statuses | ({0, 1} if cell.command == "resolve" and not name.startswith("SIG") else set())


def whole() -> Iterator[Cell]:
    """Yield the whole matrix."""
    for place in PLACES["trace"]:
        yield from (Cell(each, "trace", place) for each in (*CONTAINER, *ENGINE, *SIGNALS, OUT_OF_MEMORY, CLOCK))
    for place in PLACES["resolve"]:
        gone = [each for each in CONTAINER if each.name in {"namespace gone", "container removed"}]
        yield from (Cell(each, "resolve", place) for each in (*gone, *ENGINE, *SIGNALS, OUT_OF_MEMORY))
    for place in PLACES["capture"]:
        yield from (Cell(each, "capture", place) for each in (*CONTAINER, *ENGINE, *SIGNALS, CLOCK))
    for place in PLACES["explain"]:
        yield from (Cell(each, "explain", place) for each in (*SIGNALS, OUT_OF_MEMORY))
    for command in ("lab", "lesson"):
        for place in PLACES[command]:
            hits = [each for each in ENGINE if each.name in {"engine stopped", "engine hung"}]
            yield from (Cell(each, command, place) for each in (*hits, *SIGNALS))
    yield from _from_the_start()


def _from_the_start() -> Iterator[Cell]:
    """Yield what is there from the start on."""
    limits = [descriptors(count) for count in (8, 16, 24, 32, 48, 64)]
    limits += [memory(size) for size in (25, 50, 100, 200, 400, 800)]
    for command in ("trace", "resolve", "capture", "explain"):
        yield from (Cell(full_at(nth), command) for nth in range(1, 4 if command == "capture" else 9))
        yield from (Cell(small_disk(pages), command) for pages in (1, 2, 4, 8, 16, 24, 32))
    for command in ("trace", "resolve", "explain", "lab", "lesson"):
        yield from (Cell(each, command) for each in (NO_READER, FULL_OUTPUT))
    for command in ("trace", "resolve", "capture", "explain"):
        yield from (Cell(each, command) for each in limits)


def short() -> Iterator[Cell]:
    """Yield each fault once, and each phase of a trace at least once."""
    phases = iter(PLACES["trace"])
    for fault in (*CONTAINER, *ENGINE, *SIGNALS, OUT_OF_MEMORY, CLOCK):
        place = next(phases, None)
        if place is None:
            phases = iter(PLACES["trace"])
            place = next(phases)
        yield Cell(fault, "trace", place)
    by_name = {each.name: each for each in (*ENGINE, *SIGNALS)}
    yield Cell(by_name["engine stopped, live-restore"], "capture", "listening")
    yield Cell(by_name["SIGTERM"], "capture", "writing")
    yield Cell(by_name["SIGINT"], "lab", "half-built")
    yield Cell(by_name["SIGKILL"], "explain", "thinking")
    yield Cell(by_name["engine hung"], "resolve", "asking")
    yield from (Cell(each, "trace") for each in (NO_READER, FULL_OUTPUT, full_at(3), descriptors(16), memory(50)))
    yield from (Cell(full_at(2), "capture"), Cell(small_disk(2), "trace"))
