"""Tell what the network did, in sentences. Pure.

1. Only what was observed; each sentence names the points, the frames or the table it stands on.
2. What a table says afterwards is told as the table's word.
"""

from collections.abc import Iterator
from itertools import pairwise

from inspector.explain.again import sent_again
from inspector.explain.case import Case
from inspector.explain.sizes import carried
from inspector.explain.translating import translated
from inspector.model.path import Direction, Path, Seen
from inspector.model.question import CapturePoint, PathKind
from inspector.model.report import Fact
from inspector.model.sentence import join, say
from inspector.model.topology import HOST, LinkKey


def narrate(case: Case) -> tuple[Fact, ...]:
    """Return the story of a recording."""
    return tuple(
        fact
        for part in (_address_resolution, _forwarding, _flooding, _learning, _way_back, translated, sent_again, carried)
        for fact in part(case)
    )


def holder_of(case: Case, point: CapturePoint) -> str:
    """Name the container behind a bridge port, where it is known."""
    return behind(case, point.link) or str(point)


def behind(case: Case, key: LinkKey) -> str | None:
    """Return the sandbox at the other end of a veth pair."""
    link = case.topology.link(key)
    return link.peer.sandbox if link and link.peer else None


def first(case: Case, direction: Direction) -> Path | None:
    """Return the first path of a direction that was seen anywhere."""
    return next((path for path in case.paths if path.direction is direction and path.seen), None)


def _address_resolution(case: Case) -> Iterator[Fact]:
    for address, mac, point in case.resolutions:
        protocol = "ND" if ":" in address else "ARP"
        if mac is None:
            yield Fact(
                say(
                    "{protocol}: somebody asked for {address} on {point}, and nobody answered",
                    protocol=protocol,
                    address=address,
                    point=point,
                ),
                (point,),
            )
        else:
            yield Fact(
                say(
                    "{protocol}: {address} was asked for on {point}; {mac} answered",
                    protocol=protocol,
                    address=address,
                    point=point,
                    mac=mac,
                ),
                (point,),
            )


def _forwarding(case: Case) -> Iterator[Fact]:
    path = first(case, Direction.REQUEST)
    seen = path.seen if path else ()
    if len(seen) < 2 or case.recording.plan.kind is PathKind.LOOPBACK:  # noqa: PLR2004 - one sighting shows no change
        return
    start, end = seen[0], seen[-1]
    evidence = (str(start.point), str(end.point))
    crossed = _bridges(case, seen)
    if start.ttl == end.ttl and (start.source_mac, start.destination_mac) == (end.source_mac, end.destination_mac):
        if crossed and end.point.sandbox not in {HOST, start.point.sandbox}:
            told = say(
                "{bridges} forwarded it at layer 2: TTL still {ttl}, MAC addresses unchanged",
                bridges=join(" and ", crossed),
                ttl=end.ttl,
            )
            yield Fact(told, evidence)
        return
    for before, after in pairwise(seen):
        if after.ttl == before.ttl - 1:
            who = case.topology.link(_owner(case, before))
            by = say("{sandbox} routed it", sandbox=before.point.sandbox)
            if who and who.mac == before.destination_mac:
                by = say("{sandbox} routed it as gateway {mac}", sandbox=before.point.sandbox, mac=who.mac)
            told = say(
                "{said}: TTL {before} became {after}, new MAC addresses, from {inbound} to {outbound}",
                said=by,
                before=before.ttl,
                after=after.ttl,
                inbound=before.point.interface,
                outbound=after.point.interface,
            )
            yield Fact(told, (str(before.point), str(after.point)))


def _owner(case: Case, hop: Seen) -> LinkKey:
    link = case.topology.link(hop.point.link)
    return link.bridge if link and link.bridge else hop.point.link


def _bridges(case: Case, seen: tuple[Seen, ...]) -> list[str]:
    names: dict[str, None] = {}
    for hop in seen:
        link = case.topology.link(hop.point.link)
        bridge = case.topology.link(link.bridge) if link and link.bridge else None
        if bridge:
            names.setdefault(bridge.name)
    return list(names)


def _flooding(case: Case) -> Iterator[Fact]:
    path = first(case, Direction.REQUEST)
    if case.floods:
        names = ", ".join(case.floods)
        target = path.seen[0].destination_mac if path else say("the destination")
        yield Fact(
            say(
                "the first request was also flooded to {names}: the bridge had not learned {target} yet",
                names=names,
                target=target,
            ),
            case.floods,
        )
    elif (
        path
        and case.recording.plan.kind is PathKind.SWITCHED
        and path.hops[-1] in path.seen
        and (watched := _watched_bystanders(case))
    ):
        text = say("the request went to one port alone; 1 other port of the bridge saw no copy")
        if len(watched) > 1:
            text = say(
                "the request went to one port alone; {count} other ports of the bridge saw no copy", count=len(watched)
            )
        yield Fact(text, tuple(str(point) for point in watched))


def _on_bridge(case: Case, point: CapturePoint) -> bool:
    link = case.topology.link(point.link)
    return link is not None and link.bridge is not None


def _watched_bystanders(case: Case) -> list[CapturePoint]:
    plan = case.recording.plan
    planned = {step.point.link for step in (*plan.request, *plan.reply)}
    blind = {spot.point for spot in case.recording.blind_spots}
    return [
        point
        for point in plan.points
        if point.link not in planned and _on_bridge(case, point) and str(point) not in blind
    ]


def _learning(case: Case) -> Iterator[Fact]:
    """Tell what the bridges' tables say about both ends, and whether they gained it between survey and end."""
    host = case.topology.sandbox(HOST)
    before = {(each.port, each.mac) for each in (host.fdb if host else ()) if each.learned}
    wanted = {mac for path in case.paths for hop in path.seen for mac in (hop.source_mac, hop.destination_mac)}
    on_way = {point.link for point in case.recording.plan.points}
    for entry in case.recording.aftermath.fdb:
        port, bridge = case.topology.link(entry.port), case.topology.link(entry.bridge)
        if entry.learned and entry.mac in wanted and entry.port in on_way and port and bridge:
            whose = behind(case, entry.port)
            owner = f"{entry.mac} ({whose})" if whose else entry.mac
            known = {"bridge": bridge.name, "mac": owner, "port": port.name}
            if (entry.port, entry.mac) in before:
                told = say("{bridge} knew already: {mac} is behind port {port}", **known)
            else:
                told = say("{bridge} learned: {mac} is behind port {port}", **known)
            yield Fact(told, (f"{HOST}/{bridge.name}: FDB",))


def _way_back(case: Case) -> Iterator[Fact]:
    """For an end with several interfaces: which one carried the request, and which one the answer."""
    request, reply = first(case, Direction.REQUEST), first(case, Direction.REPLY)
    for container in (case.source, case.destination):
        if container is None or len(case.endpoints(container)) < 2:  # noqa: PLR2004
            continue
        went = [hop for hop in (request.seen if request else ()) if hop.point.sandbox == container.sandbox]
        came = [hop for hop in (reply.seen if reply else ()) if hop.point.sandbox == container.sandbox]
        if went and came:
            told = say(
                "{container} is on {count} networks: the request passed its {went}, the answer its {came}",
                container=container.name,
                count=len(case.endpoints(container)),
                went=went[0].point.interface,
                came=came[-1].point.interface,
            )
            same = went[0].point == came[-1].point
            told = say("{said} (the same)", said=told) if same else say("{said} (another one)", said=told)
            yield Fact(told, (str(went[0].point), str(came[-1].point)))
