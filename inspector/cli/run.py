"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from inspector.cli.answer import Command, exit_status, report_options, show
from inspector.cli.interruption import interruptible
from inspector.cli.output import refuse_existing, tell
from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.pipeline import load_thinking, trace
from inspector.plan.target import words_of
from inspector.worker import Worker

if TYPE_CHECKING:
    from inspector.model.recording import Recording

AHEAD, AHEAD_OF_LOOKUPS = ("inspector.capture.recorder",), ("inspector.capture.lookup_recorder",)
"""What the worker loads while the engine is asked."""
KEEP_OPTION = click.option(
    "-w", "--write", "folder", type=click.Path(path_type=Path), help="Keep the recording in a new FOLDER."
)


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes, and what it was made from."""
    return KEEP_OPTION(report_options(command))


def run(choice: EngineChoice, asked: Question, options: Mapping[str, object]) -> NoReturn:
    """Ask, show, keep, and leave. `options`: folder, output, form, quiet and lang, as the commands name them."""
    folder, output = options["folder"], options["output"]
    _check_outputs(folder, output)
    with (
        interruptible() as wakeup,
        Worker((*AHEAD_OF_LOOKUPS, *AHEAD) if asked.look_up else AHEAD, wakeup) as worker,
        LiveHost(connect(choice), worker, words_of(asked), load_thinking) as host,
    ):
        recording, report = trace(asked, host)
        try:
            show(report, options)
        finally:
            # Neither output is lost because the other cannot be written.
            saved = _save(recording, folder)
    if saved:
        tell(saved)
    sys.exit(exit_status(report))


def _check_outputs(folder: object, output: object) -> None:
    refuse_existing(str(output) if output else None)
    if isinstance(folder, Path):
        from inspector.archive import prepare

        prepare(folder)


def _save(recording: "Recording", folder: object) -> str | None:
    if not isinstance(folder, Path):
        return None
    from inspector.keep import keep

    keep(recording, folder)
    return f"recording kept in {folder}: open {folder}/frames.pcapng in Wireshark"
