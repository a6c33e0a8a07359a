"""`dnetsniff trace SRC DST`: the whole promise in one line."""

import click

from inspector.cli.run import output_options, run
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import LIMITS, TIME_LIMITS_S, Question


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
@click.option("--no-lookup", is_flag=True, help="Take a container's address from the engine; look no name up.")
@click.option("--no-rule-trace", is_flag=True, help="Do not ask the kernel which firewall rules the probes meet.")
@click.option("--passive", is_flag=True, help="No promiscuous mode, nothing inserted anywhere.")
@click.option("-v", "--verbose", is_flag=True, help="Show every firewall rule that a probe met.")
@output_options
@click.pass_obj
def command(choice: EngineChoice, /, **options: object) -> None:
    """Send real probes from SRC to DST, follow them through every hop, and say what became of them.

    SRC is a container (name or the start of its id) or `host`. DST is the same, a name as SRC would use it (it is
    looked up as SRC would, see `dnetsniff resolve`), an address, or `gateway`; a link-local address with an interface
    of SRC: `fe80::1%eth0`.
    """
    run(choice, _question(options), options)


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
        "rule_trace": not options["no_rule_trace"],
        "look_up": not options["no_lookup"],
        "lookup_timeout_s": options["timeout"],
    }
    return Question(**given)  # type: ignore[arg-type]
