"""Record the worlds that the thinking half is tested on: real traces of a live engine, with the report each gives.

Run it on a machine with the course network down; what it makes it removes. Look at the difference before committing.
"""

import shutil
import subprocess
from pathlib import Path

from commands import dnetsniff, docker

from inspector.archive import load
from inspector.pipeline import review
from inspector.render.report_text import render_text

WORLDS = Path(__file__).parents[1] / "worlds"
SCENARIOS = {
    "switched": (("tomcat01", "tomcat02"), ()),
    "from-host": (("host", "tomcat01"), ()),
    "to-gateway": (("tomcat01", "gateway"), ()),
    "isolated": (("tomcat01", "mynet-tomcat01", "-W", "0.3"), ()),
    "dual-homed": (("tomcat01", "mynet-tomcat02"), ("network", "connect", "mynet", "tomcat01")),
    "passive": (("tomcat01", "tomcat02", "--passive"), ()),
    "nobody": (("tomcat02", "172.17.255.77", "-W", "0.3", "-c", "1"), ()),
    "stopped": (("tomcat02", "tomcat03"), ("stop", "-t", "0", "tomcat03")),
    "paused": (("tomcat01", "mynet-tomcat02", "-c", "1"), ("pause", "mynet-tomcat02")),
}
"""Name: (words of the trace, docker command before it). Each builds on those before."""


def main() -> None:
    """Record all, and write what each report says."""
    shutil.rmtree(WORLDS, ignore_errors=True)
    WORLDS.mkdir()
    assert dnetsniff("lab", "up").status == 0
    try:
        for name, (words, before) in SCENARIOS.items():
            if before:
                docker(*before)
            dnetsniff("trace", *words, "-w", str(WORLDS / name))
            report = render_text(review(load(WORLDS / name)), width=100)
            (WORLDS / name / "report.txt").write_text(report)
    finally:
        subprocess.run(["docker", "unpause", "mynet-tomcat02"], check=False, capture_output=True)
        dnetsniff("lab", "down")


if __name__ == "__main__":
    main()
