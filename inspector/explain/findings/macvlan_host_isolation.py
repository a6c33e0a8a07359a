"""The host and a macvlan or ipvlan container cannot talk to each other.

What: neither reaches the other, while other machines on the same network reach both.
Why: what such a link sends goes out by its parent interface, and what comes in there is given to it before the host's
own stack sees it: between the two nothing passes, by design.
On the wire: the question for a MAC address (ARP, ND) leaves by the parent interface, and nobody answers.
Remedy: give the host a macvlan link of its own on that parent, and send what is for the container over it.
"""

import shlex

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, SHARING, Link, LinkKind

STOPPED = frozenset({Outcome.DROPPED, Outcome.LOST, Outcome.UNANSWERED, Outcome.REJECTED})
NEW_LINK = "macvlan-host"
"""What the host's own link is called, where that name is free."""


def detect(case: Case) -> Finding | None:
    """Look for a trace between the host and such a link that ended at their parent."""
    plan = case.recording.plan
    ends = (plan.source.sandbox, plan.destination.sandbox)
    if case.verdict.outcome not in STOPPED or HOST not in ends:
        return None
    from_host = plan.source.sandbox == HOST
    address = plan.destination.address if from_host else plan.source.address
    child = _child(case, address)
    parent = case.topology.link(child.parent) if child else None
    last = plan.request[-1].point.link if plan.request else None
    if child is None or parent is None or parent.sandbox != HOST or last != parent.key or address is None:
        return None
    asked: list[str] = [
        say("{address} was asked for at {point}, and nobody answered", address=who, point=where)
        for who, mac, where in case.resolutions
        if not mac
    ]
    if not asked:
        asked = [
            say("the neighbour cache has no MAC address for {address} on {point}", address=who, point=at)
            for who, at in case.recording.unresolved()
        ]
    return Finding(
        id="macvlan-host-isolation",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if asked else Confidence.LIKELY,
        title=say(
            "host and {sandbox} cannot talk: {sandbox}/{link} is a {kind} link on host/{parent}, and "
            "nothing passes between such a link and the stack of its parent",
            sandbox=child.sandbox,
            link=child.name,
            kind=child.kind,
            parent=parent.name,
        ),
        evidence=(
            say(
                "rtnetlink: {sandbox}/{link} is {kind} on host/{parent}",
                sandbox=child.sandbox,
                link=child.name,
                kind=child.kind,
                parent=parent.name,
            ),
            *asked,
        ),
        remedy=_remedy(case, child, parent, address),
    )


def _child(case: Case, address: str | None) -> Link | None:
    """Return the link that has the container's address, where it is a macvlan or ipvlan link."""
    links = (each for stack in case.topology.sandboxes if stack.id != HOST for each in stack.links)
    shared = (each for each in links if each.kind in SHARING)
    return next((each for each in shared if address in {str(own.ip) for own in each.addresses}), None)


def _remedy(case: Case, child: Link, parent: Link, address: str) -> tuple[str, ...]:
    """Write the lines: a link of the host's own if it has none there, and a route that is longer than the parent's."""
    mine = [each for each in case.topology.children(parent.key) if each.sandbox == HOST and each.kind is child.kind]
    version = 6 if ":" in address else 4
    own = next((str(each.ip) for each in parent.addresses if each.version == version and not each.is_link_local), None)
    ip = "ip -6" if version == 6 else "ip"  # noqa: PLR2004
    length, source = (128 if version == 6 else 32), f" src {own}" if own else ""  # noqa: PLR2004
    name = mine[0].name if mine else _free_name(case)
    mode = "bridge" if child.kind is LinkKind.MACVLAN else child.mode or "l2"
    make = (
        f"ip link add {name} link {shlex.quote(parent.name)} type {child.kind} mode {mode}",
        f"ip link set {name} up",
    )
    return (*(() if mine else make), f"{ip} route add {address}/{length} dev {shlex.quote(name)}{source}")


def _free_name(case: Case) -> str:
    host = case.topology.sandbox(HOST)
    taken = {each.name for each in (host.links if host else ())}
    return next(name for number in range(len(taken) + 1) if (name := f"{NEW_LINK}{number or ''}") not in taken)
