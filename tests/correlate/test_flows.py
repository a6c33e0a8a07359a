"""Which flows are asked of connection tracking."""

from port_cases import BY_HOST, DB, ON_LOOPBACK, SOURCE_PORT, translated
from topologies import planned, read, recorded, sent

from inspector.correlate.flows import flows_met
from inspector.model.conntrack import Flow
from inspector.model.topology import HOST, SandboxId

WEB, GATEWAY = "172.17.0.2", "172.17.0.1"


def test_what_was_sent_and_what_was_seen_in_each_stack() -> None:
    found = flows_met(translated(BY_HOST))
    asked, carried = Flow(WEB, GATEWAY, SOURCE_PORT, 8080), Flow(WEB, DB, SOURCE_PORT, 80)
    assert found[SandboxId("web")] == (asked,)
    assert found[HOST] == (asked, carried)
    assert found[SandboxId("db")] == (carried,)


def test_what_a_rule_rewrote_before_any_interface_saw_it() -> None:
    found = flows_met(translated(ON_LOOPBACK, 0))
    assert found == {HOST: (Flow("127.0.0.1", "127.0.0.1", SOURCE_PORT, 8080),)}


def test_an_echo_is_one_flow_however_often_it_is_sent() -> None:
    world = read("two-networks.toml")
    plan = planned(world, "web", "db", count=1)
    recording = recorded(world, plan, probes=(sent(),))
    for flows in flows_met(recording).values():
        assert [(each.source, each.destination, each.type) for each in flows] == [(WEB, DB, 8)]
