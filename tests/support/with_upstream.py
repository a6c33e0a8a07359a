"""Run a command beside a name server of our own, whose address it finds in NAMESERVER; the server goes with it.

The demonstration looks names up. So that it asks nobody else's server, and shows the same on every machine, it has one
that knows no name (`upstream_place`).
"""

import os
import subprocess
import sys
from contextlib import closing

from upstream_place import upstream_beside

from inspector.discover.engine import connect
from inspector.discover.survey import host_namespace
from inspector.model.engine_choice import EngineChoice


def main() -> int:
    """Return the command's exit status."""
    with closing(connect(EngineChoice())) as engine, host_namespace(engine) as host, upstream_beside(host.fd) as server:
        server.serve({})
        return subprocess.run(sys.argv[1:], check=False, env={**os.environ, "NAMESERVER": server.address}).returncode


if __name__ == "__main__":
    sys.exit(main())
