"""The commands that would mend what is wrong, written as a person would type them. Pure."""

import shlex

from inspector.explain.case import Case
from inspector.model.topology import HOST, Container, Mode

DEFAULT_NETWORK = "bridge"
"""The one bridge network without names: neither aliases nor an embedded DNS are given to containers on it."""
NEW_NETWORK = "app"
"""What a network that is to be made is called, where that name is free."""


def networks_of(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the names of the networks a container's stack is on."""
    return tuple(each.network for each in case.endpoints(container))


def user_networks(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the networks of a container's stack that have names."""
    return tuple(each for each in networks_of(case, container) if each != DEFAULT_NETWORK)


def common_networks(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the networks with names that a container's stack is on, and the source's too."""
    mine = user_networks(case, case.source)
    return tuple(each for each in user_networks(case, container) if each in mine)


def connect_commands(case: Case) -> tuple[str, ...]:
    """Return the line that puts the source on the destination's network; nothing where it is, or there is none."""
    container, theirs = case.source, networks_of(case, case.destination)
    if container is None or not theirs or set(theirs) & set(networks_of(case, container)):
        return ()
    # The default network takes members by connect too, but gives them no names.
    best = next((each for each in theirs if each != DEFAULT_NETWORK), theirs[0])
    if best == DEFAULT_NETWORK and (mine := user_networks(case, container)):
        target = case.destination
        return (_connect(mine[0], target),) if target else ()
    return (_connect(best, container),)


def naming_commands(case: Case, target: Container) -> tuple[str, ...]:
    """Return the lines after which the source knows the target by name; nothing where no network can do that.

    The engine connects no network to a stack of mode host or none.
    """
    source = case.source
    if source is None or common_networks(case, target) or not {source.mode, target.mode} <= {Mode.OWN, Mode.SHARED}:
        return ()
    if theirs := user_networks(case, target):
        return (_connect(theirs[0], source),)
    if mine := user_networks(case, source):
        return (_connect(mine[0], target),)
    network = _free_name(case)
    return (f"docker network create {network}", _connect(network, source), _connect(network, target))


def rejoin_commands(network: str, container: Container) -> tuple[str, ...]:
    """Return the lines that take a container off a network and put it back."""
    leave = f"docker network disconnect {shlex.quote(network)} {shlex.quote(container.name)}"
    return leave, _connect(network, container)


def inside(sandbox: str, command: str) -> str:
    """Return the line that runs a host's command in a stack: the host's own, or a container's that has no such tool."""
    if sandbox == HOST:
        return command
    return f"nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {shlex.quote(sandbox)}) -n {command}"


def _connect(network: str, container: Container) -> str:
    """Write the line for the container that owns the stack: the engine connects no other."""
    return f"docker network connect {shlex.quote(network)} {shlex.quote(container.shares_with or container.name)}"


def _free_name(case: Case) -> str:
    taken = {each.name for each in case.topology.networks}
    name, number = NEW_NETWORK, 1
    while name in taken:
        number += 1
        name = f"{NEW_NETWORK}{number}"
    return name
