"""The whole of following, as one call. Pure."""

from msgspec import Struct

from inspector.correlate.complaints import complaints
from inspector.correlate.discovery_stop import discovery_stops
from inspector.correlate.drops import FittingReason, fitting_reason
from inspector.correlate.judge import count, judge
from inspector.correlate.legacy_rules import accepted_by_legacy
from inspector.correlate.paths import flooded, follow
from inspector.correlate.port_marks import port_marks
from inspector.correlate.published import settled
from inspector.correlate.resolving import resolutions, talk
from inspector.correlate.rule_verdict import find_stop
from inspector.correlate.tracks import Kind, sort_frames
from inspector.correlate.translations import translations
from inspector.model.complaint import Complaint
from inspector.model.names import NameReport
from inspector.model.neighbours import DiscoveryStop, NeighbourFrame
from inspector.model.path import Path
from inspector.model.recording import Lookup, Recording
from inspector.model.report import Rule, Statistics, Translation, Verdict


class Correlation(Struct, frozen=True):
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
    talk: tuple[NeighbourFrame, ...]
    """What was overheard of ARP or ND about the trace's addresses."""
    names: NameReport | None
    """What came of looking the destination's name up."""
    dropped: FittingReason | None = None
    """Why the kernel dropped what nobody answered, where one reason fits."""
    complaints: tuple[Complaint, ...] = ()
    """ICMP errors about the probes."""
    translations: tuple[Translation, ...] = ()
    """What connection tracking rewrote."""
    discovery_stops: tuple[DiscoveryStop, ...] = ()
    """Rules that dropped what IPv6 asked or answered about a MAC address."""
    accepted_by_legacy: Rule | None = None
    """A rule of the other packet filter's that accepts what one of nf_tables dropped."""


def correlate(recording: Recording) -> Correlation:
    """Follow every packet of the trace through the recording."""
    known = port_marks(recording) if recording.plan.question.port else None
    port = recording.plan.passage.port if recording.plan.passage else None
    tracks = sort_frames(recording.observations, recording.token, recording.plan.neighbours, known, port)
    recording, seconds = settled(recording, tracks)
    paths = follow(recording, tracks, seconds)
    sequences = tracks.sequences(Kind.REQUEST)
    names = _names(recording.lookup) if recording.lookup else None
    copies = flooded(recording, tracks.sightings(Kind.REQUEST, sequences[0])) if sequences else ()
    stop, drop = find_stop(recording, paths), fitting_reason(recording, paths)
    return Correlation(
        recording=recording,
        paths=paths,
        statistics=count(recording),
        verdict=judge(recording, tracks, paths, names, stop=stop, drop=drop),
        resolutions=resolutions(tracks, recording.plan.points),
        floods=tuple(str(recording.point(each.observation.point)) for each in copies),
        talk=talk(tracks, recording.plan.points),
        names=names,
        dropped=drop,
        complaints=complaints(recording, tracks),
        translations=translations(recording, paths),
        discovery_stops=discovery_stops(recording, tracks),
        accepted_by_legacy=accepted_by_legacy(recording, stop),
        packet_ids=tuple(
            (index, number)
            for number, key in enumerate(sorted(tracks.packets), start=1)
            for index in tracks.frames(key)
        ),
    )


def _names(lookup: Lookup) -> NameReport:
    from inspector.correlate.name_report import name_report

    return name_report(lookup)
