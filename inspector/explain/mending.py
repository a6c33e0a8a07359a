"""The commands that would mend what is wrong, written as a person would type them. Pure."""

import shlex

from inspector.explain.case import Case
from inspector.model.topology import Container


def networks_of(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the names of the networks a container's stack is on."""
    return tuple(each.network for each in case.endpoints(container))


def connect_commands(case: Case) -> tuple[str, ...]:
    """Return the line that puts the source on the destination's network; nothing where it is, or there is none."""
    container, theirs = case.source, networks_of(case, case.destination)
    if container is None or not theirs or set(theirs) & set(networks_of(case, container)):
        return ()
    owner = container.shares_with or container.name
    # The default network called "bridge" takes members by connect too, but gives them no names.
    best = next((each for each in theirs if each != "bridge"), theirs[0])
    if best == "bridge" and (mine := [each for each in networks_of(case, container) if each != "bridge"]):
        target = case.destination
        return (f"docker network connect {shlex.quote(mine[0])} {shlex.quote(target.name)}",) if target else ()
    return (f"docker network connect {shlex.quote(best)} {shlex.quote(owner)}",)
