"""Nothing listens on the port.

What: the packet arrives, and the destination's own stack refuses it: an RST, or for UDP a Port Unreachable.
Why: the service is not running (yet), or it listens on another port.
On the wire: the refusal is seen first where it leaves the destination's own interface; or nothing comes back, where a
rule keeps the refusal, and the kernel says why it dropped the packet.
Remedy: start the service, or ask the port that it listens on.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.listening import is_known, on_port, reachable, told
from inspector.explain.refusal import refusal
from inspector.model.place import wanted
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST

NO_SOCKET = "NO_SOCKET"
"""The kernel's reason where nobody listens (enum skb_drop_reason)."""


def detect(case: Case) -> Finding | None:
    """Look for a refusal of the destination's own stack, and no listener that could have taken the packet."""
    found, plan = refusal(case), case.recording.plan
    said: str
    if found is not None and found.by is not None:
        said, by = (
            say("{what} first seen at {at}, as {by} sent it", what=found.what, at=found.at, by=found.by),
            found.by,
        )
    elif case.verdict.reason == NO_SOCKET and plan.answering is not None:
        said, by = (
            say("the kernel's drop reason: {reason}; no refusal came back", reason=NO_SOCKET),
            plan.answering,
        )
    else:
        return None
    if on_port(case, by, plan.answering_port):
        return None
    target = wanted(plan.destination.label, plan.answering_port, plan.question.protocol)
    return Finding(
        id="port-closed",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if is_known(case, by) else Confidence.LIKELY,
        title=say("nothing listens on {target}", target=target),
        evidence=(said, told(case, by)),
        remedy=_remedy(case, reachable(case, by, plan.destination.address or "")),
    )


def _remedy(case: Case, ports: tuple[int, ...]) -> tuple[str, ...]:
    """Name the port that it listens on, where there is one alone; a service has to be started otherwise."""
    plan = case.recording.plan
    question, label = plan.question, plan.destination.label
    if len(ports) == 1:
        behind = plan.publication is not None and plan.answering_port != question.port
        other = wanted(label if behind else question.destination, ports[0], question.protocol)
        command = f"dnetsniff trace {shlex.quote(question.source)} {shlex.quote(other)}"
        return (say("{command}   # the port it listens on", command=command),)
    where = say("on the host") if plan.destination.sandbox == HOST else say("in {sandbox}", sandbox=label)
    return (
        say(
            "start the service {where}, listening on port {port} of all addresses",
            where=where,
            port=plan.answering_port,
        ),
    )
