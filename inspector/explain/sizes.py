"""Where a packet came to a link that does not carry it. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from inspector.explain.case import Case
from inspector.model.path import Direction, Path, Seen, Unseen
from inspector.model.question import CapturePoint, Protocol, Step
from inspector.model.recording import Answered
from inspector.model.report import Fact, Outcome
from inspector.model.sentence import say
from inspector.model.size import links_of, narrowest, packet_length
from inspector.model.topology import Link, LinkKind
from inspector.wire import headers

_ETHERNET = 14
"""Bytes in front of the IP packet (IEEE 802.3, 3.1.1); an MTU does not count them."""

USUAL_SIZE = 56
"""What a probe carries unless it is asked to carry more, as that of ping."""


class Crossing(Struct, frozen=True):
    """A frame seen at one link, and never at the next one, which is too narrow for it."""

    last_seen: CapturePoint
    narrow: Link
    largest: int
    """Bytes of the largest IP packet (or fragment) where it was last seen."""


def crossing(case: Case) -> Crossing | None:
    """Return where the packet that came furthest met a link too narrow for it; None where that is not what is seen."""
    seen = [path for path in case.paths if path.seen]
    path = max(seen, key=lambda each: (each.direction is Direction.REPLY, _reached(each)), default=None)
    if path is None or _reached(path) + 1 >= len(path.hops):
        return None
    last, missing = path.hops[_reached(path)], path.hops[_reached(path) + 1]
    narrow = case.topology.link(missing.point.link)
    if not isinstance(last, Seen) or not isinstance(missing, Unseen) or narrow is None:
        return None
    largest = (
        max(case.recording.observations[each].wire_length for each in (last.observation, *last.pieces)) - _ETHERNET
    )
    step = _step(case, path, missing)
    cut_up = step is not None and step.routed and _may_be_cut(case, last)
    if cut_up or not narrow.mtu or largest <= narrow.mtu:
        return None
    return Crossing(last.point, narrow, largest)


def may_be_cut(case: Case) -> bool:
    """Whether routers may cut the requests up, by what was on the wire.

    A raw socket forbids it by itself while the packet fits the way it knows (IP_PMTUDISC_WANT, ip(7)), as ping does.
    """
    seen = (hop for path in case.paths if path.direction is Direction.REQUEST for hop in path.seen)
    first = next(seen, None)
    plan = case.recording.plan
    return _may_be_cut(case, first) if first else plan.family == 4 and not plan.question.dont_fragment  # noqa: PLR2004


def _may_be_cut(case: Case, hop: Seen) -> bool:
    """Whether the packet may be cut up on its way: no router does in IPv6 (RFC 8200, 5)."""
    read = headers.read(case.recording.observations[hop.observation].frame)
    return read is not None and read.ip is not None and read.ip.version == 4 and not read.ip.dont_fragment  # noqa: PLR2004


def carried(case: Case) -> Iterator[Fact]:
    """Tell what the way is known to carry, where a packet larger than usual went through in one piece."""
    plan = case.recording.plan
    unusual = plan.question.size > USUAL_SIZE and plan.question.protocol is not Protocol.TCP
    if case.verdict.outcome is not Outcome.DELIVERED or not unusual:
        return
    answered = {each.sequence for each in case.recording.probes if isinstance(each, Answered)}
    whole = next((each for each in case.paths if each.sequence in answered and _went_whole(case, each)), None)
    least = narrowest(case.topology, plan.request)
    if whole is None:
        return
    told = say(
        "{length} bytes that may not be cut up went through in one piece: the way carries at least that",
        length=packet_length(plan),
    )
    if least:
        told = say(
            "{said}; of its links that are known {sandbox}/{link} carries least, {mtu}",
            said=told,
            sandbox=least.sandbox,
            link=least.name,
            mtu=least.mtu,
        )
    yield Fact(told, (str(whole.seen[0].point), str(whole.seen[-1].point)))


def _went_whole(case: Case, path: Path) -> bool:
    seen = path.seen if path.direction is Direction.REQUEST else ()
    return bool(seen) and not _may_be_cut(case, seen[0]) and all(hop.fragments == 1 for hop in seen)


def narrow_link(case: Case, mtu: int) -> Link | None:
    """Return the link of the request's way that carries no more than this; of a bridge, the port that made it so.

    A bridge takes the smallest MTU of its ports, unless somebody gave it one (br_mtu_auto_adjust).
    """
    way = links_of(case.topology, (*case.recording.plan.request, *case.recording.plan.beyond))
    found = next((each for each in way if each.mtu and each.mtu <= mtu), None)
    if found is None or found.kind is not LinkKind.BRIDGE:
        return found
    for port in case.topology.ports(found.key):
        far = case.topology.link(port.peer)
        if port.mtu == found.mtu and far and far.mtu > port.mtu:
            return port
    return found


def wider(case: Case, narrow: Link) -> int | None:
    """Return what the narrow link should carry: what its other end does, else the widest of the way; None if no more.

    Loopback is no measure.
    """
    plan = case.recording.plan
    far = case.topology.link(narrow.peer)
    if far is not None and far.mtu > narrow.mtu:
        return far.mtu
    way = links_of(case.topology, (*plan.request, *plan.beyond, *plan.reply))
    mtu = max((each.mtu for each in way if each.kind is not LinkKind.LOOPBACK), default=0)
    return mtu if mtu > narrow.mtu else None


def _reached(path: Path) -> int:
    """Return the index of the last hop that was seen."""
    return max(number for number, hop in enumerate(path.hops) if isinstance(hop, Seen))


def _step(case: Case, path: Path, hop: Unseen) -> Step | None:
    plan = case.recording.plan
    steps = plan.reply if path.direction is Direction.REPLY else (*plan.request, *plan.beyond)
    return next((each for each in steps if (each.point, each.heading) == (hop.point, hop.heading)), None)
