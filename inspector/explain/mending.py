"""The commands that would mend what is wrong, written as a person would type them. Pure."""

import shlex

from inspector.explain.case import Case
from inspector.model.sentence import say
from inspector.model.topology import HOST, Container, Mode, SandboxId

DEFAULT_NETWORK = "bridge"
"""What engines call the one bridge network without names; a recording may not say which is the default."""
DNS_SETTINGS = {"docker": ("dns", "daemon.json"), "podman": ("dns_servers", "containers.conf")}
"""Where each engine keeps the name servers of all containers, by its command line."""
NEW_NETWORK = "app"
"""What a network that is to be made is called, where that name is free."""


def networks_of(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the names of the networks a container's stack is on."""
    return tuple(each.network for each in case.endpoints(container))


def is_default(case: Case, network: str) -> bool:
    """Whether a network is the default one: neither aliases nor names are given to containers on it."""
    return network == DEFAULT_NETWORK or any(each.name == network and each.default for each in case.topology.networks)


def server_advice(case: Case) -> str:
    """Say how a container is given another name server."""
    command = f"{case.command} run --dns ADDRESS"
    if case.command not in DNS_SETTINGS:
        return say("give the container a server that answers: {command}", command=command)
    setting, file = DNS_SETTINGS[case.command]
    return say(
        "give the container a server that answers: {command}, or `{setting}` in {file}",
        command=command,
        setting=setting,
        file=file,
    )


def user_networks(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the networks of a container's stack that have names."""
    return tuple(each for each in networks_of(case, container) if not is_default(case, each))


def common_networks(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the networks with names that a container's stack is on, and the source's too."""
    mine = user_networks(case, case.source)
    return tuple(each for each in user_networks(case, container) if each in mine)


def connect_commands(case: Case) -> tuple[str, ...]:
    """Return the lines that put both on one network; nothing where they are, or the destination is on none.

    One whose members the engine keeps apart (icc) would not help: it is the last choice, with a new one in its place.
    """
    container, theirs = case.source, networks_of(case, case.destination)
    if container is None or not theirs or set(theirs) & set(networks_of(case, container)):
        return ()
    if container.mode not in {Mode.OWN, Mode.SHARED}:
        return ()  # The engine connects no network to a stack of mode host or none.
    # The default network takes members by connect too, but gives them no names.
    open_to_all = [each for each in theirs if not _keeps_apart(case, each)]
    best = next((each for each in open_to_all if not is_default(case, each)), None)
    mine = [each for each in user_networks(case, container) if not _keeps_apart(case, each)]
    target = case.destination
    if best is None and mine:
        return (_connect(case, mine[0], target),) if target else ()
    if best is None and not open_to_all and target is not None and target.mode in {Mode.OWN, Mode.SHARED}:
        return _on_a_new_one(case, container, target)
    return (_connect(case, best or [*open_to_all, *theirs][0], container),)


def outward_commands(case: Case) -> tuple[str, ...]:
    """Return the line that puts a source on a network that leads out; nothing where it has one, or can have none."""
    container = case.source
    mine = networks_of(case, container)
    ways = [each.name for each in case.topology.networks if each.bridge and not each.internal]
    if container is None or not mine or container.mode not in {Mode.OWN, Mode.SHARED} or set(mine) & set(ways):
        return ()
    ways.sort(key=lambda name: not is_default(case, name))
    return (_connect(case, ways[0], container),) if ways else ()


def naming_commands(case: Case, target: Container) -> tuple[str, ...]:
    """Return the lines after which the source knows the target by name; nothing where no network can do that.

    The engine connects no network to a stack of mode host or none.
    """
    source = case.source
    if source is None or common_networks(case, target) or not {source.mode, target.mode} <= {Mode.OWN, Mode.SHARED}:
        return ()
    if theirs := user_networks(case, target):
        return (_connect(case, theirs[0], source),)
    if mine := user_networks(case, source):
        return (_connect(case, mine[0], target),)
    return _on_a_new_one(case, source, target)


def rejoin_commands(case: Case, network: str, container: Container) -> tuple[str, ...]:
    """Return the lines that take a container off a network and put it back."""
    leave = f"{case.command} network disconnect {shlex.quote(network)} {shlex.quote(container.name)}"
    return leave, _connect(case, network, container)


def inside(case: Case, sandbox: SandboxId, command: str) -> str:
    """Write a command so that it is done in this network stack."""
    if sandbox == HOST:
        return command
    if all(each.sandbox != sandbox for each in case.topology.containers) and " " in sandbox:
        return say(
            "in the namespace of {sandbox}, which the engine keeps (ls /run/docker/netns): {command}",
            sandbox=sandbox,
            command=command,
        )
    return f"nsenter -t $({case.command} inspect -f '{{{{.State.Pid}}}}' {shlex.quote(sandbox)}) -n {command}"


def _connect(case: Case, network: str, container: Container) -> str:
    """Write the line for the container that owns the stack: the engine connects no other."""
    owner = container.shares_with or container.name
    return f"{case.command} network connect {shlex.quote(network)} {shlex.quote(owner)}"


def _on_a_new_one(case: Case, source: Container, target: Container) -> tuple[str, ...]:
    network = _free_name(case)
    return (
        f"{case.command} network create {network}",
        _connect(case, network, source),
        _connect(case, network, target),
    )


def _keeps_apart(case: Case, network: str) -> bool:
    return any(each.name == network and not each.icc for each in case.topology.networks)


def _free_name(case: Case) -> str:
    taken = {each.name for each in case.topology.networks}
    name, number = NEW_NETWORK, 1
    while name in taken:
        number += 1
        name = f"{NEW_NETWORK}{number}"
    return name
