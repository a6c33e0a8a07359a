"""Let scapy in without its luggage: no cache, no start-up file and no chatter from whoever's home this is.

Scapy 2.8 derives its cache and configuration folders from `XDG_CACHE_HOME` and `XDG_CONFIG_HOME` once, when
`scapy.main` is imported (`_probe_xdg_folder`), and does without either where the folder cannot be made. Nothing can
be made below a character device, so that is where both point meanwhile: no folder is left behind, no pickle is read.
"""

import logging
import os

_NOWHERE = "/dev/null/nowhere"
_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_CHATTER = ("scapy.loading", "scapy.runtime", "scapy.interactive")


def prepare() -> None:
    """Do this before every import of scapy: once it has run, scapy knows no home; the environment stays as it was."""
    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    before = {name: os.environ.get(name) for name in _FOLDERS}
    os.environ.update(dict.fromkeys(_FOLDERS, _NOWHERE))
    try:
        import scapy.main  # noqa: F401 - this import is what reads the environment
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    from scapy.config import conf

    # scapy reads the host's routes when its layers are imported (75 ms), to send packets; we send by our own sockets.
    conf.route_autoload = conf.route6_autoload = False
