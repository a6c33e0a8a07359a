"""Show a report as it was asked for, and say it in the exit status: alike for a live run and for a recording."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from inspector.cli.output import is_coloured, width_of, write
from inspector.model.sentence import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from inspector.model.capture import CaptureReport
    from inspector.model.report import Report

Command = Callable[..., Any]
Render = Callable[..., str]

REPORT_OPTIONS = (
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


def report_options(command: Command) -> Command:
    """Add the options that say in which form the answer is wanted, and where."""
    for option in reversed(REPORT_OPTIONS):
        command = option(command)
    return command


def show(report: "Report", options: Mapping[str, object]) -> None:
    """Write the report. `options`: output, form, quiet, lang and perhaps verbose, as the commands name them."""
    if options["form"] == "json":
        from inspector.render.report_json import render_json

        _write_json(render_json(report), options)
    else:
        from inspector.render.report_text import render_text, render_verdict

        _write_text(render_text, render_verdict, report, options)


def show_capture(report: "CaptureReport", options: Mapping[str, object]) -> None:
    """Write what is in a capture file, likewise."""
    if options["form"] == "json":
        from inspector.render.capture_json import render_capture_json

        _write_json(render_capture_json(report), options)
    else:
        from inspector.render.capture_text import render_capture, render_capture_answer

        _write_text(render_capture, render_capture_answer, report, options)


def _write_json(text: str, options: Mapping[str, object]) -> None:
    write(text + "\n", _output(options))


def _write_text(whole: Render, answer: Render, report: object, options: Mapping[str, object]) -> None:
    """Write it all, or where that is wanted the answer alone."""
    output = _output(options)
    told = {"width": width_of(output), "coloured": is_coloured(output), "lang": str(options.get("lang") or ENGLISH)}
    if options["quiet"]:
        write(answer(report, **told), output)
    else:
        write(whole(report, **told, verbose=bool(options.get("verbose"))), output)


def _output(options: Mapping[str, object]) -> str | None:
    return str(options["output"]) if options["output"] else None


def exit_status(report: "Report") -> int:
    """Return the contract's exit status; answers to a part of the probes do not make a run that was cut short whole."""
    from inspector.model.report import Outcome

    if report.interrupted:
        return EXIT_INTERRUPTED
    cut_short = report.statistics.sent < report.plan.question.count
    if report.departed and (cut_short or report.verdict.outcome is not Outcome.DELIVERED):
        return EXIT_DEPARTED
    return {Outcome.DELIVERED: EXIT_DELIVERED, Outcome.UNKNOWN: EXIT_UNKNOWN}.get(report.verdict.outcome, EXIT_NOT)
