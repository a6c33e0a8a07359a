"""The whole of following, as one call. Pure."""

from dataclasses import dataclass

from inspector.correlate.judge import count, judge
from inspector.correlate.paths import flooded, follow
from inspector.correlate.tracks import Kind, Tracks, sort_frames
from inspector.model.path import Path
from inspector.model.recording import Recording
from inspector.model.report import Statistics, Verdict


@dataclass(frozen=True, slots=True)
class Correlation:
    """What the frames of a recording add up to."""

    paths: tuple[Path, ...]
    statistics: Statistics
    verdict: Verdict
    resolutions: tuple[tuple[str, str | None, str], ...]
    """(address asked for by ARP or ND, MAC that answered or None, capture point)."""
    floods: tuple[str, ...]
    """Capture points beside the way that got a copy of the first request."""
    packet_ids: tuple[tuple[int, int], ...]
    """(observation, packet): the same number wherever the same packet was seen."""


def correlate(recording: Recording) -> Correlation:
    """Follow every packet of the trace through the recording."""
    tracks = sort_frames(recording.observations, recording.token, recording.plan.neighbours)
    paths = follow(recording, tracks)
    sequences = tracks.sequences(Kind.REQUEST)
    copies = flooded(recording, tracks.sightings(Kind.REQUEST, sequences[0])) if sequences else ()
    return Correlation(
        paths=paths,
        statistics=count(recording),
        verdict=judge(recording, tracks, paths),
        resolutions=_resolutions(recording, tracks),
        floods=tuple(str(recording.point(each.observation.point)) for each in copies),
        packet_ids=tuple(
            (each.index, number)
            for number, key in enumerate(sorted(tracks.packets), start=1)
            for each in tracks.packets[key]
        ),
    )


def _resolutions(recording: Recording, tracks: Tracks) -> tuple[tuple[str, str | None, str], ...]:
    """Pair each address asked for with the MAC that answered, told where it was first asked."""
    told: dict[str, tuple[str | None, str]] = {}
    by_time = tracks.neighbour_talk()
    for each in by_time:
        if each.asks and each.target in recording.plan.neighbours:
            told.setdefault(each.target, (None, str(recording.point(each.observation.point))))
    for each in by_time:
        if not each.asks and each.target in told and told[each.target][0] is None:
            told[each.target] = (each.sender_mac, told[each.target][1])
    return tuple((address, mac, point) for address, (mac, point) in told.items())
