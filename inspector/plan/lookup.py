"""Plan a lookup: what the hosts file answers, whether DNS is asked, for which names, and where to watch. Pure."""

from collections.abc import Iterable, Iterator

from inspector.errors import UsageError
from inspector.model.dns import PORT
from inspector.model.lookup import Ending, LookupPlan, ResolverSetup, Wanted
from inspector.model.question import Party, Question
from inspector.model.text import safe
from inspector.model.topology import SandboxId, Topology
from inspector.plan.bpf import Instruction
from inspector.plan.candidates import as_address, names_to_try
from inspector.plan.mechanisms import POINTER, after_dns, before_dns
from inspector.plan.name_filter import name_program
from inspector.plan.name_points import name_points, servers_of
from inspector.plan.way import find_way
from inspector.wire.dns import encode_name, reverse_name, type_number
from inspector.wire.dns_words import type_name

MOST_REVERSED = 64
"""Addresses whose name may be asked for too; each costs the kernel's filter six instructions."""


def plan_lookup(topology: Topology, question: Question, source: Party, setup: ResolverSetup) -> LookupPlan:
    """Return the plan of looking the question's destination up inside the source.

    Raises UsageError where name or type cannot be written in a DNS message.
    """
    sandbox = source.sandbox or SandboxId(source.label)
    wanted = Wanted(
        name=question.destination,
        types=(POINTER,) if as_address(question.destination) is not None else _known(question.types),
        sandbox=sandbox,
        every=question.every,
        timeout_s=question.lookup_timeout_s,
        attempts=None if question.lookup_timeout_s is None else 1,
    )
    names = names_to_try(wanted.name, setup.nameservers, setup.libc, wanted.types)
    if not names:
        raise UsageError(
            f"{safe(wanted.name)!r} is no name that DNS can be asked for",
            "a label has 1 to 63 bytes, a name at most 255 (RFC 1035, 2.3.4)",
        )
    first = before_dns(setup, wanted)
    return LookupPlan(
        wanted=wanted,
        source=source,
        setup=setup,
        hosts=first.hosts,
        hosts_if_denied=after_dns(setup, wanted, Ending.NO_SUCH_NAME).hosts,
        hosts_if_failed=after_dns(setup, wanted, Ending.TIMED_OUT).hosts,
        asks=first.asks or question.every,
        candidates=tuple(dict.fromkeys(each.name for each in names)),
        points=name_points(topology, sandbox, setup, passive=question.passive),
        neighbours=tuple(_neighbours(topology, sandbox, setup)),
        reverse=tuple(_neighbourly(topology, source))[:MOST_REVERSED] if question.names_only else (),
    )


def lookup_program(plan: LookupPlan) -> tuple[Instruction, ...]:
    """Return what every tap of a lookup accepts."""
    asked = (*plan.candidates, *(reverse_name(each) for each in plan.reverse))
    ports = {PORT, *(rule.to_port for rule in plan.setup.rules if rule.to_port)}
    return name_program(names=(encode_name(each) for each in asked), ports=sorted(ports), neighbours=plan.neighbours)


def _known(types: Iterable[str]) -> tuple[str, ...]:
    """Return the types as the RFCs write them."""
    numbers = {each: type_number(each) for each in types}
    for each, number in numbers.items():
        if number is None:
            raise UsageError(f"{safe(each)!r} is no type of DNS record", "A, AAAA, PTR, CNAME, MX, TXT, SRV or TYPE65")
    return tuple(dict.fromkeys(type_name(number) for number in numbers.values() if number is not None))


def _neighbours(topology: Topology, sandbox: SandboxId, setup: ResolverSetup) -> Iterator[str]:
    """Yield the servers, and the gateways on the way to them: whose ARP and ND belongs to the lookup."""
    for server in servers_of(setup):
        yield server
        yield from find_way(topology, sandbox, server).gateways


def _neighbourly(topology: Topology, source: Party) -> Iterator[str]:
    """Yield the addresses of the containers that are on a network with the source: those have names of the engine's."""
    container = topology.container(source.container or "")
    mine = {each.network for each in (container.endpoints if container else ())}
    for other in topology.containers:
        for endpoint in other.endpoints:
            if endpoint.network in mine:
                yield from endpoint.addresses
