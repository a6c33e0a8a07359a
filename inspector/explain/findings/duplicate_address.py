"""One address, or one MAC address, is in two places.

What: two stations of one network answer for the same IP address, or have the same MAC address.
Why: an address that somebody added by hand; `--mac-address` given twice; a cloned machine on the same link.
On the wire: one ARP question with two answers; or frames for one MAC that leave now by one port, now by the other.
Remedy: take it away from one of the two, and forget what was learned.
"""

import shlex
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.neighbours import claims
from inspector.model.question import CapturePoint
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import join, say
from inspector.model.stations import holders_of_mac, macs_for, segment_of, stations_on
from inspector.model.topology import HOST, Link, LinkKey


def detect(case: Case) -> Finding | None:
    """Look at who answered for the trace's addresses, then at the MACs of its bridges' stations."""
    for address in case.recording.plan.neighbours:
        if (finding := _address(case, address)) is not None:
            return finding
    bridges = {
        bridge
        for step in case.recording.plan.request
        if (link := case.topology.link(step.point.link)) and (bridge := segment_of(case.topology, link))
    }
    return next((found for each in sorted(bridges, key=_order) if (found := _mac(case, each))), None)


def _address(case: Case, address: str) -> Finding | None:
    by_segment: dict[LinkKey, dict[str, CapturePoint]] = {}
    for mac, point in claims(case.talk, address).items():
        link = case.topology.link(point.link)
        if (bridge := segment_of(case.topology, link) if link else None) is not None:
            by_segment.setdefault(bridge, {})[mac] = point
    for bridge, macs in by_segment.items():
        owners = {mac: holders_of_mac(case.topology, bridge, mac) for mac in macs}
        stacks = {each[0].sandbox if each else mac for mac, each in owners.items()}
        # One stack with two interfaces on a link answers by both (arp_ignore 0).
        if len(macs) > 1 and len(stacks) > 1:
            return _twice(case, bridge, address, macs, owners)
    return None


def _twice(
    case: Case,
    bridge: LinkKey,
    address: str,
    macs: dict[str, CapturePoint],
    owners: dict[str, tuple[Link, ...]],
) -> Finding:
    whose: dict[str, str] = {
        mac: f"{each[0].sandbox}/{each[0].name}" if each else say("nobody we know") for mac, each in owners.items()
    }
    right = _right(case, bridge, address)
    wrong = [each[0] for mac, each in owners.items() if each and right and mac not in right]
    # Without the length of its prefix `ip` takes an IPv4 address away all the same, and no IPv6 address.
    mend = [
        inside(case, each.sandbox, f"ip addr del {address} dev {shlex.quote(each.name)}")
        if ip_address(address).version == 4  # noqa: PLR2004
        else f"{case.command} restart {shlex.quote(each.sandbox)}"
        for each in wrong
    ]
    asker = next((each.point.sandbox for each in case.talk if each.asks and each.target == address), None)
    forget = [inside(case, asker, f"ip neigh flush to {address}")] if asker and mend else []
    return _finding(
        case,
        title=say(
            "{count} stations say that {address} is theirs: {holders}",
            count=len(macs),
            address=address,
            holders=join(", ", sorted(whose.values())),
        ),
        evidence=(
            *(
                say(
                    "ARP or ND at {point}: {address} is at {mac} ({whose})",
                    point=point,
                    address=address,
                    mac=mac,
                    whose=whose[mac],
                )
                for mac, point in macs.items()
            ),
            *(
                (say("kernel and engine: {address} is {right}", address=address, right=", ".join(sorted(right))),)
                if right
                else ()
            ),
        ),
        remedy=(*mend, *forget) or (say("give all but one of them another address than {address}", address=address),),
    )


def _right(case: Case, bridge: LinkKey, address: str) -> frozenset[str]:
    """Return the MAC that the engine gave the address to; without its word, the one that a kernel has it with."""
    network = case.topology.network_of(bridge)
    engine = frozenset(
        each.mac
        for container in case.topology.containers
        for each in container.endpoints
        if network and each.network == network.name and address in each.addresses and each.mac
    )
    known = engine or macs_for(case.topology, bridge, address)
    return known if len(known) == 1 else frozenset()


def _mac(case: Case, bridge: LinkKey) -> Finding | None:
    plan = case.recording.plan
    ends = {plan.source.sandbox, plan.destination.sandbox} - {HOST, None}
    for end in stations_on(case.topology, bridge):
        same = holders_of_mac(case.topology, bridge, end.mac)
        if end.sandbox not in ends or len({each.sandbox for each in same}) < 2:  # noqa: PLR2004
            continue
        named, behind = _names(same), case.topology.link(bridge)
        other = next(each for each in same if each.sandbox != end.sandbox)
        seen = [each for each in case.recording.aftermath.fdb if (each.bridge, each.mac) == (bridge, end.mac)]
        ports = [link.name for each in seen if (link := case.topology.link(each.port))]
        return _finding(
            case,
            title=say(
                "{holders} have one MAC address, {mac}, on {bridge}",
                holders=named,
                mac=end.mac,
                bridge=behind.name if behind else say("one link"),
            ),
            evidence=(
                say("rtnetlink: {holders} have {mac}", holders=named, mac=end.mac),
                *(say("FDB: {mac} is behind {port}, one port for both", mac=end.mac, port=each) for each in ports),
            ),
            remedy=(
                inside(case, other.sandbox, f"ip link set {shlex.quote(other.name)} address {_free_mac(case)}"),
                say(
                    "start {other} without that --mac-address: the line above holds until it restarts",
                    other=other.sandbox,
                ),
            ),
        )
    return None


def _finding(case: Case, *, title: str, evidence: tuple[str, ...], remedy: tuple[str, ...]) -> Finding:
    return Finding(
        id="duplicate-address",
        severity=Severity.WARNING if case.verdict.outcome is Outcome.DELIVERED else Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=title,
        evidence=evidence,
        remedy=remedy,
    )


def _names(links: tuple[Link, ...]) -> str:
    return join(" and ", sorted(f"{each.sandbox}/{each.name}" for each in links))


def _free_mac(case: Case) -> str:
    """Return a locally administered unicast MAC (IEEE 802, bit 2 of the first octet) that no known link has."""
    taken = {link.mac for stack in case.topology.sandboxes for link in stack.links}
    number = 1
    while (mac := f"02:00:00:00:{number >> 8:02x}:{number & 0xFF:02x}") in taken:
        number += 1
    return mac


def _order(key: LinkKey) -> int:
    return key.ifindex
