"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from inspector.cli.answer import Command, look, report_options
from inspector.cli.interruption import interruptible
from inspector.cli.keeping import Keeping, keep_options
from inspector.cli.output import refuse_existing
from inspector.cli.thinking import Message, hear, ready, thoughts, unthought
from inspector.confined import Confined, ConfinedError
from inspector.discover.engine import connect
from inspector.errors import OutputError
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.pipeline import record, review
from inspector.plan.target import words_of
from inspector.worker import Worker

if TYPE_CHECKING:
    from inspector.model.recording import Recording

AHEAD, AHEAD_OF_LOOKUPS = ("inspector.capture.recorder",), ("inspector.capture.lookup_recorder",)
"""What the worker loads while the engine is asked."""


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes, and what it was made from."""
    return keep_options(report_options(command))


def run(choice: EngineChoice, asked: Question, options: Mapping[str, object]) -> NoReturn:
    """Ask, keep, think apart, show, and leave. `options`: as the commands name them."""
    refuse_existing(str(options["output"]) if options["output"] else None)
    appearance, keeping = look(options), Keeping(options, here=True)
    load = partial(ready, appearance, keeping)
    with interruptible() as wakeup, ExitStack() as until:
        with (
            Worker((*AHEAD_OF_LOOKUPS, *AHEAD) if asked.look_up else AHEAD, wakeup) as worker,
            LiveHost(connect(choice), worker, words_of(asked), load) as host,
        ):
            recording = record(asked, host)
            unkept = _kept(recording, keeping)
            load()
            thinking = partial(thoughts, recording, appearance, keeping, review, kept=not keeping.withholds)
            confined = until.enter_context(Confined[Message](thinking, Message))
        # The worker and the namespaces are closed while the other process thinks.
        try:
            status = hear(confined, appearance, keeping)
        except ConfinedError as error:
            raise unthought(error, recording, keeping) from error
    if unkept:
        raise unkept
    sys.exit(status)


def _kept(recording: "Recording", keeping: Keeping) -> OutputError | None:
    """Write it before anything is thought about it, where all of it may be written; return what went wrong."""
    if keeping.folder is None or keeping.withholds:
        return None
    try:
        keeping.take(keeping.plain(recording))
    except OutputError as error:
        return error
    return None
