"""Two traces at once: each has its own probes, its own folder, and no part of the other's."""

import json
import subprocess
from pathlib import Path

import pytest
from commands import PROGRAM

from inspector.archive import load
from inspector.model.recording import Answered
from inspector.pipeline import review

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

ASKED = ("trace", "tomcat01", "tomcat02", "-c", "10", "--format", "json")


def at_once(*folders: Path) -> list[tuple[int, str, str]]:
    """Run a trace into each of the folders, all together; return status, output and what was said beside it."""
    running = [
        subprocess.Popen(
            [*PROGRAM, *ASKED, "-w", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for folder in folders
    ]
    done = [process.communicate(timeout=30) for process in running]
    return [(process.returncode, *said) for process, said in zip(running, done, strict=True)]


def test_into_two_folders_they_do_not_mix(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "two")
    for status, out, err in at_once(*folders):
        assert (status, err.count("\n")) == (0, 1)
        report = json.loads(out)
        assert report["statistics"] | {"rtt_ns": None} == {"sent": 10, "received": 10, "rtt_ns": None}
        assert len(report["paths"]) == 20
        assert all(hop["seen"] for path in report["paths"] for hop in path["hops"])
    one, two = (load(folder) for folder in folders)
    assert one.token != two.token
    assert not any(two.token in each.frame for each in one.observations), "a frame of the other trace"
    assert review(one).statistics.received == review(two).statistics.received == 10


def test_into_the_same_folder_one_is_refused_and_the_other_whole(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    ended = sorted(at_once(folder, folder))
    assert [status for status, _, _ in ended] == [0, 74]
    assert ended[0][1]
    # Refused before anything was sent, or when it was to be kept: then it has been shown.
    assert all(json.loads(out)["statistics"]["received"] == 10 for _, out, _ in ended if out)
    refused = ended[1][2]
    assert refused == (
        f"dnetsniff: cannot save to {folder}: it exists already; "
        "name a folder that does not exist yet, inside one that you may write to\n"
    )
    kept = load(folder)
    assert [type(each) for each in kept.probes] == [Answered] * 10
    assert review(kept).blind_spots == ()
