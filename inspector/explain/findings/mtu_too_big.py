"""The packet is larger than a link of its way carries.

What: small packets pass and big ones do not: a connection opens and then hangs.
Why: the MTU of a link is below that of the links before it. A router says so (ICMP: fragmentation needed, packet too
big), unless a firewall keeps that from the sender; a bridge and a veth pair drop the frame and say nothing.
On the wire: the big packet is seen up to the link before the narrow one; or an error comes back that names the MTU; or
nothing is sent at all, where the sender's own stack knows.
Remedy: give the narrow link the MTU of the others; where it leads to a network that carries no more, give the
containers' network that MTU when it is created.
"""

import errno
import shlex

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.explain.sizes import Crossing, crossing, may_be_cut, narrow_link, wider
from inspector.explain.tunnels import too_large
from inspector.model.complaint import Complaint
from inspector.model.question import PathKind
from inspector.model.recording import Failed
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.size import HEADERS, packet_length
from inspector.model.topology import HOST, Link

ANYWHERE = 1280
"""What every IPv6 link carries (RFC 8200, 5), and in practice every IPv4 link."""
OPTION = "com.docker.network.driver.mtu"
"""The option of a bridge network that sets the MTU of its containers' interfaces."""


def detect(case: Case) -> Finding | None:
    """Believe the source's own stack first, then an ICMP error, then where the big packet ended."""
    if too_large(case) is not None:
        return None
    refused = [each for each in case.recording.probes if isinstance(each, Failed) and each.errno == errno.EMSGSIZE]
    told = next((each for each in case.complaints if each.mtu is not None), None)
    if told is not None:
        return _told(case, told)
    if refused:
        return _refused(case, refused[0])
    stopped = case.verdict.outcome in {Outcome.LOST, Outcome.DROPPED} and case.verdict.rule is None
    if stopped and (found := crossing(case)) is not None:
        return _swallowed(case, found)
    return _undecided(case)


def _told(case: Case, told: Complaint) -> Finding:
    """Somebody on the way said how much the next link carries."""
    mtu = told.mtu or 0
    narrow = narrow_link(case, mtu)
    where = f"{narrow.sandbox}/{narrow.name}" if narrow else f"a link behind {told.by}"
    heard = "" if told.heard else f", and {case.recording.plan.source.label} never heard it"
    return _finding(
        case,
        Severity.WARNING if told.heard else Severity.ERROR,
        Confidence.CERTAIN,
        title=f"{where} carries {mtu} bytes, the packet has {packet_length(case.recording.plan)}: "
        f"{told.by} says so{heard}",
        evidence=(
            f"{told.by}: {told.words}, first seen at {told.first_seen}, last at {told.last_seen}",
            *(_rtnetlink(narrow) if narrow else ()),
        ),
        remedy=(
            *(_raise(case, narrow) if narrow else ()),
            *(_forget(case) if told.heard else _lower(case, mtu)),
            _smaller(case, mtu),
        ),
    )


def _refused(case: Case, refused: Failed) -> Finding:
    """Tell what the source's own stack knows: by its interface, or from what it was told earlier."""
    plan, topology = case.recording.plan, case.topology
    own = topology.link(plan.request[0].point.link) if plan.request else None
    mtu = refused.mtu or (own.mtu if own else 0)
    evidence = f"sendto in {plan.source.label}: {refused.why}; the stack says that the way carries {mtu} bytes"
    title = f"the packet has {packet_length(plan)} bytes and may not be cut up, "
    narrow = narrow_link(case, mtu)
    if own is None or mtu < own.mtu:
        return _finding(
            case,
            Severity.WARNING,
            Confidence.CERTAIN,
            title=f"{title}and {plan.source.label} was told earlier that the way to {plan.destination.address} "
            f"carries {mtu}",
            evidence=(evidence, *(_rtnetlink(own) if own else ()), *(_rtnetlink(narrow) if narrow else ())),
            remedy=(*(_raise(case, narrow) if narrow else ()), *_forget(case), _smaller(case, mtu)),
        )
    narrow = narrow or own
    return _finding(
        case,
        Severity.WARNING,
        Confidence.CERTAIN,
        title=f"{title}and {narrow.sandbox}/{narrow.name} carries {mtu}",
        evidence=(evidence, *_rtnetlink(narrow)),
        remedy=(*_raise(case, narrow), _smaller(case, mtu)),
    )


def _swallowed(case: Case, found: Crossing) -> Finding:
    """Nobody said anything: a frame came as far as a link that does not carry it."""
    narrow, size = found.narrow, found.largest
    reason = next((each for each in case.recording.drops if each.reason == "PKT_TOO_BIG"), None)
    said = (f"the kernel dropped a packet at that time: {reason.reason} in {reason.where}",) if reason else ()
    return _finding(
        case,
        Severity.ERROR,
        Confidence.CERTAIN if reason else Confidence.LIKELY,
        title=f"{narrow.sandbox}/{narrow.name} carries {narrow.mtu} bytes, the packet has {size}, and nobody says so",
        evidence=(
            f"a packet of {size} bytes was last seen at {found.last_seen}, never at {narrow.sandbox}/{narrow.name}",
            *_rtnetlink(narrow),
            *said,
        ),
        remedy=(*_raise(case, narrow), _smaller(case, narrow.mtu)),
    )


def _undecided(case: Case) -> Finding | None:
    """Tell of a big packet that left and was not answered: only a smaller one can tell why."""
    plan = case.recording.plan
    length = packet_length(plan)
    away = (
        plan.kind in {PathKind.OUTSIDE, PathKind.PAST_HOST, PathKind.TUNNELLED}
        and case.verdict.outcome is Outcome.UNANSWERED
    )
    if not away or may_be_cut(case) or length <= ANYWHERE:
        return None
    return _finding(
        case,
        Severity.NOTE,
        Confidence.POSSIBLE,
        title=f"{length} bytes that may not be cut up left by {case.verdict.last_seen} and nothing came back: a link "
        "out there may carry less, and only a smaller packet can tell",
        evidence=(f"last seen at {case.verdict.last_seen}; no ICMP error was seen",),
        remedy=(_smaller(case, ANYWHERE),),
    )


def _finding(
    case: Case,
    severity: Severity,
    confidence: Confidence,
    *,
    title: str,
    evidence: tuple[str, ...],
    remedy: tuple[str, ...],
) -> Finding:
    plan = case.recording.plan
    cut = "may be cut up by routers" if may_be_cut(case) else "may not be cut up"
    sent = f"the probe has {packet_length(plan)} bytes (--size {plan.question.size}) and {cut}"
    return Finding(
        id="mtu-too-big",
        severity=severity,
        confidence=confidence,
        title=title,
        evidence=(*evidence, sent),
        remedy=remedy,
    )


def _rtnetlink(link: Link) -> tuple[str, ...]:
    return (f"rtnetlink: {link.sandbox}/{link.name} has mtu {link.mtu}",)


def _raise(case: Case, narrow: Link) -> tuple[str, ...]:
    """Write the line that widens the link; nothing where the others are no wider."""
    mtu = wider(case, narrow)
    if mtu is None:
        return ()
    return (inside(case, narrow.sandbox, f"ip link set dev {shlex.quote(narrow.name)} mtu {mtu}"),)


def _lower(case: Case, mtu: int) -> tuple[str, ...]:
    """Write the line after which a source that is not told sends nothing larger; a new network could do it for good."""
    plan = case.recording.plan
    own = case.topology.link(plan.request[0].point.link) if plan.request else None
    if own is None or own.sandbox == HOST:
        return ()
    return (
        inside(case, own.sandbox, f"ip link set dev {shlex.quote(own.name)} mtu {mtu}"),
        f"for good: make its network anew with docker network create -o {OPTION}={mtu}",
    )


def _forget(case: Case) -> tuple[str, ...]:
    """Write the line after which the source's stack no longer knows what it was told; it would keep it ten minutes."""
    plan = case.recording.plan
    if plan.source.sandbox is None:
        return ()
    command = "ip -6 route flush cache" if plan.family == 6 else "ip route flush cache"  # noqa: PLR2004
    return (f"{inside(case, plan.source.sandbox, command)}   # forgets what it learned",)


def _smaller(case: Case, mtu: int) -> str:
    """Write the line that shows whether a packet of this size passes."""
    plan = case.recording.plan
    ends = f"{shlex.quote(plan.question.source)} {shlex.quote(plan.question.destination)}"
    family = f" -{plan.question.family}" if plan.question.family else ""
    return (
        f"dnetsniff trace {ends}{family} --df --size {max(mtu - HEADERS[plan.family], 0)}   # fits: shows what passes"
    )
