"""Keep a recording in a folder, with each frame's meaning beside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from inspector import __version__
from inspector.archive import save
from inspector.correlate.correlation import correlate
from inspector.explain.annotations import annotate
from inspector.model.recording import Recording


def keep(recording: Recording, folder: Path) -> None:
    """Write the recording into a new folder. Raises OutputError."""
    correlation = correlate(recording)
    save(
        recording,
        folder,
        comments=annotate(recording, correlation.paths, correlation.packet_ids),
        packet_ids=dict(correlation.packet_ids),
        version=__version__,
        owner=calling_user(os.environ),
    )


def calling_user(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Return who called sudo: what we write belongs to them."""
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    return (int(uid), int(gid)) if uid.isdecimal() and gid.isdecimal() and os.geteuid() == 0 else None
