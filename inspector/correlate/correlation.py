"""The whole of following, as one call. Pure."""

from dataclasses import dataclass

from inspector.correlate.judge import count, judge
from inspector.correlate.name_report import name_report
from inspector.correlate.paths import flooded, follow
from inspector.correlate.port_marks import port_marks
from inspector.correlate.published import settled
from inspector.correlate.resolving import resolutions
from inspector.correlate.tracks import Kind, sort_frames
from inspector.model.names import NameReport
from inspector.model.path import Path
from inspector.model.recording import Recording
from inspector.model.report import Statistics, Verdict


@dataclass(frozen=True, slots=True)
class Correlation:
    """What the frames of a recording add up to."""

    recording: Recording
    """With a plan that says what carried the probes to a container behind a published port."""
    paths: tuple[Path, ...]
    statistics: Statistics
    verdict: Verdict
    resolutions: tuple[tuple[str, str | None, str], ...]
    """(address asked for by ARP or ND, MAC that answered or None, capture point)."""
    floods: tuple[str, ...]
    """Capture points beside the way that got a copy of the first request."""
    packet_ids: tuple[tuple[int, int], ...]
    """(observation, packet): the same number wherever the same packet was seen."""
    names: NameReport | None
    """What came of looking the destination's name up."""


def correlate(recording: Recording) -> Correlation:
    """Follow every packet of the trace through the recording."""
    known = port_marks(recording) if recording.plan.question.port else None
    tracks = sort_frames(recording.observations, recording.token, recording.plan.neighbours, known)
    recording, seconds = settled(recording, tracks)
    paths = follow(recording, tracks, seconds)
    sequences = tracks.sequences(Kind.REQUEST)
    names = name_report(recording.lookup) if recording.lookup else None
    copies = flooded(recording, tracks.sightings(Kind.REQUEST, sequences[0])) if sequences else ()
    return Correlation(
        recording=recording,
        paths=paths,
        statistics=count(recording),
        verdict=judge(recording, tracks, paths, names),
        resolutions=resolutions(tracks, recording.plan.points),
        floods=tuple(str(recording.point(each.observation.point)) for each in copies),
        names=names,
        packet_ids=tuple(
            (each.index, number)
            for number, key in enumerate(sorted(tracks.packets), start=1)
            for each in tracks.packets[key]
        ),
    )
