"""The source is on internal networks only, and the destination is outside of them.

What: the packet comes to the host by the bridge of an internal network, and never leaves it.
Why: the network was made with --internal: the engine's firewall rules let nothing in or out. Newer engines give its
members no default route either; then `no-route` says it.
Remedy: connect the source to a network that is not internal.
"""

from inspector.explain.case import Case
from inspector.explain.mending import outward_commands
from inspector.model.question import PathKind
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for a packet on its way out that was last seen on the bridge of an internal network."""
    plan, verdict = case.recording.plan, case.verdict
    stopped = verdict.outcome in {Outcome.LOST, Outcome.DROPPED} and verdict.last_seen is not None
    if plan.kind is not PathKind.OUTSIDE or not stopped or verdict.last_seen is None:
        return None
    network = case.topology.network_of(verdict.last_seen.link)
    if network is None or not network.internal or case.forwarding[1] == "0":
        return None
    return Finding(
        id="internal-network",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if verdict.rule else Confidence.LIKELY,
        title=say(
            "{network} is internal: the engine lets nothing out, and {source} sent it that way",
            network=network.name,
            source=plan.source.label,
        ),
        evidence=(
            say("the engine: {network} is internal", network=network.name),
            say(
                "last seen at {last_seen}, never seen at {never_seen}",
                last_seen=verdict.last_seen,
                never_seen=", ".join(str(each) for each in verdict.never_seen),
            ),
        ),
        remedy=outward_commands(case),
    )
