"""Let scapy in without its luggage: no cache, no start-up file, no tables nobody asks for, and no chatter.

1. Scapy 2.8 derives its cache and configuration folders from `XDG_CACHE_HOME` and `XDG_CONFIG_HOME` once, when
   `scapy.main` is imported (`_probe_xdg_folder`), and does without either where the folder cannot be made. Nothing can
   be made below a character device, so that is where both point meanwhile: no folder is left behind, no pickle is read.
2. `scapy.arch` lists and dissects the host's interfaces when it is imported (measured 60 ms with eleven of them, and it
   grows with their number), and its layers read the host's routes (75 ms), to send packets; we send by our own sockets.
   Scapy reads both anew when it is asked for an interface it does not know.
3. `scapy.data` parses the list of hardware vendors (measured 64 ms) and unpacks that of Bluetooth companies (16 ms) as
   it is imported. No report names either.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_NOWHERE = "/dev/null/nowhere"
_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_CHATTER = ("scapy.loading", "scapy.runtime", "scapy.interactive")
_VENDORS = "share/wireshark/manuf"
_TABLES: dict[str, object] = {"scapy.libs.manuf": "", "scapy.libs.bluetoothids": {}}
"""Modules that hold nothing but a table DATA, and one without entries."""


def prepare() -> None:
    """Do this before every import of scapy: once it has run, scapy is in; the environment stays as it was."""
    if "scapy.arch" in sys.modules:
        return
    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _homeless():
        import scapy.main
    with _without_tables():
        import scapy.data
    from scapy.config import conf

    conf.route_autoload = conf.route6_autoload = False
    import scapy.interfaces

    conf.ifaces.reload = lambda: None
    try:
        import scapy.arch  # noqa: F401
    finally:
        del conf.ifaces.reload


@contextmanager
def _homeless() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _FOLDERS}
    os.environ.update(dict.fromkeys(_FOLDERS, _NOWHERE))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_tables() -> Iterator[None]:
    """Let scapy find neither Wireshark's list of vendors nor its own copies of what it never looks up for us."""
    exists = os.path.exists
    for name, nothing in _TABLES.items():
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__dict__["DATA"] = nothing
    os.path.exists = lambda path: not str(path).endswith(_VENDORS) and exists(path)
    try:
        yield
    finally:
        os.path.exists = exists
        for name in _TABLES:
            del sys.modules[name]
