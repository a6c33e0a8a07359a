"""Nobody on the link has the address.

What: the sender asks for a MAC address (ARP, or ND in IPv6) and nobody answers.
Why: no such host on that network, or it is down, or lost its address, or the subnet is not the one that was meant.
Remedy: a restart gives a container back the address that it lost; else look who has which address.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.findings import (
    hosts_file_stale,
    ipv6_neighbour_filtered,
    macvlan_host_isolation,
    stale_neighbour,
    subnet_overlap,
)
from inspector.explain.tunnels import silent_next_hop
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Container

MORE_PRECISE = (
    hosts_file_stale.detect,
    macvlan_host_isolation.detect,
    subnet_overlap.detect,
    ipv6_neighbour_filtered.detect,
    stale_neighbour.detect,
)
"""What may say why nobody answered; more than that nobody did."""


def detect(case: Case) -> Finding | None:
    """Look for a question without an answer, in a trace that nobody answered."""
    unanswered = [
        (say("ARP or ND for {address} at {point}: asked, not answered", address=address, point=point), address)
        for address, mac, point in case.resolutions
        if mac is None and not _is_barred(case, point)
    ]
    unanswered += [
        (say("the neighbour cache has no MAC address for {address} on {point}", address=address, point=point), address)
        for address, point in case.recording.unresolved()
        if not _is_barred(case, str(point))
    ]
    if silent_next_hop(case) is not None:
        return None
    if not unanswered or case.verdict.reason != "neighbour unanswered":
        return None
    evidence, address = unanswered[0]
    if any((found := precise(case)) and _is_told(found, address) for precise in MORE_PRECISE):
        return None
    holders = [each for each in case.topology.containers for end in each.endpoints if address in end.addresses]
    known = (
        say("the engine says it is {holder}'s", holder=holders[0].name)
        if holders
        else say("the engine knows nobody with it")
    )
    lost = [each for each in holders if _has_lost(case, each, address)]
    without = tuple(
        say("rtnetlink: no interface of {container} has {address}", container=each.name, address=address)
        for each in lost
    )
    return Finding(
        id="neighbour-unanswered",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say("nobody on the link answers for {address}", address=address),
        evidence=(evidence, known, *without),
        remedy=tuple(f"{case.command} restart {shlex.quote(each.name)}" for each in lost)
        or (say("dnetsniff ls   # who has which address"),),
    )


def _is_told(found: Finding, address: str) -> bool:
    """Whether a finding is about the address; a wrong line of a cache or table misleads answers about any."""
    words = " ".join((found.title, *found.evidence)).split()
    return found.id == "stale-neighbour" or address in {each.rstrip(":,;") for each in words}


def _has_lost(case: Case, container: Container, address: str) -> bool:
    """Whether a running container's stack was looked into, and does not have the address that the engine gave it."""
    stack = case.topology.sandbox(container.sandbox) if container.sandbox else None
    own = {str(each.ip) for link in (stack.links if stack else ()) for each in link.addresses}
    return container.running and bool(own) and address not in own


def _is_barred(case: Case, asker: str) -> bool:
    """Whether a link that is down, or a port that does not forward, is between who asks and whom: it tells more."""
    plan = case.recording.plan
    steps = (*plan.request, *plan.beyond[:1])
    at = next((number for number, each in enumerate(steps) if str(each.point) == asker), None)
    return bool(plan.barrier) and at is not None and not any(each.routed for each in steps[at + 1 :])
