"""The engine stops on the way: what was seen is still reported, and the exit status says what became of the run."""

import json
import subprocess

import pytest
from commands import PROGRAM
from counters import echo_replies
from msgspec import Struct
from private_engine import PrivateEngine, private_engine, wait_until

from inspector.cli.answer import exit_status
from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import Plan, Question
from inspector.model.recording import Recording
from inspector.model.topology import Topology
from inspector.pipeline import trace
from inspector.worker import Worker

pytestmark = pytest.mark.docker

ENDS_WITH_IT, OUTLIVES_IT = (), ("--live-restore",)
"""What containers do when their engine stops."""


class StopsAfterSurvey(Struct, frozen=True):
    """A live machine whose engine stops before anything is sent."""

    live: LiveHost
    engine: PrivateEngine

    def survey(self) -> Topology:
        topology = self.live.survey()
        self.engine.stop()
        return topology

    def record(self, topology: Topology, plan: Plan) -> Recording:
        return self.live.record(topology, plan)


@pytest.mark.parametrize(
    ("options", "outcome", "departed", "status"),
    [(ENDS_WITH_IT, "unknown", {"left", "right"}, 75), (OUTLIVES_IT, "delivered", set(), 0)],
)
def test_between_survey_and_probes(options: tuple[str, ...], outcome: str, departed: set[str], status: int) -> None:
    with private_engine(*options) as engine:
        engine.start("left", "right")
        choice = EngineChoice(host=engine.url)
        with Worker() as worker, LiveHost(connect(choice), worker, ("left", "right")) as live:
            _, report = trace(Question("left", "right", look_up=False), StopsAfterSurvey(live, engine))
    assert report.verdict.outcome == outcome
    assert set(report.departed) == departed
    assert exit_status(report) == status


@pytest.mark.parametrize(
    ("options", "departed", "status"), [(ENDS_WITH_IT, {"left", "right"}, 75), (OUTLIVES_IT, set(), 0)]
)
def test_during_the_probes(options: tuple[str, ...], departed: set[str], status: int) -> None:
    with private_engine(*options) as engine:
        engine.start("left", "right")
        words = ["--host", engine.url, "trace", "left", "right", "-c", "50", "-i", "0.05", "--format", "json"]
        pid = int(engine.docker("inspect", "-f", "{{.State.Pid}}", "left"))
        before = echo_replies(pid)
        process = subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: echo_replies(pid) > before, "nothing is answered")
        engine.stop()
        assert process.poll() is None, "the engine has to stop while probes are on their way"
        out, err = process.communicate(timeout=30)
    report = json.loads(out)
    # The run ends with the first of them that goes; whether the engine has ended the other one by then is its affair.
    assert set(report["departed"]) <= departed
    assert bool(report["departed"]) == bool(departed)
    assert (process.returncode, err) == (status, "")
    assert report["statistics"]["received"] > 0
    assert report["paths"][0]["hops"][-1]["seen"]
