"""A published port leads nowhere.

What: the packet comes to the host, and never goes on to the container; no refusal comes back.
Why: a firewall rule stops it on the host, behind the rule that publishes the port. Or the source is on another network
of the engine's, which keeps its networks apart also on this way where it runs without its userland proxy.
On the wire: seen on the host, with or without the container's address in it, and never at the container.
Remedy: ask the container itself, on a network that both are on; or mend the rule.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.listening import listeners_of, takes
from inspector.explain.mending import connect_commands
from inspector.model.place import place, wanted
from inspector.model.question import Carriage
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.topology import HOST


def detect(case: Case) -> Finding | None:
    """Look for a request for a published port that ended on the host, in silence."""
    plan, verdict = case.recording.plan, case.verdict
    publication, last = plan.publication, verdict.last_seen
    silent = verdict.outcome in {Outcome.LOST, Outcome.DROPPED}
    if publication is None or not silent or last is None or last.sandbox != HOST or case.forwarding[1] == "0":
        return None
    if publication.carriage is Carriage.PROXY or publication.sandbox == plan.source.sandbox:
        return None
    behind = wanted(publication.container, publication.port, plan.question.protocol)
    listens = [
        place(each.address, each.port)
        for each in listeners_of(case, publication.sandbox)
        if each.port == publication.port and takes(each, publication.address)
    ]
    service = (f"a socket of {publication.container} listens on {listens[0]}",) if listens else ()
    return Finding(
        id="published-port-filtered",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=f"port {plan.question.port} of the host is published for {behind}, and the packet does not go on to it",
        evidence=(f"last seen at {last}", f"never seen at {publication.sandbox}", *service),
        remedy=_remedy(case, behind),
    )


def _remedy(case: Case, behind: str) -> tuple[str, ...]:
    """Name the network that both should be on, and the address to ask there; or where to look for the rule."""
    if connect := connect_commands(case):
        source = shlex.quote(case.recording.plan.question.source)
        return (*connect, f"dnetsniff trace {source} {shlex.quote(behind)}")
    return (f"iptables-save | grep -e {case.recording.plan.destination.address} -e DROP -e REJECT",)
