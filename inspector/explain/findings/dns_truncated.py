"""A large answer does not arrive whole.

What: the server says that its answer does not fit (TC), or has answered, and the program gets nothing of it.
Why: TCP to port 53 is filtered or refused; or the embedded DNS of an older engine drops what is over 512 bytes.
On the wire: TC=1 over UDP and no answer over TCP; or records on the way to the engine and none on the way from it.
Remedy: let TCP port 53 through to the server; ask by TCP (`--dns-option use-vc`, glibc only); a newer engine; a shorter
answer.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import told, wanted, was_dropped
from inspector.model.dns import Transport
from inspector.model.lookup import Libc
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for TC that nothing whole came after, and for records that were lost on the way back."""
    names = case.names
    if names is None or names.answers:
        return None
    truncated = [each for each in wanted(names) if each.message and each.message.truncated]
    dropped = [each for each in wanted(names) if was_dropped(each)]
    remedy: str
    if truncated:
        over_tcp = [each for each in wanted(names) if each.outcome.query.transport is Transport.TCP]
        title = say(
            "{server} has an answer that does not fit, and none came over TCP", server=truncated[0].outcome.query.server
        )
        told_by = (*truncated, *over_tcp)
        remedy = say("let TCP port 53 through to the name server")
    elif dropped:
        leg = next(each for each in dropped[0].forwarded if each.message and each.message.answers)
        count = len(leg.message.answers) if leg.message else 0
        title = say(
            "{server} answered with {count} records, and the embedded DNS handed none of them back",
            server=leg.server,
            count=count,
        )
        told_by = tuple(dropped)
        remedy = _over_tcp(case)
    else:
        return None
    return Finding(
        id="dns-truncated",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=title,
        evidence=tuple(
            dict.fromkeys(
                say("{told} ({transport})", told=told(each), transport=each.outcome.query.transport.value)
                for each in told_by
            )
        ),
        remedy=(remedy, say("or ask for less: one type, a shorter answer")),
    )


def _over_tcp(case: Case) -> str:
    """Say how the source comes to ask by TCP: the embedded DNS then does so, too (measured on Engine 20.10)."""
    glibc = case.names is not None and case.names.setup.libc is Libc.GLIBC
    return f"{case.command} run --dns-option use-vc" if glibc else say("a newer engine: 28 hands the whole answer back")
