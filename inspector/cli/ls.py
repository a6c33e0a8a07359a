"""`dnetsniff ls`: the networks of an engine as one tree."""

import click

from inspector.cli.begun import BEGUN, Begun, begin
from inspector.cli.output import columns_of_terminal, is_coloured, width_of, write
from inspector.discover.engine_process import EngineProcess
from inspector.discover.glance import glance
from inspector.discover.listener import likely_listener
from inspector.discover.survey import Stacks
from inspector.model.engine_choice import EngineChoice


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file instead of the terminal.")
@click.pass_obj
def command(choice: EngineChoice, form: str, output: str | None) -> None:
    """Show networks, bridges, ports, veth pairs, addresses, gateways and routes: one tree."""
    found = click.get_current_context().meta.get(BEGUN)
    with found if isinstance(found, Begun) else begin(listening=False) as processes, Stacks() as stacks:
        topology = glance(EngineProcess(processes.asking, choice), stacks, likely_listener(choice))
    if form == "json":
        from inspector.render.topology_json import render_json

        write(render_json(topology) + "\n", output)
    else:
        from inspector.render.topology_text import render_text

        text = render_text(
            topology, width=width_of(output), coloured=is_coloured(output), terminal=columns_of_terminal(output)
        )
        write(text, output)
