"""The `dnetsniff` command: find the subcommand, and turn bad news into one sentence and an exit status.

Subcommands are imported when they are run, so that `--help` loads nothing but click.
"""

import os
import sys
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from inspector import __version__
from inspector.cli.begun import BEGUN, Begun
from inspector.cli.output import open_standard_output, tell
from inspector.errors import InspectorError, OutputError, UsageError, shortage
from inspector.model.engine_choice import EngineChoice

COMMANDS = {
    "trace": ("inspector.cli.trace", "Follow real probes from one container to another through every hop."),
    "resolve": ("inspector.cli.resolve", "Look a name up as a container would, and show each step and packet."),
    "explain": ("inspector.cli.explain", "Give the report of a saved trace again, or tell a capture file."),
    "ls": ("inspector.cli.ls", "Show networks, bridges, ports, veth pairs, addresses and routes: one tree."),
    "capture": ("inspector.cli.capture", "Capture at all points of containers and networks into one pcapng."),
    "lab": ("inspector.cli.lab", "Build and remove the course's network on a real engine."),
    "lesson": ("inspector.cli.lesson", "The course, step by step: live on the lab, or replayed from recordings."),
    "doctor": ("inspector.cli.doctor", "Can it run here: privileges, engine, kernel, settings."),
}
"""Name: (module with a click command called `command`, help in one line)."""

EXIT_BUG, EXIT_OUTPUT, EXIT_INTERRUPTED = 70, 74, 130


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """List them in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the one that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--context", metavar="NAME", help="Docker context to use, as `docker --context`.")
@click.option("--host", metavar="URL", help="Engine to connect to, as `docker --host`.")
@click.option("--debug", is_flag=True, help="Show a traceback where something of ours breaks.")
@click.version_option(__version__, prog_name="dnetsniff")
@click.pass_context
def dnetsniff(ctx: click.Context, context: str | None, host: str | None, *, debug: bool) -> None:
    """Show what a Docker network does to a packet.

    It listens at every place the packet passes, sends real probes from inside the source container's network stack,
    and says where they went, what changed them and where they stopped.
    """
    del debug
    from inspector import privileges  # with ctypes, which --help does without

    privileges.keep(privileges.OF_OWNER)
    if context and host:
        raise UsageError("--context and --host both name an engine", "give one of them")
    ctx.meta[BEGUN] = ctx.obj
    ctx.obj = EngineChoice(host=host, context=context)


def main(begun: Begun | None = None) -> None:
    """Run it, and leave with the contract's exit status; `begun` is what was begun ahead of it."""
    with begun or ExitStack():
        status = _run(begun)
    leave(status)


def _run(begun: Begun | None) -> int:
    debug = "--debug" in sys.argv
    take_name()
    try:
        sys.stdout = open_standard_output()
        dnetsniff.main(prog_name="dnetsniff", standalone_mode=False, obj=begun)
        status = 0
    except click.exceptions.NoArgsIsHelpError as error:
        tell(error.format_message())
        status = error.exit_code
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        status = error.exit_code
    except click.exceptions.Exit as error:
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = EXIT_INTERRUPTED
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except InspectorError as error:
        if debug and error.traceback:
            tell(error.traceback)
        tell(f"dnetsniff: {error}")
        status = error.exit_status
    except Exception as error:
        if debug:
            raise
        status = _tell_what_broke(error)
    return status


def _tell_what_broke(error: Exception) -> int:
    """Say it in one sentence: the machine had too little of something, or it is a bug of ours."""
    tell(
        f"dnetsniff: {short}"
        if (short := shortage(error)) is not None
        else f"dnetsniff: this is a bug of ours ({type(error).__name__}: {str(error)[:200]!r}); "
        "run it again with `dnetsniff --debug ...` and report what it prints"
    )
    return EXIT_BUG


def take_name() -> None:
    """Have the kernel call this process `dnetsniff`, whatever loaded it: `ps` and `doctor --leftovers` look there."""
    with suppress(OSError):
        Path("/proc/self/comm").write_bytes(b"dnetsniff")


def leave(status: int) -> NoReturn:
    """End at once: taking a few hundred modules apart costs 30 ms, and everything of ours is closed by now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, OutputError):
            status = status or EXIT_OUTPUT
    os._exit(status)
