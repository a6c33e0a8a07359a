"""What of dnetsniff is on a machine besides its files: left behind, or of a run that goes on."""

import re
from enum import StrEnum

from msgspec import Struct

OWN_NAME = re.compile(r"dnetsniff-[0-9a-f]{8}")
"""What anything is called that dnetsniff gives a name to and that could be found by it."""


class Kind(StrEnum):
    """What can be left behind."""

    TABLE = "nf_tables table"
    PROMISCUITY = "promiscuous mode"
    NAMESPACE = "network namespace"
    INSTANCE = "tracefs instance"
    SOCKET = "socket"
    PROCESS = "process"
    THREAD = "thread abroad"
    EVENT = "perf event"
    FILE = "temporary file"
    LAB = "lab"


class Leftover(Struct, frozen=True):
    """One thing."""

    kind: Kind
    what: str
    place: str
    """Where: `net:[4026531840]`, a folder, the engine."""
    pid: int | None = None
    """The process that holds it; None where none does."""
    remedy: str | None = None


class Leftovers(Struct, frozen=True):
    """All that was found."""

    left: tuple[Leftover, ...] = ()
    running: tuple[Leftover, ...] = ()
    """What belongs to a command of dnetsniff that is still at work."""
    unseen: tuple[str, ...] = ()
    """Where it could not be looked, and why."""
