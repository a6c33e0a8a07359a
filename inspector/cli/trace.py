"""`dnetsniff trace SRC DST`: the whole promise in one line."""

import sys
from contextlib import closing
from pathlib import Path

import click

from inspector.capture.recorder import Recorder
from inspector.cli.interruption import interruptible
from inspector.cli.output import is_coloured, refuse_existing, tell, width_of, write
from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import LIMITS, TIME_LIMITS_S, Question
from inspector.model.recording import Recording
from inspector.model.report import Outcome, Report
from inspector.pipeline import load_thinking, trace

EXIT_DELIVERED, EXIT_NOT, EXIT_UNKNOWN, EXIT_DEPARTED, EXIT_INTERRUPTED = 0, 1, 3, 75, 130


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.option(
    "-c", "--count", type=click.IntRange(*LIMITS["count"]), default=3, show_default=True, help="Probes to send."
)
@click.option(
    "-W",
    "--timeout",
    type=click.FloatRange(*TIME_LIMITS_S["timeout_s"]),
    default=1.0,
    show_default=True,
    help="Seconds to wait for each.",
)
@click.option(
    "-i",
    "--interval",
    type=click.FloatRange(*TIME_LIMITS_S["interval_s"]),
    help="Seconds between probes; without it the next leaves as soon as the answer is in.",
)
@click.option("--size", type=click.IntRange(*LIMITS["size"]), default=56, show_default=True, help="Bytes of payload.")
@click.option("--df", is_flag=True, help="Forbid fragmentation.")
@click.option("--ttl", type=click.IntRange(*LIMITS["ttl"]), help="Time to live (hop limit) of the probes.")
@click.option("-4", "family", flag_value=4, type=int, help="Probe over IPv4.")
@click.option("-6", "family", flag_value=6, type=int, help="Probe over IPv6.")
@click.option("--source-address", metavar="ADDRESS", help="Send from this address of SRC.")
@click.option("--passive", is_flag=True, help="No promiscuous mode, nothing inserted anywhere.")
@click.option("-w", "--write", "folder", type=click.Path(path_type=Path), help="Keep the recording in a new FOLDER.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to this new file.")
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only.")
@click.pass_obj
def command(choice: EngineChoice, /, **options: object) -> None:
    """Send real probes from SRC to DST, follow them through every hop, and say what became of them.

    SRC is a container (name or the start of its id) or `host`. DST is the same, an address, or `gateway`; a link-local
    address with an interface of SRC: `fe80::1%eth0`.
    """
    asked = _question(options)
    folder, output = options["folder"], options["output"]
    _check_outputs(folder, output)
    with (
        interruptible() as wakeup,
        closing(Recorder(wakeup)) as recorder,
        LiveHost(
            connect(choice), (asked.source, asked.destination), recorder=recorder, meanwhile=load_thinking
        ) as host,
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


def exit_status(report: Report) -> int:
    """Return the contract's exit status; answers to a part of the probes do not make a run that was cut short whole."""
    if report.interrupted:
        return EXIT_INTERRUPTED
    cut_short = report.statistics.sent < report.plan.question.count
    if report.departed and (cut_short or report.verdict.outcome is not Outcome.DELIVERED):
        return EXIT_DEPARTED
    return {Outcome.DELIVERED: EXIT_DELIVERED, Outcome.UNKNOWN: EXIT_UNKNOWN}.get(report.verdict.outcome, EXIT_NOT)


def _question(options: dict[str, object]) -> Question:
    given = {
        "source": options["source"],
        "destination": options["destination"],
        "count": options["count"],
        "timeout_s": options["timeout"],
        "interval_s": options["interval"],
        "size": options["size"],
        "dont_fragment": options["df"],
        "ttl": options["ttl"],
        "family": options["family"],
        "source_address": options["source_address"],
        "passive": options["passive"],
    }
    return Question(**given)  # type: ignore[arg-type]


def _check_outputs(folder: object, output: object) -> None:
    refuse_existing(str(output) if output else None)
    if isinstance(folder, Path):
        from inspector.archive import prepare

        prepare(folder)


def _save(recording: Recording, folder: object) -> str | None:
    if not isinstance(folder, Path):
        return None
    from inspector.keep import keep

    keep(recording, folder)
    return f"recording kept in {folder}: open {folder}/frames.pcapng in Wireshark"


def _show(report: Report, options: dict[str, object]) -> None:
    output = str(options["output"]) if options["output"] else None
    if options["form"] == "json":
        from inspector.render.report_json import render_json

        write(render_json(report) + "\n", output)
        return
    from inspector.render.report_text import render_text, render_verdict

    render = render_verdict if options["quiet"] else render_text
    write(render(report, width=width_of(output), coloured=is_coloured(output)), output)
