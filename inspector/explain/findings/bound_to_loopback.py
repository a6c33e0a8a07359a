"""The service listens on its loopback address alone.

What: the connection is refused, although the service runs.
Why: it is bound to 127.0.0.1 or ::1 of its own network stack; only programs in that stack reach it. The loopback of a
container is not the host's.
On the wire: an RST leaves the container, as if nothing listened there.
Remedy: have the service listen on all addresses, or on the container's own.
"""

from inspector.explain.case import Case
from inspector.explain.listening import is_on_loopback, on_port
from inspector.explain.refusal import refusal
from inspector.model.place import place, wanted
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say

EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - what a service is to be told


def detect(case: Case) -> Finding | None:
    """Look for listeners on the port that are all on loopback addresses, behind a refusal of that very stack."""
    found, plan = refusal(case), case.recording.plan
    question = plan.question
    listeners = on_port(case, found.by, plan.answering_port) if found else ()
    if found is None or not listeners or not all(is_on_loopback(each) for each in listeners):
        return None
    own = ", ".join(place(each.address, each.port) for each in listeners)
    asked = place(plan.destination.address or "", plan.answering_port)
    target = wanted(plan.destination.label, plan.answering_port, question.protocol)
    return Finding(
        id="bound-to-loopback",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say(
            "the service of {target} listens on {own} alone, where only {by} itself reaches it",
            target=target,
            own=own,
            by=found.by,
        ),
        evidence=(
            say("{what} first seen at {at}, as {by} sent it", what=found.what, at=found.at, by=found.by),
            say("a socket of {by} listens on {own}, and none on {asked}", by=found.by, own=own, asked=asked),
        ),
        remedy=(
            say(
                "have the service listen on {everywhere} instead of {own}",
                everywhere=place(EVERYWHERE[plan.family], plan.answering_port),
                own=own,
            ),
        ),
    )
