"""`dnetsniff doctor`: say whether it can run here, and what each missing piece is needed for."""

import json
import sys
from dataclasses import asdict

import click

from inspector.cli.output import is_coloured
from inspector.discover.doctor import Area, Check, State, examine
from inspector.model.engine_choice import EngineChoice
from inspector.render.text import Paint, Style, columns

EXIT_OK, EXIT_NO_ENGINE, EXIT_NO_PRIVILEGE = 0, 69, 77
MARKS = {State.OK: "ok", State.MISSING: "NO", State.NOTE: "  "}
STYLES = {State.OK: Style.GOOD, State.MISSING: Style.BAD, State.NOTE: Style.DIM}


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@click.pass_obj
def command(choice: EngineChoice, form: str) -> None:
    """Say whether a trace can run here: privileges, engine, kernel, and the settings that decide."""
    checks = examine(choice)
    if form == "json":
        click.echo(json.dumps({"schema": "dnetsniff.doctor/1", "checks": [asdict(each) for each in checks]}, indent=2))
    else:
        _show(checks)
    sys.exit(exit_status(checks))


def exit_status(checks: tuple[Check, ...]) -> int:
    """Return 77 where a privilege is missing, 69 where the engine is, 0 where a trace can run."""
    missing = {each.area for each in checks if each.state is State.MISSING}
    if missing & {Area.PRIVILEGE, Area.KERNEL}:
        return EXIT_NO_PRIVILEGE
    return EXIT_NO_ENGINE if Area.ENGINE in missing else EXIT_OK


def _show(checks: tuple[Check, ...]) -> None:
    paint = Paint(coloured=is_coloured(None))
    for area in Area:
        found = [each for each in checks if each.area is area]
        lines = columns((each.name, each.value, each.purpose) for each in found)
        click.echo(paint(area, Style.STRONG))
        for check, line in zip(found, lines, strict=True):
            click.echo(f"  {paint(MARKS[check.state], STYLES[check.state])} {line}")
    can = {EXIT_OK: "a trace can run here", EXIT_NO_ENGINE: "no engine: only recordings can be looked at"}
    click.echo(can.get(exit_status(checks), "a trace cannot run here: see the lines with NO"))
