"""A subnet of the engine covers an address that is somewhere else.

What: a host of the LAN or a VPN is looked for on a bridge of the engine, where it is not.
Why: the subnet of a network was chosen (or given by the engine's pool) so that it covers the address, too.
On the wire: ARP for the address on the bridge, and no answer; no packet takes the other way.
Remedy: give the network another subnet.
"""

import shlex
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from inspector.explain.case import Case
from inspector.explain.mending import DEFAULT_NETWORK
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.stations import segment_of
from inspector.model.topology import HOST, Link, LinkKey, LinkKind, Network, Prefix, Route, Topology

POOL = IPv4Network("10.0.0.0/8")
"""Where another subnet is looked for (RFC 1918)."""


def detect(case: Case) -> Finding | None:
    """Look for an address that nobody answers for on a network's bridge, and that the host has another way to."""
    address = case.recording.plan.destination.address
    if case.verdict.reason != "neighbour unanswered" or address is None or _is_known(case.topology, address):
        return None
    for bridge in _asked_on(case, address):
        network, link = case.topology.network_of(bridge), case.topology.link(bridge)
        covering = _covering(network, address) if network else None
        other = _other_way(case.topology, bridge, address)
        if network is None or link is None or covering is None or other is None:
            continue
        device = next(each.name for each in _links(case.topology) if each.key == LinkKey(HOST, other.ifindex))
        via = f" via {other.gateway}" if other.gateway else ""
        return Finding(
            id="subnet-overlap",
            severity=Severity.ERROR,
            confidence=Confidence.LIKELY,
            title=say(
                "{address} is looked for on {link}: {covering} of {network} covers it, as does the "
                "host's {route} on {device}",
                address=address,
                link=link.name,
                covering=covering,
                network=network.name,
                route=other.destination,
                device=device,
            ),
            evidence=(
                say(
                    "ARP or ND for {address} on {link}: asked, not answered; the engine gave it to nobody",
                    address=address,
                    link=link.name,
                ),
                say("the host's route: {route}", route=f"{other.destination}{via} dev {device}"),
                say("the engine: {network} has the subnet {covering}", network=network.name, covering=covering),
            ),
            remedy=_remedy(case.topology, network, case.command),
        )
    return None


def _is_known(topology: Topology, address: str) -> bool:
    """Whether a container or a gateway of the engine has the address: then its network is where it belongs."""
    given = {one for each in topology.containers for end in each.endpoints for one in end.addresses}
    return address in given | {subnet.gateway for each in topology.networks for subnet in each.subnets}


def _asked_on(case: Case, address: str) -> Iterator[LinkKey]:
    asked = [each.point.link for each in case.talk if each.asks and each.target == address]
    asked += [point.link for target, point in case.recording.unresolved() if target == address]
    for key in dict.fromkeys(asked):
        link = case.topology.link(key)
        if link and (bridge := segment_of(case.topology, link)):
            yield bridge


def _covering(network: Network, address: str) -> Prefix | None:
    return next((each.prefix for each in network.subnets if ip_address(address) in each.prefix), None)


def _other_way(topology: Topology, bridge: LinkKey, address: str) -> Route | None:
    """Return the host's most exact route to the address that is neither the default nor on an engine's bridge."""
    host = topology.sandbox(HOST)
    own = {each.key.ifindex for each in _links(topology) if _is_beside(topology, each.key, each.kind) and each.up}
    fitting = [
        each
        for each in (host.routes if host else ())
        if not each.local
        and each.destination.prefixlen
        and ip_address(address) in each.destination
        and each.ifindex in own
        and each.ifindex != bridge.ifindex
    ]
    return max(fitting, key=lambda each: each.destination.prefixlen, default=None)


def _is_beside(topology: Topology, key: LinkKey, kind: LinkKind) -> bool:
    return kind is not LinkKind.LOOPBACK and topology.network_of(key) is None


def _links(topology: Topology) -> tuple[Link, ...]:
    host = topology.sandbox(HOST)
    return host.links if host else ()


def _remedy(topology: Topology, network: Network, command: str) -> tuple[str, ...]:
    free = _free_subnet(topology)
    if network.name == DEFAULT_NETWORK:
        gateway = next(free.hosts())
        return (
            say(
                '"bip": "{gateway}/{length}" in the engine\'s daemon.json, and restart the engine',
                gateway=gateway,
                length=free.prefixlen,
            ),
        )
    name = shlex.quote(network.name)
    members = [
        shlex.quote(each.name)
        for each in topology.containers
        if each.shares_with is None and any(end.network == network.name for end in each.endpoints)
    ]
    internal = " --internal" if network.internal else ""
    return (
        *(f"{command} network disconnect -f {name} {each}" for each in members),
        f"{command} network rm {name}",
        f"{command} network create --driver {shlex.quote(network.driver)}{internal} --subnet {free} {name}",
        *(f"{command} network connect {name} {each}" for each in members),
    )


def _free_subnet(topology: Topology) -> IPv4Network:
    """Return the first /24 that no route of the host and no subnet of the engine touches."""
    host = topology.sandbox(HOST)
    taken = [each.destination for each in (host.routes if host else ()) if each.destination.prefixlen]
    taken += [subnet.prefix for each in topology.networks for subnet in each.subnets]
    used = [each for each in taken if isinstance(each, IPv4Network)]
    return next(each for each in POOL.subnets(new_prefix=24) if not any(each.overlaps(other) for other in used))
