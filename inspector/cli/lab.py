"""`dnetsniff lab`: the course's network, built and removed on a real engine."""

import select
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from inspector.cli.interruption import interruptible
from inspector.cli.output import columns_of_terminal, tell, write
from inspector.discover.engine import Engine, connect
from inspector.discover.survey import host_routes
from inspector.lab.build import Standing, down, is_whole, status, up
from inspector.model.engine_choice import EngineChoice
from inspector.render.table import table


@click.group()
def command() -> None:
    """Build and remove the course's network on a real engine."""


@command.command("up")
@click.option("--image", metavar="NAME", help="Use this image; its command has to stay up.")
@click.option("--subnet", metavar="PREFIX", help="Subnet of mynet instead of 192.168.0.0/16.")
@click.option(
    "--dns",
    "nameservers",
    metavar="ADDRESS",
    multiple=True,
    help="Name server of the containers, as docker run --dns; may be repeated.",
)
@click.pass_obj
def up_command(choice: EngineChoice, image: str | None, subnet: str | None, nameservers: tuple[str, ...]) -> None:
    """Build it: tomcat01 to 03 on the default bridge, mynet with two more."""
    with _engine(choice) as engine, interruptible() as wakeup:
        try:
            standing, built = up(
                engine,
                image=image,
                subnet=subnet,
                host_routes=host_routes(engine),
                nameservers=nameservers,
                again=_typed(choice, "lab", "up", *_given(image, nameservers)),
                interrupted=lambda: bool(select.select([wakeup], [], [], 0)[0]),
            )
        except KeyboardInterrupt:
            tell("interrupted; what was built is removed again")
            raise
        first = "the lab is up" if built else "the lab was up already"
        _say(first, *_rows(standing), f"next: {_typed(choice, 'trace', 'tomcat01', 'tomcat02')}")


@command.command("status")
@click.pass_obj
def status_command(choice: EngineChoice) -> None:
    """Say what stands; exit status 1 if it is not whole."""
    with _engine(choice) as engine:
        standing = status(engine)
    if is_whole(standing):
        _say(*_rows(standing))
        return
    _say(*_rows(standing), "the lab is not whole" if standing else "the lab is not up")
    sys.exit(1)


@command.command("down")
@click.pass_obj
def down_command(choice: EngineChoice) -> None:
    """Remove what `up` built, and nothing else."""
    with _engine(choice) as engine:
        removed = down(engine)
    _say(f"removed {', '.join(removed)}" if removed else "there was no lab")


@contextmanager
def _engine(choice: EngineChoice) -> Iterator[Engine]:
    engine = connect(choice)
    try:
        yield engine
    finally:
        engine.close()


def _given(image: str | None, nameservers: Iterable[str]) -> tuple[str, ...]:
    """Return the options of `lab up` as they were typed, the subnet left out."""
    servers = (word for each in nameservers for word in ("--dns", each))
    return (*(("--image", image) if image is not None else ()), *servers)


def _typed(choice: EngineChoice, *words: str) -> str:
    """Write a command as the user would type it for the same engine."""
    host = ("--host", choice.host) if choice.host else ()
    context = ("--context", choice.context) if choice.context else ()
    return shlex.join(("dnetsniff", *host, *context, *words))


def _say(*lines: str) -> None:
    write("".join(f"{line}\n" for line in lines), None)


def _rows(standing: Iterable[Standing]) -> Iterator[str]:
    rows = (
        (f"  {each.name}", each.state, ", ".join(f"{net} {address}" for net, address in each.places))
        for each in standing
    )
    yield from table(rows, columns_of_terminal(None))
