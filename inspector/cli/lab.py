"""`dnetsniff lab`: the course's network, built and removed on a real engine."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from inspector.discover.engine import Engine, connect
from inspector.discover.survey import host_routes
from inspector.lab.build import Standing, down, is_whole, status, up
from inspector.model.engine_choice import EngineChoice
from inspector.render.text import columns


@click.group()
def command() -> None:
    """Build and remove the course's network on a real engine."""


@command.command("up")
@click.option("--image", metavar="NAME", help="Use this image; its command has to stay up.")
@click.option("--subnet", metavar="PREFIX", help="Subnet of mynet instead of 192.168.0.0/16.")
@click.pass_obj
def up_command(choice: EngineChoice, image: str | None, subnet: str | None) -> None:
    """Build it: tomcat01 to 03 on the default bridge, mynet with two more."""
    with _engine(choice) as engine:
        standing, built = up(engine, image=image, subnet=subnet, host_routes=host_routes(engine))
    click.echo("the lab is up" if built else "the lab was up already")
    _show(standing)
    click.echo("next: dnetsniff trace tomcat01 tomcat02")


@command.command("status")
@click.pass_obj
def status_command(choice: EngineChoice) -> None:
    """Say what stands; exit status 1 if it is not whole."""
    with _engine(choice) as engine:
        standing = status(engine)
    _show(standing)
    if not is_whole(standing):
        click.echo("the lab is not up" if not standing else "the lab is not whole")
        sys.exit(1)


@command.command("down")
@click.pass_obj
def down_command(choice: EngineChoice) -> None:
    """Remove what `up` built, and nothing else."""
    with _engine(choice) as engine:
        removed = down(engine)
    click.echo(f"removed {', '.join(removed)}" if removed else "there was no lab")


@contextmanager
def _engine(choice: EngineChoice) -> Iterator[Engine]:
    engine = connect(choice)
    try:
        yield engine
    finally:
        engine.close()


def _show(standing: Iterable[Standing]) -> None:
    rows = [
        (f"  {each.name}", each.state, ", ".join(f"{net} {address}" for net, address in each.places))
        for each in standing
    ]
    for line in columns(rows):
        click.echo(line)
