"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Mapping
from typing import NoReturn

import click

from inspector.cli.answer import Command, exit_status, report_options, show
from inspector.cli.begun import BEGUN, Begun, begin
from inspector.cli.interruption import interruptible
from inspector.cli.keeping import keep_as_wanted, keep_options, prepare_to_keep
from inspector.cli.output import refuse_existing, tell
from inspector.discover.engine_process import EngineProcess
from inspector.host import SURVEYING, LiveHost
from inspector.loading import load_until
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.pipeline import PLANNING, THINKING, trace
from inspector.plan.target import words_of

RENDERING = "inspector.render.report_text"


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes, and what it was made from."""
    return keep_options(report_options(command))


def run(choice: EngineChoice, asked: Question, options: Mapping[str, object]) -> NoReturn:
    """Ask, show, keep, and leave. `options`: as the commands name them."""
    refuse_existing(str(options["output"]) if options["output"] else None)
    prepare_to_keep(options)
    with interruptible() as wakeup, _processes() as processes:
        processes.recording.interruption = wakeup
        engine = EngineProcess(processes.asking, choice)
        load_until(engine.has_answered, (*SURVEYING, *PLANNING))
        with LiveHost(engine, processes.recording, words_of(asked), (*THINKING, RENDERING)) as host:
            recording, report = trace(asked, host)
        try:
            show(report, options)
        finally:
            # Neither output is lost because the other cannot be written.
            saved = keep_as_wanted(recording, options, here=True)
    if saved:
        tell(saved)
    sys.exit(exit_status(report))


def _processes() -> Begun:
    """Return those that were begun with the command, or begin them."""
    found = click.get_current_context().meta.get(BEGUN)
    return found if isinstance(found, Begun) else begin()
