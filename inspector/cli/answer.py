"""Write a report as it was asked for, and say it in the exit status: alike for a live run and for a recording."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from inspector.cli.output import is_coloured, width_of
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


class Look(Struct, frozen=True):
    """How the answer is to look, and where it goes."""

    form: str
    quiet: bool
    verbose: bool
    lang: str
    output: str | None
    width: int
    coloured: bool

    def text(self, report: "Report") -> str:
        """Write a report."""
        if self.form == "json":
            from inspector.render.report_json import render_json

            return render_json(report) + "\n"
        from inspector.render.report_text import render_text, render_verdict

        return self._text(render_text, render_verdict, report)

    def text_of_capture(self, report: "CaptureReport") -> str:
        """Write what is in a capture file, likewise."""
        if self.form == "json":
            from inspector.render.capture_json import render_capture_json

            return render_capture_json(report) + "\n"
        from inspector.render.capture_text import render_capture, render_capture_answer

        return self._text(render_capture, render_capture_answer, report)

    def load(self) -> None:
        """Load what `text` needs: a confined process can load nothing."""
        if self.form == "json":
            import inspector.render.report_json

            return
        import inspector.render.name_line
        import inspector.render.names_text
        import inspector.render.report_text  # noqa: F401

        self._load_language()

    def load_for_captures(self) -> None:
        """Load what `text_of_capture` needs."""
        if self.form == "json":
            import inspector.render.capture_json

            return
        import inspector.render.capture_text  # noqa: F401

        self._load_language()

    def _load_language(self) -> None:
        if self.lang != ENGLISH:
            import inspector.render.wide  # noqa: F401
            from inspector.languages import catalogue

            catalogue(self.lang)

    def _text(self, whole: Render, answer: Render, report: object) -> str:
        """Write it all, or where that is wanted the answer alone."""
        told = {"width": self.width, "coloured": self.coloured, "lang": self.lang}
        return answer(report, **told) if self.quiet else whole(report, **told, verbose=self.verbose)


def look(options: Mapping[str, object]) -> Look:
    """Return what is wanted. `options`: output, form, quiet, lang and perhaps verbose, as the commands name them."""
    output = str(options["output"]) if options["output"] else None
    return Look(
        form=str(options["form"]),
        quiet=bool(options["quiet"]),
        verbose=bool(options.get("verbose")),
        lang=str(options.get("lang") or ENGLISH),
        output=output,
        width=width_of(output),
        coloured=is_coloured(output),
    )


def exit_status(report: "Report") -> int:
    """Return the contract's exit status; answers to a part of the probes do not make a run that was cut short whole."""
    from inspector.model.report import Outcome

    if report.interrupted:
        return EXIT_INTERRUPTED
    cut_short = report.statistics.sent < report.plan.question.count
    if report.departed and (cut_short or report.verdict.outcome is not Outcome.DELIVERED):
        return EXIT_DEPARTED
    return {Outcome.DELIVERED: EXIT_DELIVERED, Outcome.UNKNOWN: EXIT_UNKNOWN}.get(report.verdict.outcome, EXIT_NOT)
