"""A published port leads nowhere.

What: the packet comes to the host, and never goes on to the container; no refusal comes back.
Why: a firewall rule stops it on the host, behind the rule that publishes the port. Or the source is on another network
of the engine's, which keeps its networks apart also on this way where it runs without its userland proxy.
On the wire: seen on the host, with or without the container's address in it, and never at the container.
Remedy: take the rule out, or let the two through ahead of it; or ask the container itself, on a network that both are
on.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.listening import listeners_of, takes
from inspector.explain.making_way import ways
from inspector.explain.mending import connect_commands
from inspector.explain.stopping import confidence_in, evidence_of, title_of
from inspector.model.place import place, wanted
from inspector.model.question import Carriage
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST
from inspector.model.walk import ENGINE


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
    service = (
        (say("a socket of {container} listens on {listens}", container=publication.container, listens=listens[0]),)
        if listens
        else ()
    )
    rule = verdict.rule
    who = (
        say("{rule} drops the packet on its way", rule=title_of(rule))
        if rule
        else say("the packet does not go on to it")
    )
    told = evidence_of(case, rule) if rule else (say("last seen at {last_seen}", last_seen=last),)
    return Finding(
        id="published-port-filtered",
        severity=Severity.ERROR,
        confidence=confidence_in(rule) if rule else Confidence.LIKELY,
        title=say(
            "port {port} of the host is published for {behind}, and {who}",
            port=plan.question.port,
            behind=behind,
            who=who,
        ),
        evidence=(*told, say("never seen at {never_seen}", never_seen=publication.sandbox), *service),
        remedy=_remedy(case, behind),
    )


def _remedy(case: Case, behind: str) -> tuple[str, ...]:
    """Make way past the rule; or name the network that both should be on; or say where to look for the rule."""
    rule = case.verdict.rule
    if rule is not None and rule.owner != ENGINE and (commands := ways(case, rule)):
        return commands
    if connect := connect_commands(case):
        source = shlex.quote(case.recording.plan.question.source)
        return (*connect, f"dnetsniff trace {source} {shlex.quote(behind)}")
    return (f"iptables-save | grep -e {case.recording.plan.destination.address} -e DROP -e REJECT",)
