"""Ask one question of a live engine, show what came of it, keep it where wanted, and say it in the exit status."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from inspector.cli.interruption import interruptible
from inspector.cli.output import is_coloured, refuse_existing, tell, width_of, write
from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Question
from inspector.model.sentence import ENGLISH, LANGUAGES
from inspector.pipeline import load_thinking, trace
from inspector.plan.target import words_of
from inspector.worker import Worker

if TYPE_CHECKING:
    from inspector.model.recording import Recording
    from inspector.model.report import Report

Command = Callable[..., Any]

AHEAD, AHEAD_OF_LOOKUPS = ("inspector.capture.recorder",), ("inspector.capture.lookup_recorder",)
"""What the worker loads while the engine is asked."""
OUTPUT_OPTIONS = (
    click.option(
        "-w", "--write", "folder", type=click.Path(path_type=Path), help="Keep the recording in a new FOLDER."
    ),
    click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form."
    ),
    click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to this new file."),
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only."),
    click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        default=ENGLISH,
        envvar="DNETSNIFF_LANG",
        show_default=True,
        show_envvar=True,
        help="Language of the text.",
    ),
)
EXIT_DELIVERED, EXIT_NOT, EXIT_UNKNOWN, EXIT_DEPARTED, EXIT_INTERRUPTED = 0, 1, 3, 75, 130


def output_options(command: Command) -> Command:
    """Add the options that say where the answer goes."""
    for option in reversed(OUTPUT_OPTIONS):
        command = option(command)
    return command


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
            _show(report, options)
        finally:
            # Neither output is lost because the other cannot be written.
            saved = _save(recording, folder)
    if saved:
        tell(saved)
    sys.exit(exit_status(report))


def exit_status(report: "Report") -> int:
    """Return the contract's exit status; answers to a part of the probes do not make a run that was cut short whole."""
    from inspector.model.report import Outcome

    if report.interrupted:
        return EXIT_INTERRUPTED
    cut_short = report.statistics.sent < report.plan.question.count
    if report.departed and (cut_short or report.verdict.outcome is not Outcome.DELIVERED):
        return EXIT_DEPARTED
    return {Outcome.DELIVERED: EXIT_DELIVERED, Outcome.UNKNOWN: EXIT_UNKNOWN}.get(report.verdict.outcome, EXIT_NOT)


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


def _show(report: "Report", options: Mapping[str, object]) -> None:
    output = str(options["output"]) if options["output"] else None
    if options["form"] == "json":
        from inspector.render.report_json import render_json

        write(render_json(report) + "\n", output)
        return
    from inspector.render.report_text import render_text, render_verdict

    width, coloured, lang = width_of(output), is_coloured(output), str(options.get("lang") or ENGLISH)
    if options["quiet"]:
        text = render_verdict(report, width=width, coloured=coloured, lang=lang)
    else:
        text = render_text(report, width=width, coloured=coloured, verbose=bool(options.get("verbose")), lang=lang)
    write(text, output)
