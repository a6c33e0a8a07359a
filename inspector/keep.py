"""Keep a recording in a folder, with each frame's meaning beside it.

What needs no thought is written first (`plain`): nothing that goes wrong while its meaning is made (`commented`) can
lose it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from inspector import __version__
from inspector.archive import pack, write
from inspector.correlate.correlation import correlate
from inspector.correlate.same_frames import same_frames
from inspector.explain.annotations import annotate, annotate_names
from inspector.model.packed import Packed
from inspector.model.recording import Observation, Recording
from inspector.ownership import calling_user


def keep(recording: Recording, folder: Path, *, here: bool = True) -> None:
    """Write the recording into a new folder; `here`: this machine made it, and may be named. Raises OutputError."""
    write(commented(recording, here=here), folder, owner=calling_user(os.environ))


def plain(recording: Recording, *, here: bool) -> Packed:
    """Lay the recording out as it is."""
    return pack(recording, {}, {}, __version__, here=here)


def commented(recording: Recording, *, here: bool) -> Packed:
    """Lay the recording out, and say of each frame what it means."""
    correlation = correlate(recording)
    comments, packet_ids = annotate_names(correlation.names) if correlation.names else ({}, {})
    # The lookup's frames stand first in the file, and its packets are counted first.
    looked_up = recording.lookup.observations if recording.lookup else ()
    packet_ids = _with_others(packet_ids, looked_up)
    ahead, counted = len(looked_up), max(packet_ids.values(), default=0)
    ids = _with_others(dict(correlation.packet_ids), recording.observations)
    of_probes = annotate(recording, correlation.paths, correlation.packet_ids)
    if (dropped := correlation.dropped) is not None:
        said = f"; dropped behind here: {dropped.reason} in {', '.join(dropped.where)} (likely)"
        of_probes |= {index: of_probes.get(index, "") + said for index in dropped.observations}
    return pack(
        recording,
        comments={**comments, **{ahead + index: words for index, words in of_probes.items()}},
        packet_ids={**packet_ids, **{ahead + index: counted + packet for index, packet in ids.items()}},
        version=__version__,
        here=here,
    )


def _with_others(packet_ids: Mapping[int, int], observations: Sequence[Observation]) -> dict[int, int]:
    """Give numbers also to packets without a mark, behind those that have one."""
    counted = max(packet_ids.values(), default=0)
    others = same_frames(observations, packet_ids)
    return {**packet_ids, **{index: counted + packet for index, packet in others.items()}}
