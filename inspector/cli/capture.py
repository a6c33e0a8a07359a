"""`dnetsniff capture TARGET... -w FILE`: all capture points of containers and networks into one pcapng."""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from msgspec.structs import replace

from inspector import __version__
from inspector.capture.capture_file import CutShort, Files, Pipe, cut_short
from inspector.capture.streaming import Streaming
from inspector.cli.interruption import interruptible
from inspector.cli.output import STDOUT, tell
from inspector.discover.engine import connect
from inspector.errors import DepartedError, UsageError
from inspector.following import Following
from inspector.model.engine_choice import EngineChoice
from inspector.model.point_count import CaptureCount
from inspector.model.text import safe
from inspector.ownership import acting_as, calling_user
from inspector.render.counts_text import render_beginning, render_progress, render_summary
from inspector.wire import packet_filter, pcapng

UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SMALLEST = 14
"""The Ethernet header."""


class Size(click.ParamType[int]):
    """A number of bytes, or with K, M or G of 1,024 and its powers, as tcpdump's -C has them."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes."""
        found = re.fullmatch(r"([0-9]{1,15})([kmg]?)", str(value).lower())
        if found is None or int(found[1]) == 0:
            self.fail(f"{safe(str(value))!r} is no size: write bytes, or 500K, 100M, 2G", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.command()
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("-w", "--write", "file", metavar="FILE", required=True, help="New file; - is standard output.")
@click.option("--filter", "expression", metavar="EXPR", help="Frames to take, in the words of pcap-filter(7).")
@click.option("--duration", type=click.FloatRange(min=0.001), metavar="S", help="End after so many seconds.")
@click.option("--max-size", type=Size(), metavar="N", help="End before the file gets larger: bytes, or 500K, 100M, 2G.")
@click.option(
    "--ring",
    type=click.IntRange(1, 99_999),
    metavar="FILES",
    help="Begin another file where --max-size would end it, and keep the last FILES of them.",
)
@click.option(
    "-s",
    "--snapshot-length",
    type=click.IntRange(SMALLEST, pcapng.SNAPSHOT_LENGTH),
    default=pcapng.SNAPSHOT_LENGTH,
    metavar="BYTES",
    help="Keep only so much of each frame; 96 is headers and little else.",
)
@click.option("--passive", is_flag=True, help="No promiscuous mode: of a bridge, only what the host itself gets.")
@click.option("-q", "--quiet", is_flag=True, help="No counts and no summary.")
@click.pass_obj
def command(choice: EngineChoice, /, targets: tuple[str, ...], **options: object) -> None:
    """Capture at all points of containers and networks into one pcapng, until Ctrl-C.

    TARGET is a container (name or the start of its id), a network, or `host`. Of a container: its own interfaces, the
    host side of its veth pairs, their bridges. Of a network: its bridge, and the same of its members. They are followed
    as they start, stop, connect and disconnect.

    `dnetsniff capture web -w - | tshark -r -` shows frames as they come.
    """
    _check(options)
    program = _program(options)
    outlet, place = _outlet(options)

    def described(interface: pcapng.Interface) -> pcapng.Interface:
        expression, length = options["expression"], int(str(options["snapshot_length"]))
        return replace(interface, filter=str(expression) if expression else None, snapshot_length=length)

    with interruptible() as wakeup:
        following = Following(
            lambda: connect(choice),
            targets,
            program=program,
            described=described,
            passive=bool(options["passive"]),
            tell=tell,
            realtime_s=time.time,
        )
        try:
            count = _stream(following, outlet, place, options, wakeup)
        finally:
            following.close()
        # Here, so that whoever ends it now still gets it.
        if not options["quiet"]:
            tell(render_summary(count, place()))


def _stream(
    following: Following,
    outlet: Files | Pipe,
    place: Callable[[], str],
    options: Mapping[str, object],
    wakeup: int,
) -> CaptureCount:
    live = Live(quiet=bool(options["quiet"]), piped=options["file"] == "-")
    seconds = options["duration"]
    streaming = Streaming(
        outlet,
        _section(following),
        following,
        max_size=_number(options["max_size"]),
        now_ns=time.monotonic_ns,
        realtime_ns=time.time_ns,
        show=live.show,
    )
    try:
        following.start()
        count = streaming.run(wakeup, None if seconds is None else int(float(str(seconds)) * 1e9))
    except CutShort as error:
        raise cut_short(error, place(), f"{streaming.count().frames} frames") from error
    finally:
        live.clear()
        streaming.close()
    if streaming.alone and not streaming.points:
        gone = ", ".join(safe(each) for each in following.words)
        raise DepartedError(f"the engine and all of {gone} went away", "start them and ask again")
    return count


class Live:
    """Counts that are written over each other, where standard error is a terminal."""

    def __init__(self, *, quiet: bool, piped: bool) -> None:
        """Show no counts where nobody looks, or where somebody else may write to the same terminal."""
        self._quiet = quiet
        self._silent = quiet or piped or not sys.stderr.isatty()
        self._begun = False
        self._lines = 0

    def show(self, count: CaptureCount) -> None:
        """Say that it has begun; later, write the counts of the moment over those of the last one."""
        if not self._begun and not self._quiet:
            tell(render_beginning(count))
        if self._silent or not self._begun:
            self._begun = True
            return
        size = shutil.get_terminal_size()
        lines = render_progress(count, width=size.columns - 1, height=size.lines)
        self.clear()
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
        self._lines = len(lines)

    def clear(self) -> None:
        """Take the counts away."""
        if self._lines:
            sys.stderr.write(f"\x1b[{self._lines}F\x1b[J")
            self._lines = 0


def _check(options: Mapping[str, object]) -> None:
    to_pipe = options["file"] == "-"
    if to_pipe and os.isatty(STDOUT):
        raise UsageError(
            "a capture is no text, and standard output is a terminal", "add `| tshark -r -`, or name a file"
        )
    if options["ring"] and (to_pipe or not options["max_size"]):
        hint = "name a file" if to_pipe else "add --max-size"
        raise UsageError("--ring needs a file, and a size to begin the next one at", hint)


def _program(options: Mapping[str, object]) -> bytes:
    length = int(str(options["snapshot_length"]))
    expression = options["expression"]
    return packet_filter.compile_filter(str(expression), length) if expression else packet_filter.keep_all(length)


def _outlet(options: Mapping[str, object]) -> tuple[Files | Pipe, Callable[[], str]]:
    if options["file"] == "-":
        return Pipe(STDOUT), lambda: "standard output"
    owner = calling_user(os.environ)
    keep = _number(options["ring"])
    with acting_as(owner):
        files = Files(Path(str(options["file"])), keep, owner, lambda: time.strftime("%Y%m%d%H%M%S"))
        files.check()
    return files, lambda: safe(str(files.last), limit=4096)


def _section(following: Following) -> pcapng.Section:
    machine, engine = os.uname(), following.identity
    return pcapng.Section(
        hardware=machine.machine,
        system=f"{machine.sysname} {machine.release}",
        application=f"dnetsniff {__version__}",
        comments=(f"capture {' '.join(following.words)}", f"engine {engine.name} {engine.version}"),
    )


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))
