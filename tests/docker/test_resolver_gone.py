"""The engine's resolver goes away while containers live on: its rules stay, and nobody listens behind them."""

import pytest
from msgspec import Struct
from private_engine import IMAGE, PrivateEngine, private_engine

from inspector.discover.engine import connect
from inspector.host import LiveHost
from inspector.model.engine_choice import EngineChoice
from inspector.model.lookup import LookupPlan, ResolverSetup, Unsent
from inspector.model.question import Party, Plan, Question
from inspector.model.recording import Lookup, Recording
from inspector.model.topology import Topology
from inspector.pipeline import trace
from inspector.worker import Worker

pytestmark = pytest.mark.docker


class StopsBeforeTheQuery(Struct, frozen=True):
    """A live machine whose engine stops between reading the resolver's files and asking."""

    live: LiveHost
    engine: PrivateEngine

    def survey(self) -> Topology:
        return self.live.survey()

    def resolver(self, topology: Topology, source: Party) -> ResolverSetup:
        return self.live.resolver(topology, source)

    def look_up(self, topology: Topology, plan: LookupPlan) -> Lookup:
        self.engine.stop()
        return self.live.look_up(topology, plan)

    def record(self, topology: Topology, plan: Plan) -> Recording:
        return self.live.record(topology, plan)


def test_a_resolver_that_is_gone_is_told_from_rules_that_are() -> None:
    with private_engine("--live-restore") as engine:
        engine.docker("network", "create", "app")
        for name in ("left", "right"):
            engine.docker("run", "-d", "--dns", "127.0.0.1", "--network", "app", "--name", name, IMAGE)
        question = Question("left", "right", names_only=True, types=("A",), lookup_timeout_s=0.3)
        choice = EngineChoice(host=engine.url)
        with Worker() as worker, LiveHost(connect(choice), worker, ("left", "right")) as live:
            _, report = trace(question, StopsBeforeTheQuery(live, engine))
    assert report.names
    first = report.names.exchanges[0]
    assert isinstance(first.outcome, Unsent)
    assert first.outcome.why == "Connection refused"
    assert first.asked
    assert not first.asked.question[0].destination.endswith(":53"), "the rules still send it to the high port"
    assert first.rule
    (finding,) = [each for each in report.findings if each.id == "embedded-dns-silent"]
    assert finding.evidence
