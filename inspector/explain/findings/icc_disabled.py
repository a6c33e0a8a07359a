"""The engine keeps the containers of one network apart.

What: two containers on one network; the frame enters the bridge by the first port and never leaves by the second.
Why: the network was made with com.docker.network.bridge.enable_icc=false (or the engine runs with --icc=false), and
br_netfilter hands bridged frames to the firewall, where a rule of the engine's drops them.
On the wire: ARP is answered, for it is no IP; the echo requests stop behind the first port, and no error comes back.
Remedy: let these two through; or put them on a network that was made without this option.
"""

from inspector.explain.case import Case
from inspector.explain.making_way import accept_ahead
from inspector.model.question import PathKind
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, Network
from inspector.model.walk import ENGINE

_LEFT_TO_USER = "DOCKER-USER"


def detect(case: Case) -> Finding | None:
    """Look for a switched packet that stopped on the host, on a network whose containers are kept apart."""
    plan, verdict, rule = case.recording.plan, case.verdict, case.verdict.rule
    stopped = verdict.outcome in {Outcome.LOST, Outcome.DROPPED}
    on_host = verdict.last_seen is not None and verdict.last_seen.sandbox == HOST
    network = _network(case)
    if plan.kind is not PathKind.SWITCHED or not stopped or not on_host or network is None:
        return None
    if (rule is None) != (verdict.outcome is Outcome.LOST) or (rule is not None and rule.owner != ENGINE):
        return None
    told = (
        (
            say(
                "the kernel's trace ends there: {table} {chain}, rule {position}: {text}",
                table=rule.table,
                chain=rule.chain,
                position=rule.position,
                text=rule.text,
            ),
        )
        if rule
        else ()
    )
    source, target = plan.source.address, plan.resolution.address
    return Finding(
        id="icc-disabled",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if rule else Confidence.LIKELY,
        title=say(
            "the engine keeps the containers of {network} apart: its option enable_icc is false", network=network.name
        ),
        evidence=(
            say("the engine says so of {network}", network=network.name),
            *told,
            say("last seen at {last_seen}", last_seen=verdict.last_seen),
        ),
        remedy=accept_ahead(_LEFT_TO_USER, source, target, plan.family) if source and target else (),
    )


def _network(case: Case) -> Network | None:
    """Return the network that both are on and that keeps its containers apart."""
    plan = case.recording.plan
    for network in case.topology.networks:
        ends = [
            endpoint
            for container in (case.source, case.destination)
            for endpoint in case.endpoints(container)
            if endpoint.network == network.name
            and {plan.source.address, plan.resolution.address} & {*endpoint.addresses}
        ]
        if not network.icc and len(ends) > 1:
            return network
    return None
