"""Pair the questions of ARP and ND with their answers. Pure."""

from collections.abc import Iterator, Sequence

from inspector.correlate.tracks import Resolving, Tracks
from inspector.model.neighbours import NeighbourFrame
from inspector.model.question import CapturePoint


def resolutions(tracks: Tracks, points: Sequence[CapturePoint]) -> tuple[tuple[str, str | None, str], ...]:
    """Return each of the trace's addresses that was asked for, the MAC that answered, and where it was first asked."""
    told: dict[str, tuple[str | None, str]] = {}
    by_time = tracks.neighbour_talk()
    for each in by_time:
        if each.asks and each.target in tracks.addresses:
            told.setdefault(each.target, (None, str(points[each.observation.point])))
    for each in by_time:
        if not each.asks and each.target in told and told[each.target][0] is None:
            told[each.target] = (each.sender_mac, told[each.target][1])
    return tuple((address, mac, point) for address, (mac, point) in told.items())


def unanswered(tracks: Tracks) -> Iterator[Resolving]:
    """Yield the first question about each of the trace's addresses, where who asked it heard no answer.

    One that was only seen elsewhere was lost on its way.
    """
    by_time = tracks.neighbour_talk()
    heard = {(each.target, each.observation.point) for each in by_time if not each.asks}
    first: dict[str, Resolving] = {}
    for each in by_time:
        if each.asks and each.target in tracks.addresses:
            first.setdefault(each.target, each)
    yield from (each for each in first.values() if (each.target, each.observation.point) not in heard)


def talk(tracks: Tracks, points: Sequence[CapturePoint]) -> tuple[NeighbourFrame, ...]:
    """Return every frame of ARP or ND about the trace's addresses, by time."""
    return tuple(
        NeighbourFrame(
            point=points[each.observation.point],
            heading=each.observation.heading,
            asks=each.asks,
            target=each.target,
            sender=each.sender,
            sender_mac=each.sender_mac,
        )
        for each in tracks.neighbour_talk()
    )
