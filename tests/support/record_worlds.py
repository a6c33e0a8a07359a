"""Record the worlds that the thinking half is tested on: real traces of a live engine, with the report each gives.

Run it by `with_upstream.py`, on a machine with the course network down; what it makes it removes. Look at the
difference before committing.
"""

import os
import shutil
import subprocess
from pathlib import Path

from commands import dnetsniff, docker

from inspector.archive import load
from inspector.pipeline import review
from inspector.render.report_text import render_text

WORLDS = Path(__file__).parents[1] / "worlds"
SCENARIOS = {
    "switched": ("trace tomcat01 tomcat02", ""),
    # The host's own name server is nobody's to ask in a test.
    "from-host": ("trace host tomcat01 --no-lookup", ""),
    "to-gateway": ("trace tomcat01 gateway", ""),
    "isolated": ("trace tomcat01 mynet-tomcat01 -W 0.3", ""),
    "name-link": ("resolve tomcat03 tomcat01", ""),
    "name-link-back": ("resolve tomcat01 tomcat03", ""),
    "name-embedded": ("resolve mynet-tomcat01 mynet-tomcat02", ""),
    "name-forwarded": ("resolve mynet-tomcat01 tomcat02", ""),
    "dual-homed": ("trace tomcat01 mynet-tomcat02", "network connect mynet tomcat01"),
    "passive": ("trace tomcat01 tomcat02 --passive", ""),
    "nobody": ("trace tomcat02 172.17.255.77 -W 0.3 -c 1", ""),
    "stopped": ("trace tomcat02 tomcat03", "stop -t 0 tomcat03"),
    "paused": ("trace tomcat01 mynet-tomcat02 -c 1", "pause mynet-tomcat02"),
}
"""Name: (what is asked, docker command before it). Each builds on those before."""


def main() -> None:
    """Record all, and write what each report says."""
    shutil.rmtree(WORLDS, ignore_errors=True)
    WORLDS.mkdir()
    assert dnetsniff("lab", "up", "--dns", os.environ["NAMESERVER"]).status == 0
    try:
        for name, (asked, before) in SCENARIOS.items():
            if before:
                docker(*before.split())
            dnetsniff(*asked.split(), "-w", str(WORLDS / name))
            report = render_text(review(load(WORLDS / name)), width=100)
            (WORLDS / name / "report.txt").write_text(report)
    finally:
        subprocess.run(["docker", "unpause", "mynet-tomcat02"], check=False, capture_output=True)
        dnetsniff("lab", "down")


if __name__ == "__main__":
    main()
