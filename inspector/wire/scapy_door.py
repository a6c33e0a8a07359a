"""Let scapy in without its luggage: no cache, no start-up file, no tables nobody asks for, and no chatter.

1. `scapy.data` asks `scapy.main` for a cache folder, and does without where SCAPY_CACHE_FOLDER is None. The real
   `scapy.main` makes folders in a home when it is imported, and brings the console (9 ms). Nobody else needs it, so a
   module that says None stands in for it meanwhile.
2. `scapy.arch` lists and dissects the host's interfaces when it is imported (measured 60 ms with eleven of them, and it
   grows with their number), and its layers read the host's routes (75 ms), to send packets; we send by our own sockets.
   Scapy reads both anew when it is asked for an interface it does not know.
3. `scapy.data` parses the list of hardware vendors (measured 64 ms) and unpacks that of Bluetooth companies (16 ms) as
   it is imported. No report names either.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from inspector.loading import stand_ins

_CHATTER = ("scapy.loading", "scapy.runtime", "scapy.interactive")
_VENDORS = "share/wireshark/manuf"
_STAND_INS: dict[str, dict[str, object]] = {
    "scapy.main": {"SCAPY_CACHE_FOLDER": None},
    "scapy.libs.manuf": {"DATA": ""},
    "scapy.libs.bluetoothids": {"DATA": {}},
}
"""Modules that `scapy.data` takes nothing else from, and what it is given instead."""


def prepare() -> None:
    """Do this before every import of scapy's layers; the environment stays as it was."""
    if "scapy.arch" in sys.modules:
        return
    prepare_core()
    from scapy.config import conf

    conf.ifaces.reload = lambda: None
    try:
        import scapy.arch  # noqa: F401
    finally:
        del conf.ifaces.reload


def prepare_core() -> None:
    """Do this where scapy's packets, fields and sockets are enough: they need nothing of this machine (5 ms less)."""
    if "scapy.interfaces" in sys.modules:
        return
    import logging

    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with stand_ins(_STAND_INS), _without_vendors():
        import scapy.data
    from scapy.config import conf

    conf.route_autoload = conf.route6_autoload = False
    import scapy.interfaces  # noqa: F401


@contextmanager
def _without_vendors() -> Iterator[None]:
    """Let scapy find no list of vendors of Wireshark's."""
    exists = os.path.exists
    os.path.exists = lambda path: not str(path).endswith(_VENDORS) and exists(path)
    try:
        yield
    finally:
        os.path.exists = exists
