"""Who refused a connection or a datagram: the stack that was asked, or somebody on the way. Pure."""

from msgspec import Struct

from inspector.explain.case import Case
from inspector.model.path import Direction
from inspector.model.question import CapturePoint, Carriage, Protocol
from inspector.model.report import Outcome
from inspector.model.topology import SandboxId

REFUSALS = {
    "TCP RST": "RST",
    "Destination Port Unreachable": "Destination Port Unreachable",
    "Destination unreachable: Port unreachable": "Destination unreachable: Port unreachable",
}
"""What a stack says where nothing listens (RFC 9293, 3.5.2; RFC 1122, 3.2.2.1; RFC 4443, 3.1), by verdict's reason."""


class Refusal(Struct, frozen=True):
    """A refusal, and where it was first seen."""

    what: str
    at: CapturePoint | None
    """None where no point saw it: it was made inside the source's own stack."""
    by: SandboxId | None
    """The stack that was asked, where it is its own refusal."""


def refusal(case: Case) -> Refusal | None:
    """Return who refused, where somebody did as a stack does it."""
    plan, verdict = case.recording.plan, case.verdict
    what = REFUSALS.get(verdict.reason or "")
    if plan.question.port is None or verdict.outcome is not Outcome.REJECTED or what is None:
        return None
    # Behind a proxy it is the proxy's own connection that was refused.
    proxied = plan.publication is not None and plan.publication.carriage is Carriage.PROXY
    back = [
        each
        for each in case.paths
        if each.direction is Direction.REPLY and each.segment == what and each.seen and each.proxied is proxied
    ]
    at = back[0].seen[0].point if back else None
    answering = plan.answering
    # A stack refuses a connection by RST, and by nothing else.
    fits = (plan.question.protocol is Protocol.TCP) == (what == "RST")
    return Refusal(what, at, answering if fits and at is not None and at.sandbox == answering else None)
