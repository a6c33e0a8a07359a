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
    protocol = "ARP" if case.recording.plan.family == 4 else "ND"  # noqa: PLR2004
    for address, mac, point in case.resolutions:
        if mac is None:
            yield Fact(f"{protocol}: somebody asked for {address} on {point}, and nobody answered", (point,))
        else:
            yield Fact(f"{protocol}: {address} was asked for on {point}; {mac} answered", (point,))


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
            name = " and ".join(crossed)
            yield Fact(f"{name} forwarded it at layer 2: TTL still {end.ttl}, MAC addresses unchanged", evidence)
        return
    for before, after in pairwise(seen):
        if after.ttl == before.ttl - 1:
            who = case.topology.link(_owner(case, before))
            by = f"{before.point.sandbox} routed it"
            via = f" as gateway {who.mac}" if who and who.mac == before.destination_mac else ""
            yield Fact(
                f"{by}{via}: TTL {before.ttl} became {after.ttl}, new MAC addresses, from {before.point.interface} "
                f"to {after.point.interface}",
                (str(before.point), str(after.point)),
            )


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
        target = path.seen[0].destination_mac if path else "the destination"
        yield Fact(
            f"the first request was also flooded to {names}: the bridge had not learned {target} yet", case.floods
        )
    elif (
        path
        and case.recording.plan.kind is PathKind.SWITCHED
        and path.hops[-1] in path.seen
        and (watched := _watched_bystanders(case))
    ):
        others = "1 other port" if len(watched) == 1 else f"{len(watched)} other ports"
        text = f"the request went to one port alone; {others} of the bridge saw no copy"
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
        verb = "knew already" if (entry.port, entry.mac) in before else "learned"
        port, bridge = case.topology.link(entry.port), case.topology.link(entry.bridge)
        if entry.learned and entry.mac in wanted and entry.port in on_way and port and bridge:
            whose = behind(case, entry.port)
            owner = f" ({whose})" if whose else ""
            yield Fact(
                f"{bridge.name} {verb}: {entry.mac}{owner} is behind port {port.name}", (f"{HOST}/{bridge.name}: FDB",)
            )


def _way_back(case: Case) -> Iterator[Fact]:
    """For an end with several interfaces: which one carried the request, and which one the answer."""
    request, reply = first(case, Direction.REQUEST), first(case, Direction.REPLY)
    for container in (case.source, case.destination):
        if container is None or len(case.endpoints(container)) < 2:  # noqa: PLR2004
            continue
        went = [hop for hop in (request.seen if request else ()) if hop.point.sandbox == container.sandbox]
        came = [hop for hop in (reply.seen if reply else ()) if hop.point.sandbox == container.sandbox]
        if went and came:
            same = went[0].point == came[-1].point
            yield Fact(
                f"{container.name} is on {len(case.endpoints(container))} networks: the request passed its "
                f"{went[0].point.interface}, the answer its {came[-1].point.interface}"
                + (" (the same)" if same else " (another one)"),
                (str(went[0].point), str(came[-1].point)),
            )
