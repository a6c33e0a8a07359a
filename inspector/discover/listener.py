"""Say which process is behind an engine's socket."""

import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

from inspector.model.engine_choice import EngineChoice

_DEFAULT = "unix:///var/run/docker.sock"
_CREDENTIALS = struct.Struct("=3i")
"""struct ucred (unix(7)): pid, uid, gid"""


def listener_of(path: str) -> int | None:
    """Return the process that listens there; None where it is in another pid namespace. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Where it accepts nobody any more, that is an error at once.
        probe.settimeout(0)
        probe.connect(path)
        pid, _, _ = _CREDENTIALS.unpack(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(pid) or None


def likely_listener(choice: EngineChoice, environment: Mapping[str, str] = os.environ) -> int | None:
    """Guess it before anything is loaded that could tell; a context may mean another one."""
    address = choice.host or environment.get("DOCKER_HOST") or _DEFAULT
    with suppress(OSError):
        return listener_of(address.removeprefix("unix://")) if address.startswith("unix://") else None
    return None
