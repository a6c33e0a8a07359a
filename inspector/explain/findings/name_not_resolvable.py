"""The source cannot resolve the name.

What: whoever was asked says that there is no such name, or has no address of it.
Why: only containers on a common user-defined network know each other by name. The default network has no embedded DNS,
and the embedded DNS of a network does not know the containers of another, nor those that are stopped.
On the wire: the query goes to an upstream server, from the container or on its behalf, and NXDOMAIN comes back.
Remedy: put both on one user-defined network; start what is stopped; or write the name as it is.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.lookups import evidence, is_unresolved, said_no, target_of, user_networks, wanted
from inspector.model.naming import nearest_names
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.topology import Container


def detect(case: Case) -> Finding | None:
    """Look for a lookup to which everybody who was asked said no."""
    names = case.names
    if names is None or not is_unresolved(case) or not wanted(names) or not all(map(said_no, wanted(names))):
        return None
    target = target_of(case)
    cause, remedy = _container(case, target) if target else _nobody(case)
    shown_all_the_same = case.recording.plan.resolution.mechanism == "engine"
    return Finding(
        id="name-not-resolvable",
        severity=Severity.WARNING if shown_all_the_same else Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=f"{case.recording.plan.source.label} cannot resolve {names.name}: {cause}",
        evidence=evidence(names),
        remedy=remedy,
    )


def _container(case: Case, target: Container) -> tuple[str, tuple[str, ...]]:
    """Say why a container is not known by its name, and what to type."""
    if not target.running:
        return f"{target.name} is {target.state}, and only running containers have names", (
            f"docker start {shlex.quote(target.name)}",
        )
    mine, theirs = user_networks(case, case.source), user_networks(case, target)
    if set(mine) & set(theirs):
        return "it is on a network with it, and its resolver does not know it", ()
    cause = (
        f"{target.name} is on no network that has names in common with it"
        if mine
        else "on the default network there is no embedded DNS"
    )
    return cause, _common_network(case, target, mine, theirs)


def _common_network(case: Case, target: Container, mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    source = case.source
    if source is None:
        return ("a host does not know containers by name; use the address",)
    ends = [source.shares_with or source.name, target.shares_with or target.name]
    if theirs:
        return (_connect(theirs[0], ends[0]),)
    if mine:
        return (_connect(mine[0], ends[1]),)
    return ("docker network create app", *(_connect("app", each) for each in ends))


def _connect(network: str, container: str) -> str:
    return f"docker network connect {shlex.quote(network)} {shlex.quote(container)}"


def _nobody(case: Case) -> tuple[str, tuple[str, ...]]:
    name = case.names.name if case.names else ""
    near = nearest_names(case.topology.containers, name)
    remedy = f"did you mean {' or '.join(near)}?" if near else "check how the name is written, and who should know it"
    return "no container has that name, and no server knows it", (remedy,)
