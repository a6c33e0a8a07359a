"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Mapping
from typing import NoReturn

from inspector.cli.answer import Command, exit_status, report_options, show
from inspector.cli.interruption import interruptible
from inspector.cli.keeping import keep_as_wanted, keep_options, prepare_to_keep
from inspector.cli.output import refuse_existing, tell
from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.pipeline import load_thinking, trace
from inspector.plan.target import words_of
from inspector.worker import Worker

AHEAD, AHEAD_OF_LOOKUPS = ("inspector.capture.recorder",), ("inspector.capture.lookup_recorder",)
"""What the worker loads while the engine is asked."""


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes, and what it was made from."""
    return keep_options(report_options(command))


def run(choice: EngineChoice, asked: Question, options: Mapping[str, object]) -> NoReturn:
    """Ask, show, keep, and leave. `options`: as the commands name them."""
    refuse_existing(str(options["output"]) if options["output"] else None)
    prepare_to_keep(options)
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
            saved = keep_as_wanted(recording, options, here=True)
    if saved:
        tell(saved)
    sys.exit(exit_status(report))
