"""Find the ICMP errors about the probes: an answer of somebody on the way, also one that never came home. Pure."""

from msgspec.structs import replace

from inspector.correlate.complaint_stop import complaint_stop
from inspector.correlate.fragments import Sighting
from inspector.correlate.tracks import Kind, Tracks
from inspector.model.complaint import Complaint
from inspector.model.recording import Recording


def complaints(recording: Recording, tracks: Tracks) -> tuple[Complaint, ...]:
    """Return the errors in the order of their probes, one for each probe and sender."""
    return tuple(each for sequence in tracks.sequences(Kind.ERROR) for each in _of_probe(recording, tracks, sequence))


def _of_probe(recording: Recording, tracks: Tracks, sequence: int) -> list[Complaint]:
    found: dict[str, Complaint] = {}
    home = recording.plan.source.sandbox
    sightings = tracks.sightings(Kind.ERROR, sequence)
    for each in sightings:
        ip, icmp, point = each.headers.ip, each.headers.icmp, recording.point(each.observation.point)
        if ip is None or icmp is None:
            continue
        known = found.get(ip.source)
        found[ip.source] = Complaint(
            sequence=sequence,
            by=ip.source,
            words=icmp.words,
            first_seen=known.first_seen if known else point,
            last_seen=point,
            heard=point.sandbox == home or (known is not None and known.heard),
            mtu=icmp.mtu,
        )
    return [_with_rule(recording, sightings, each) for each in found.values()]


def _with_rule(recording: Recording, sightings: list[Sighting], complaint: Complaint) -> Complaint:
    mine = (each for each in sightings if each.headers.ip and each.headers.ip.source == complaint.by)
    return replace(complaint, rule=complaint_stop(recording, mine, complaint.last_seen.sandbox))
