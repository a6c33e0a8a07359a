"""Plan a lookup: what the hosts file answers, whether DNS is asked, for which names, and where to watch. Pure."""

from ipaddress import ip_address

from inspector.model.lookup import LookupPlan, ResolverSetup, Wanted
from inspector.model.naming import find_containers
from inspector.model.question import Party, Question
from inspector.model.topology import HOST, SandboxId, Topology
from inspector.plan.name_points import name_points
from inspector.plan.parties import GATEWAY

POINTER = "PTR"


def is_a_name(topology: Topology, question: Question) -> bool:
    """Whether the destination is something that a program would look up.

    The start of a container's id is not, nor are `host` and `gateway`, and an address only where its name is asked for.
    """
    word = question.destination
    if question.names_only:
        return True
    if word in {HOST, GATEWAY} or _is_address(word):
        return False
    found = find_containers(topology.containers, word)
    return not found or any(each.name == word for each in found)


def plan_lookup(topology: Topology, question: Question, source: Party, setup: ResolverSetup) -> LookupPlan:
    """Return the plan of looking the question's destination up inside the source."""
    address = _is_address(question.destination)
    wanted = Wanted(
        name=question.destination,
        types=(POINTER,) if address else question.types,
        sandbox=source.sandbox or SandboxId(source.label),
        every=question.every,
        timeout_s=question.lookup_timeout_s,
        attempts=None if question.names_only else 1,
    )
    raise NotImplementedError(wanted, topology, setup, name_points, LookupPlan)


def _is_address(word: str) -> bool:
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True
