"""The one door to pyroute2: its IPRoute, without the rest of the library.

`import pyroute2` loads databases, nftables, ethtool and an event-loop server before anything is asked: measured 118 ms,
of which IPRoute needs 45. The package's own `__init__` is therefore put off; whoever imports it later gets it whole.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from typing import Any


@contextmanager
def opened() -> Iterator[Any]:
    """Open rtnetlink in the namespace the calling thread is in, until the block ends."""
    load()
    from pyroute2.iproute.linux import IPRoute

    with IPRoute() as ip:
        yield ip


def error_type() -> type[Exception]:
    """Return what pyroute2 raises where the kernel answers with an error."""
    load()
    from pyroute2.netlink.exceptions import NetlinkError

    return NetlinkError  # type: ignore[no-any-return]


def load() -> None:
    """Load IPRoute alone."""
    if "pyroute2.iproute.linux" in sys.modules:
        return
    whole = "pyroute2" in sys.modules
    spec = find_spec("pyroute2")
    if not whole and spec is not None:
        sys.modules["pyroute2"] = module_from_spec(spec)
    try:
        import pyroute2.iproute.linux  # noqa: F401
    finally:
        if not whole:
            del sys.modules["pyroute2"]
