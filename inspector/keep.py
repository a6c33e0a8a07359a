"""Keep a recording in a folder, with each frame's meaning beside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from inspector import __version__
from inspector.archive import save
from inspector.correlate.correlation import correlate
from inspector.explain.annotations import annotate, annotate_names
from inspector.model.recording import Recording


def keep(recording: Recording, folder: Path, *, here: bool = True) -> None:
    """Write the recording into a new folder; `here`: this machine made it, and may be named. Raises OutputError."""
    correlation = correlate(recording)
    comments, packet_ids = annotate_names(correlation.names) if correlation.names else ({}, {})
    # The lookup's frames stand first in the file, and its packets are counted first.
    ahead, counted = len(recording.lookup.observations) if recording.lookup else 0, max(packet_ids.values(), default=0)
    of_probes = annotate(recording, correlation.paths, correlation.packet_ids)
    if (dropped := correlation.dropped) is not None:
        said = f"; dropped behind here: {dropped.reason} in {', '.join(dropped.where)} (likely)"
        of_probes |= {index: of_probes.get(index, "") + said for index in dropped.observations}
    save(
        recording,
        folder,
        comments={**comments, **{ahead + index: words for index, words in of_probes.items()}},
        packet_ids={**packet_ids, **{ahead + index: counted + packet for index, packet in correlation.packet_ids}},
        version=__version__,
        owner=calling_user(os.environ),
        here=here,
    )


def calling_user(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Return who called sudo: what we write belongs to them."""
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    return (int(uid), int(gid)) if uid.isdecimal() and gid.isdecimal() and os.geteuid() == 0 else None
