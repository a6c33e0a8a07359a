"""The frames of a recording as a capture file, and back: which blocks, in which order, and which frame is whose.

1. A lookup's frames stand first, the probes' behind them; each is an observation of `recording.json`, in that order.
2. One interface block for each capture point, also where lookup and probes were watched at the same one.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from inspector.model.lookup import Silent, Unsent
from inspector.model.question import CapturePoint, Heading
from inspector.model.recording import Answered, NotSent, Observation, Recording, TapCount
from inspector.model.topology import Topology
from inspector.wire import pcapng, pcapng_reader


class Frames(Struct, frozen=True):
    """What was captured: the points, and each frame with the number of its point here."""

    points: tuple[CapturePoint, ...]
    taken: tuple[tuple[int, Observation], ...]
    counts: tuple[TapCount, ...]
    """With the number of the point here."""


def captured(recording: Recording) -> Frames:
    """Lay out all frames of a recording in the order of the file.

    Raises IndexError where an observation is of a point that is not in its plan.
    """
    lookup = recording.lookup
    parts = [(lookup.plan.points, lookup.observations, lookup.counts)] if lookup else []
    parts.append((recording.plan.points, recording.observations, recording.counts))
    numbers: dict[str, int] = {}
    points: list[CapturePoint] = []
    taken: list[tuple[int, Observation]] = []
    counts: dict[int, TapCount] = {}
    for own_points, observations, own_counts in parts:
        for point in own_points:
            if str(point) not in numbers:
                numbers[str(point)] = len(points)
                points.append(point)
        taken.extend((numbers[str(_at(own_points, each.point))], each) for each in observations)
        for each in own_counts:
            number = numbers[str(_at(own_points, each.point))]
            before = counts.get(number, TapCount(number, 0, 0))
            counts[number] = TapCount(number, before.received + each.received, before.dropped + each.dropped)
    return Frames(tuple(points), tuple(taken), tuple(counts.values()))


def with_frames(recording: Recording, frames: Iterable[bytes]) -> Recording:
    """Give each observation its frame, in the order of the file; observations without one are left out."""
    whole = iter(frames)
    lookup = recording.lookup
    if lookup is not None:
        lookup = replace(lookup, observations=_filled(lookup.observations, whole))
    return replace(recording, lookup=lookup, observations=_filled(recording.observations, whole))


def without_frames(recording: Recording) -> Recording:
    """Leave the observations, and take the frames out of them."""
    lookup = recording.lookup
    if lookup is not None:
        lookup = replace(lookup, observations=_emptied(lookup.observations))
    return replace(recording, lookup=lookup, observations=_emptied(recording.observations))


def packet_blocks(frames: Frames, comments: Mapping[int, str], packet_ids: Mapping[int, int]) -> Iterator[bytes]:
    """Write each frame; `comments` and `packet_ids` are by its number in the file."""
    for number, (interface, seen) in enumerate(frames.taken):
        tag = seen.vlan
        frame = pcapng.insert_tag(seen.frame, tag.tci, tag.tpid) if tag else seen.frame
        packet = pcapng.Packet(
            interface=interface,
            at_ns=seen.at_ns,
            frame=frame,
            wire_length=seen.wire_length + len(frame) - len(seen.frame),
            flags=pcapng.packet_flags(
                outgoing=seen.heading is Heading.OUT,
                packet_type=seen.packet_type,
                checksum_ready=seen.checksum_ready,
            ),
            packet_id=packet_ids.get(number),
            comments=(comments[number],) if number in comments else (),
        )
        yield pcapng.packet_block(packet)


def blocks_ahead(
    recording: Recording, frames: Frames, version: str, machine: os.uname_result | None
) -> tuple[bytes, ...]:
    """Write what stands before the frames: the section, the names, an interface for each point."""
    question, engine = recording.plan.question, recording.topology.engine
    verb = "resolve" if question.names_only else "trace"
    section = pcapng.Section(
        hardware=machine.machine if machine else None,
        system=f"{machine.sysname} {machine.release}" if machine else None,
        application=f"dnetsniff {version}",
        comments=(f"{verb} {question.source} {question.destination}", f"engine {engine.name} {engine.version}"),
    )
    names = pcapng.names_block(names_of(recording.topology))
    interfaces = (interface_at(recording.topology, point) for point in frames.points)
    return (pcapng.section_block(section), names, *(pcapng.interface_block(each) for each in interfaces))


def statistics_blocks(recording: Recording, frames: Frames) -> Iterator[bytes]:
    """Write what the kernel counted at each point, and between which moments."""
    moments = tuple(_moments(recording, frames))
    start_ns, end_ns = min(moments, default=0), max(moments, default=0)
    for count in frames.counts:
        yield pcapng.statistics_block(
            pcapng.Statistics(count.point, count.received, count.dropped, start_ns=start_ns, end_ns=end_ns)
        )


def frame_of(observation: Observation, frame: bytes) -> bytes:
    """Return the frame as it was observed: the tag that a reader wants to see in it taken out again."""
    return frame if observation.vlan is None else pcapng.remove_tag(frame)


def agrees(frames: Frames, capture: pcapng_reader.Capture) -> bool:
    """Whether a file's frames are those that were announced, as far as it goes."""
    pairs = zip(frames.taken, capture.packets, strict=False)
    same = all((number, seen.at_ns) == (each.interface, each.at_ns) for (number, seen), each in pairs)
    return same and len(capture.packets) <= len(frames.taken)


def _moments(recording: Recording, frames: Frames) -> Iterator[int]:
    yield from (each.at_ns for _, each in frames.taken)
    for probe in recording.probes:
        if not isinstance(probe, NotSent):
            yield probe.at_ns
        if isinstance(probe, Answered):
            yield probe.answered_ns
    for query in recording.lookup.queries if recording.lookup else ():
        yield query.at_ns
        if not isinstance(query, Silent | Unsent):
            yield query.answered_ns


def _at(points: tuple[CapturePoint, ...], index: int) -> CapturePoint:
    if index < 0:
        raise IndexError(index)
    return points[index]


def _emptied(observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    return tuple(replace(each, frame=b"") for each in observations)


def _filled(observations: tuple[Observation, ...], frames: Iterator[bytes]) -> tuple[Observation, ...]:
    return tuple(replace(seen, frame=frame_of(seen, frame)) for seen, frame in zip(observations, frames, strict=False))


def names_of(topology: Topology) -> dict[str, tuple[str, ...]]:
    """Return the names of each address that the engine gave to a container."""
    names: dict[str, tuple[str, ...]] = {}
    for container in topology.containers:
        for address in (address for endpoint in container.endpoints for address in endpoint.addresses):
            try:
                key = str(ip_address(address))
            except ValueError:
                continue
            names[key] = tuple(dict.fromkeys((*names.get(key, ()), container.name)))
    return names


def interface_at(topology: Topology, point: CapturePoint) -> pcapng.Interface:
    """Describe a capture point: what it is, where, and what it is tied to."""
    link, stack = topology.link(point.link), topology.sandbox(point.sandbox)
    if link is None or stack is None:
        return pcapng.Interface(str(point))
    words = [f"{link.kind} in {point.sandbox}", f"netns {stack.inode}"]
    for relation, key in (("peer", link.peer), ("port of", link.bridge)):
        other = topology.link(key)
        words += [f"{relation} {other.sandbox}/{other.name}"] if other else []
    network = topology.network_of(link.key)
    words += [f"network {network.name}"] if network else []
    return pcapng.Interface(
        str(point), description=", ".join(words), hardware=link.kind.value, addresses=link.addresses, mac=link.mac
    )
