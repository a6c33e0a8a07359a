"""The source cannot resolve the name.

What: whoever was asked says that there is no such name, or has no address of it.
Why: only containers on a common user-defined network know each other by name. The default network has no embedded DNS,
and the embedded DNS of a network does not know the containers of another, those that are stopped, or those that use
the stack of the host or of another container.
On the wire: the query goes to an upstream server, from the container or on its behalf, and NXDOMAIN comes back.
Remedy: put both on one user-defined network; start what is stopped; or write the name as it is.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.lookups import asks_engine, evidence, is_unresolved, said_no, target_of, wanted
from inspector.explain.mending import common_networks, naming_commands, user_networks
from inspector.model.lookup import EMBEDDED_DNS
from inspector.model.naming import nearest_names
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import join, say
from inspector.model.topology import HOST, Container, Mode

ADDRESSES = frozenset({"A", "AAAA"})


def detect(case: Case) -> Finding | None:
    """Look for a lookup of addresses to which everybody who was asked said no."""
    names = case.names
    if names is None or not is_unresolved(case) or not ADDRESSES & set(names.types):
        return None
    if not wanted(names) or not all(map(said_no, wanted(names))) or _is_known(case):
        return None
    target = target_of(case)
    cause, remedy = _container(case, target) if target else _nobody(case)
    shown_all_the_same = case.recording.plan.resolution.mechanism == "engine"
    return Finding(
        id="name-not-resolvable",
        severity=Severity.WARNING if shown_all_the_same else Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say(
            "{source} cannot resolve {name}: {cause}",
            source=case.recording.plan.source.label,
            name=names.name,
            cause=cause,
        ),
        evidence=evidence(names),
        remedy=remedy,
    )


def _is_known(case: Case) -> bool:
    """Whether the embedded DNS knows the name itself, and has nothing of the one type that was asked for."""
    asked = wanted(case.names) if case.names else ()
    local = [each for each in asked if asks_engine(case, each) and not each.forwarded]
    return any(each.message is not None and each.message.rcode == "NOERROR" for each in local)


def _container(case: Case, target: Container) -> tuple[str, tuple[str, ...]]:
    """Say why a container is not known by its name, and what to type."""
    if not target.running:
        start = f"{case.command} start {shlex.quote(target.name)}"
        return say(
            "{target} is {state}, and only running containers have names", target=target.name, state=target.state
        ), (start,)
    if case.recording.plan.source.sandbox == HOST:
        return say("the host's resolver does not ask the engine"), (say("use its address: dnetsniff ls"),)
    match target.mode:
        case Mode.SHARED:
            owner = say("ask for {shares_with}, whose address is the same", shares_with=target.shares_with)
            cause = say(
                "{target} uses the network stack of {shares_with}, and has no name of its own",
                target=target.name,
                shares_with=target.shares_with,
            )
            return cause, (*naming_commands(case, target), owner)
        case Mode.HOST:
            add = f"{case.command} run --add-host {shlex.quote(f'{target.name}:host-gateway')}"
            return say("{target} uses the host's network stack, and has no name on a network", target=target.name), (
                add,
            )
        case Mode.NONE:
            cause = say("{target} was started with --network none, and has no address", target=target.name)
            return cause, (say("start {target} again without --network none", target=target.name),)
        case Mode.OWN:
            return _apart(case, target)


def _apart(case: Case, target: Container) -> tuple[str, tuple[str, ...]]:
    local = any(asks_engine(case, each) for each in (wanted(case.names) if case.names else ()))
    if common_networks(case, target):
        if local:
            return say("it is on a network with it, and its resolver does not know it"), ()
        cause = say("it is on a network with it, and its /etc/resolv.conf does not name the embedded DNS")
        server = next(iter(case.names.setup.own_servers if case.names else ()), EMBEDDED_DNS)
        return cause, (
            say("take the mounted /etc/resolv.conf away, or write `nameserver {server}` there", server=server),
        )
    if user_networks(case, case.source):
        cause = say("{target} is on no network that has names in common with it", target=target.name)
    elif local:
        # A container that was on a user-defined network before keeps 127.0.0.11 in its file (Engine 20.10, measured).
        cause = say("the embedded DNS knows no names of the default network")
    else:
        cause = say("on the default network there is no embedded DNS")
    return cause, naming_commands(case, target)


def _nobody(case: Case) -> tuple[str, tuple[str, ...]]:
    name = case.names.name if case.names else ""
    near = nearest_names(case.topology.containers, name)
    remedy = (
        say("did you mean {near}?", near=join(" or ", near))
        if near
        else say("check how the name is written, and who should know it")
    )
    return say("no container has that name, and no server knows it"), (remedy,)
