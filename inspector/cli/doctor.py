"""`dnetsniff doctor`: say whether it can run here, and what each missing piece is needed for."""

import json
import sys
from collections.abc import Iterator

import click
from msgspec.structs import asdict

from inspector.cli.output import is_coloured, write
from inspector.discover.doctor import Area, Check, State, examine
from inspector.model.engine_choice import EngineChoice
from inspector.render.text import NARROW, Paint, Style, columns, indented

EXIT_OK, EXIT_NO_ENGINE, EXIT_NO_PRIVILEGE = 0, 69, 77
MARKS = {State.OK: "ok", State.MISSING: "NO", State.NOTE: "  "}
STYLES = {State.OK: Style.GOOD, State.MISSING: Style.BAD, State.NOTE: Style.DIM}
BRIEFLY = {State.OK: "ok", State.MISSING: "missing", State.NOTE: "no"}
SHORT = 12
"""Longest value kept beside its name where a line would not fit; a longer one goes below."""


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@click.option("--leftovers", is_flag=True, help="List what of dnetsniff is still on this machine; status 1 if any is.")
@click.pass_obj
def command(choice: EngineChoice, form: str, *, leftovers: bool) -> None:
    """Say whether a trace can run here: privileges, engine, kernel, and the settings that decide.

    With --leftovers: what of dnetsniff is still on this machine, and how it is removed. Tables, promiscuous interfaces,
    namespaces, tracefs instances, sockets, processes and their threads, perf events, temporary files, half a lab.
    """
    if leftovers:
        from inspector.cli.leftovers import tell_leftovers

        sys.exit(tell_leftovers(choice, form))
    checks = examine(choice)
    if form == "json":
        found = {"schema": "dnetsniff.doctor/1", "checks": [asdict(each) for each in checks]}
        write(json.dumps(found, indent=2) + "\n", None)
    else:
        write("".join(f"{line}\n" for line in _lines(checks)), None)
    sys.exit(exit_status(checks))


def exit_status(checks: tuple[Check, ...]) -> int:
    """Return 77 where a privilege is missing, 69 where the engine is, 0 where a trace can run."""
    missing = {each.area for each in checks if each.state is State.MISSING}
    if missing & {Area.PRIVILEGE, Area.KERNEL}:
        return EXIT_NO_PRIVILEGE
    return EXIT_NO_ENGINE if Area.ENGINE in missing else EXIT_OK


def _lines(checks: tuple[Check, ...]) -> Iterator[str]:
    paint = Paint(coloured=is_coloured(None))
    for area in Area:
        yield paint(area, Style.STRONG)
        for check, line, detail in _fitted([each for each in checks if each.area is area]):
            yield f"  {paint(MARKS[check.state], STYLES[check.state])} {line}"
            yield from indented(detail, NARROW, " " * 7) if detail else ()
    can = {EXIT_OK: "a trace can run here", EXIT_NO_ENGINE: "no engine: only recordings can be looked at"}
    yield can.get(exit_status(checks), "a trace cannot run here: see the lines with NO; root has all it needs (sudo)")


def _fitted(found: list[Check]) -> Iterator[tuple[Check, str, str]]:
    """Put each check on one line; where one would not fit, long values are said below, in full."""
    lines = tuple(columns((each.name, each.value, each.purpose) for each in found))
    if all(len(line) + 5 <= NARROW for line in lines):
        yield from ((check, line, "") for check, line in zip(found, lines, strict=True))
        return
    below = [each.value if len(each.value) > SHORT else "" for each in found]
    kept = [BRIEFLY[each.state] if long else each.value for each, long in zip(found, below, strict=True)]
    lines = tuple(columns((each.name, value, each.purpose) for each, value in zip(found, kept, strict=True)))
    yield from zip(found, lines, below, strict=True)
