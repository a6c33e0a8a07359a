"""A connection is accepted, and reset at once.

What: the handshake is whole, and an RST follows before anything was said.
Why: the service does not want this client (an access list, too many connections), or it died over it.
On the wire: SYN, SYN-ACK, and an RST from the same side; the first point that saw it tells who made it.
Remedy: read the service's own log.
"""

import shlex

from inspector.explain.case import Case
from inspector.model.path import Direction
from inspector.model.place import wanted
from inspector.model.recording import Answered
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for connections that were all reset after they were accepted."""
    plan = case.recording.plan
    reset = [each for each in case.recording.probes if isinstance(each, Answered) and each.then == "reset"]
    if case.verdict.outcome is not Outcome.REJECTED or not reset:
        return None
    back = [each for each in case.paths if each.direction is Direction.REPLY and each.segment == "RST" and each.seen]
    at = back[0].seen[0].point if back else None
    own = at is not None and at.sandbox == plan.answering
    target = wanted(plan.destination.label, plan.answering_port, plan.question.protocol)
    who = say("somebody on the way") if at else say("somebody")
    if at and own:
        who = say("{sandbox} itself", sandbox=at.sandbox)
    name = case.destination.name if case.destination else None
    return Finding(
        id="connection-reset",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN if own else Confidence.LIKELY,
        title=say("{target} is accepted, and {who} resets it at once", target=target, who=who),
        evidence=(
            say(
                "{count} of {sent} connections were accepted and then reset",
                count=len(reset),
                sent=len(case.recording.probes),
            ),
            say("the RST was first seen at {at}", at=at) if at else say("no point saw the RST"),
        ),
        remedy=(f"{case.command} logs --tail 20 {shlex.quote(name)}",)
        if name and own
        else (say("read the log of {target}", target=target),),
    )
