"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from inspector.cli.answer import Command, look, report_options
from inspector.cli.begun import BEGUN, Begun, begin
from inspector.cli.interruption import interruptible
from inspector.cli.keeping import Keeping, keep_options
from inspector.cli.output import refuse_existing
from inspector.cli.thinking import Message, hear, ready, thoughts, unthought
from inspector.confined import Confined, ConfinedError
from inspector.discover.engine_process import EngineProcess
from inspector.errors import OutputError
from inspector.host import SURVEYING, LiveHost
from inspector.loading import load_until
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.pipeline import PLANNING, THINKING, record, review
from inspector.plan.target import words_of

if TYPE_CHECKING:
    from inspector.model.recording import Recording

RENDERING = "inspector.render.report_text"


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes, and what it was made from."""
    return keep_options(report_options(command))


def run(choice: EngineChoice, asked: Question, options: Mapping[str, object]) -> NoReturn:
    """Ask, keep, think apart, show, and leave. `options`: as the commands name them."""
    refuse_existing(str(options["output"]) if options["output"] else None)
    appearance, keeping = look(options), Keeping(options, here=True)
    with interruptible() as wakeup, ExitStack() as until:
        with _processes() as processes:
            recorder = processes.recorder()
            recorder.interruption = wakeup
            engine = EngineProcess(processes.asking, choice)
            load_until(engine.has_answered, (*SURVEYING, *PLANNING))
            with LiveHost(engine, recorder, words_of(asked), (*THINKING, RENDERING)) as host:
                recording = record(asked, host)
            unkept = _kept(recording, keeping)
            ready(appearance, keeping)
            thinking = partial(thoughts, recording, appearance, keeping, review, kept=not keeping.withholds)
            confined = until.enter_context(Confined[Message](thinking, Message))
        # What was listened with is closed while the other process thinks.
        try:
            status = hear(confined, appearance, keeping)
        except ConfinedError as error:
            raise unthought(error, recording, keeping) from error
    if unkept:
        raise unkept
    sys.exit(status)


def _processes() -> Begun:
    """Return those that were begun with the command, or begin them."""
    found = click.get_current_context().meta.get(BEGUN)
    return found if isinstance(found, Begun) else begin()


def _kept(recording: "Recording", keeping: Keeping) -> OutputError | None:
    """Write it before anything is thought about it, where all of it may be written; return what went wrong."""
    if keeping.folder is None or keeping.withholds:
        return None
    try:
        keeping.take(keeping.plain(recording))
    except OutputError as error:
        return error
    return None
