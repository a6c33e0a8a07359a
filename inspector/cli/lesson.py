"""`dnetsniff lesson [NAME...]`: the course, step by step, on the live lab or replayed from recordings."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from inspector.cli.interruption import interruptible
from inspector.cli.output import columns_of_terminal, is_coloured, tell, width_of, write
from inspector.course import catalogue
from inspector.course.play import Page, contents
from inspector.course.texts import language
from inspector.model.engine_choice import EngineChoice
from inspector.model.sentence import LANGUAGES
from inspector.render.text import Style

if TYPE_CHECKING:
    from inspector.course.lesson import Lesson
    from inspector.course.opening import Opened

ALL = "all"
LEAVE = frozenset({b"q", b"Q"})
TAKE_BACK = "\x1b[2A\x1b[J"
"""Up two lines, and erase from there (ECMA-48, 8.3.22 and 8.3.39): the line that asked, and the blank one before."""
EXIT_OTHERWISE = 1


class Left(Exception):  # noqa: N818 - no error: the reader has had enough
    """The reader leaves."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--replay", is_flag=True, help="Show the recordings that come with dnetsniff, also where an engine is.")
@click.option("--engine", "recorded", metavar="VERSION", help="The recordings of this engine version.")
@click.option("--no-pause", is_flag=True, help="Do not wait for Enter, as for a projector or in CI.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    envvar="DNETSNIFF_LANG",
    show_envvar=True,
    help="Language. [default: by the locale]",
)
@click.option(
    "--dns",
    "nameservers",
    metavar="ADDRESS",
    multiple=True,
    help="Name server of the lab's containers, as `dnetsniff lab up --dns`; without it they ask the host's.",
)
@click.pass_obj
def command(choice: EngineChoice, /, names: tuple[str, ...], lang: str | None, **options: object) -> None:
    """Teach the course: without a NAME list the lessons, with `all` play every one.

    As root, with an engine, a lesson builds the lab, makes each trace live, and takes the lab down again; a lab that
    stands already is used and left. Else the recordings are shown that come with dnetsniff.
    """
    page = Page(width_of(None), is_coloured(None), lang or language(os.environ))
    if not names:
        write(contents((catalogue.find(each) for each in catalogue.names()), page), None)
        return
    wanted = catalogue.names() if names == (ALL,) else names
    lessons = tuple(catalogue.find(each) for each in wanted)
    sys.exit(_play(choice, lessons, page, options))


def _play(choice: EngineChoice, lessons: "tuple[Lesson, ...]", page: Page, options: dict[str, object]) -> int:
    from inspector.confined import alone
    from inspector.course.teach import Teacher

    waits = not options["no_pause"] and sys.stdin.isatty() and sys.stdout.isatty()
    with interruptible() as wakeup:
        teacher = Teacher(
            page,
            say=lambda text: write(text, None),
            pause=partial(_pause if waits else _go_on, page, wakeup),
            terminal=columns_of_terminal(None),
            alone=alone,
        )
        with suppress(Left), _world(choice, page, options, wakeup) as opened:
            for each in lessons:
                teacher.teach(each, opened.world, opened.where(each))
    return EXIT_OTHERWISE if teacher.otherwise else 0


@contextmanager
def _world(choice: EngineChoice, page: Page, options: dict[str, object], wakeup: int) -> Iterator["Opened"]:
    from inspector.course.opening import live_or_replayed, replayed

    if options["replay"] or options["recorded"]:
        recorded = options["recorded"]
        yield replayed(str(recorded) if recorded else None, page)
        return
    with live_or_replayed(
        choice,
        page,
        nameservers=options["nameservers"],  # type: ignore[arg-type]  # click gives a tuple of strings
        wakeup=wakeup,
        tell=tell,
        undisturbed=interruptible,
    ) as opened:
        yield opened


def _pause(page: Page, wakeup: int) -> None:
    """Wait for Enter. Raises Left on q and at the end of the input, KeyboardInterrupt on Ctrl-C."""
    _go_on(page, wakeup)
    sys.stdout.write(f"\n{page.paint(page.word('pause'), Style.DIM)} ")
    sys.stdout.flush()
    ready, _, _ = select.select([sys.stdin, wakeup], [], [])
    # Of a terminal each read is one line (termios(3), canonical mode); a buffer would hide the next one from select.
    line = b"" if wakeup in ready else os.read(sys.stdin.fileno(), 1024)
    sys.stdout.write(TAKE_BACK if line and os.environ.get("TERM") != "dumb" else "\n")
    sys.stdout.flush()
    _go_on(page, wakeup)
    if not line or line.strip() in LEAVE:
        raise Left


def _go_on(_page: Page, wakeup: int) -> None:
    """Do not wait. Raises KeyboardInterrupt on Ctrl-C."""
    if select.select([wakeup], [], [], 0)[0]:
        raise KeyboardInterrupt
