"""`dnetsniff resolve SRC NAME`: what answers a name inside a container, who was asked, and what came back."""

import click

from inspector.cli.run import output_options, run
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import TIME_LIMITS_S, Question


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("name", metavar="NAME")
@click.option(
    "-t",
    "--type",
    "types",
    metavar="TYPE",
    multiple=True,
    help="A, AAAA, PTR, MX...; may be given again. [default: A and AAAA; PTR for an address]",
)
@click.option("-a", "--all", "every", is_flag=True, help="Go on where libc would stop: ask each server for each name.")
@click.option(
    "-W",
    "--timeout",
    type=click.FloatRange(*TIME_LIMITS_S["timeout_s"]),
    help="Seconds to wait for each answer, asked for once. [default: as the source's resolv.conf says]",
)
@click.option("--passive", is_flag=True, help="No promiscuous mode.")
@output_options
@click.pass_obj
def command(choice: EngineChoice, /, **options: object) -> None:
    """Look NAME up as a program in SRC would, and show each step, each query and each answer on the wire.

    SRC is a container (name or the start of its id) or `host`. An address as NAME asks for its name.
    """
    run(choice, _question(options), options)


def _question(options: dict[str, object]) -> Question:
    types = tuple(str(each) for each in options["types"])  # type: ignore[attr-defined]  # click gives a tuple
    given = {
        "source": options["source"],
        "destination": options["name"],
        "names_only": True,
        "every": options["every"],
        "lookup_timeout_s": options["timeout"],
        "passive": options["passive"],
        **({"types": types} if types else {}),
    }
    return Question(**given)  # type: ignore[arg-type]
