"""A packet is sent to a MAC address that its destination does not have, or to a port that it is not behind.

What: a neighbour cache (ARP or ND) or a bridge's forwarding table holds something else than kernel and engine say.
Why: an entry outlived a container that came back with another MAC, or somebody wrote a permanent one.
On the wire: unicast to a MAC address that no port has: the bridge floods it, and every stack drops it as not its own;
or unicast that leaves by another port than the one its destination is behind. No ARP question is asked.
Remedy: delete the entry; the right one is learned with the next packet.
"""

import shlex
from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.neighbours import claims
from inspector.model.path import Path, Seen
from inspector.model.question import Heading
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.stations import holders_of_mac, is_whole, macs_for, segment_of
from inspector.model.topology import HOST, LinkKey, Neighbour


def detect(case: Case) -> Finding | None:
    """Look at every packet where a stack chose its MAC, then at where the bridges sent it."""
    for path in case.paths:
        for hop in _chosen(path):
            if (finding := _cache(case, hop)) is not None:
                return finding
    if case.verdict.outcome is Outcome.DELIVERED:
        return None
    return next((found for path in case.paths for hop in path.seen if (found := _table(case, path, hop))), None)


def _chosen(path: Path) -> Iterator[Seen]:
    """Yield the hops whose destination MAC is out of the cache of the stack they are in."""
    for number, hop in enumerate(path.seen):
        if hop.heading is Heading.OUT and (number == 0 or hop.routed):
            yield hop


def _cache(case: Case, hop: Seen) -> Finding | None:
    link = case.topology.link(hop.point.link)
    bridge = segment_of(case.topology, link) if link else None
    entry = _entry(case, hop)
    if link is None or bridge is None or entry is None:
        return None
    right = macs_for(case.topology, bridge, entry.address)
    # Whoever answers for an address with another MAC makes it a duplicate one, not a stale one.
    if not right or hop.destination_mac in right or hop.destination_mac in claims(case.talk, entry.address):
        return None
    where, holders = _named(case, bridge), holders_of_mac(case.topology, bridge, hop.destination_mac)
    whose = say("{sandbox}'s", sandbox=holders[0].sandbox) if holders else say("nobody's on {where}", where=where)
    return _finding(
        case,
        certain=bool(holders) or is_whole(case.topology, bridge),
        title=say(
            "{sandbox} sends to {mac} for {address}: that MAC is {whose}",
            sandbox=hop.point.sandbox,
            mac=hop.destination_mac,
            address=entry.address,
            whose=whose,
        ),
        evidence=(
            say(
                "neighbour cache of {sandbox}: {address} is {mac} on {link} ({state})",
                sandbox=hop.point.sandbox,
                address=entry.address,
                mac=entry.mac,
                link=link.name,
                state=entry.state,
            ),
            say(
                "seen at {point}: a packet for {destination} to {mac}",
                point=hop.point,
                destination=hop.destination,
                mac=hop.destination_mac,
            ),
            say(
                "kernel and engine: {address} on {where} is {right}",
                address=entry.address,
                where=where,
                right=", ".join(sorted(right)),
            ),
        ),
        remedy=inside(case, hop.point.sandbox, f"ip neigh del {entry.address} dev {shlex.quote(link.name)}"),
    )


def _entry(case: Case, hop: Seen) -> Neighbour | None:
    """Find the line of the cache that gave the packet its MAC."""
    stack = case.topology.sandbox(hop.point.sandbox)
    known = (*(stack.neighbours if stack else ()), *case.recording.aftermath.neighbours)
    wanted = (hop.point.link, hop.destination_mac)
    of_trace = case.recording.plan.neighbours
    return next((each for each in known if (each.link, each.mac) == wanted and each.address in of_trace), None)


def _table(case: Case, path: Path, hop: Seen) -> Finding | None:
    """Compare a bridge's table with where the destination is, for a packet that never left by that port."""
    bridge = case.topology.link(hop.point.link)
    entries = (*case.recording.aftermath.fdb, *(host.fdb if (host := case.topology.sandbox(HOST)) else ()))
    if bridge is None or hop.point.link not in {each.bridge for each in entries}:
        return None
    holders = holders_of_mac(case.topology, bridge.key, hop.destination_mac)
    port = case.topology.link(holders[0].peer) if len(holders) == 1 else None
    if port is None or any(each.point.link == port.key and each.heading is Heading.OUT for each in path.seen):
        return None
    for entry in entries:
        wrong = case.topology.link(entry.port)
        if (entry.bridge, entry.mac) == (bridge.key, hop.destination_mac) and wrong and wrong.key != port.key:
            return _finding(
                case,
                certain=not entry.learned,
                title=say(
                    "{bridge} sends {mac} to {wrong}: {sandbox} is behind {port}",
                    bridge=bridge.name,
                    mac=entry.mac,
                    wrong=wrong.name,
                    sandbox=holders[0].sandbox,
                    port=port.name,
                ),
                evidence=(
                    say(
                        "FDB of {bridge}: {mac} is behind {wrong} ({kind})",
                        bridge=bridge.name,
                        mac=entry.mac,
                        wrong=wrong.name,
                        kind=_kind(entry.learned),
                    ),
                    say(
                        "rtnetlink: {sandbox}/{link} has {mac}, its other end is {port}",
                        sandbox=holders[0].sandbox,
                        link=holders[0].name,
                        mac=entry.mac,
                        port=port.name,
                    ),
                    say(
                        "seen at {point}, never out at {sandbox}/{port}",
                        point=hop.point,
                        sandbox=port.sandbox,
                        port=port.name,
                    ),
                ),
                remedy=inside(case, bridge.sandbox, f"bridge fdb del {entry.mac} dev {shlex.quote(wrong.name)} master"),
            )
    return None


def _finding(case: Case, *, certain: bool, title: str, evidence: tuple[str, ...], remedy: str) -> Finding:
    return Finding(
        id="stale-neighbour",
        severity=Severity.WARNING if case.verdict.outcome is Outcome.DELIVERED else Severity.ERROR,
        confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
        title=title,
        evidence=evidence,
        remedy=(remedy,),
    )


def _kind(learned: bool) -> str:  # noqa: FBT001 - the entry's own word
    return say("learned") if learned else say("configured")


def _named(case: Case, bridge: LinkKey) -> str:
    link = case.topology.link(bridge)
    return f"{link.sandbox}/{link.name}" if link else say("the link")
