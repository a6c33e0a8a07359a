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

from msgspec.structs import replace

from inspector.explain.case import Case
from inspector.explain.making_way import TOO_BIG, ways_for
from inspector.explain.mending import inside
from inspector.explain.sizes import Crossing, crossing, may_be_cut, narrow_link, wider
from inspector.explain.tunnels import too_large
from inspector.model.complaint import Complaint
from inspector.model.place import wanted
from inspector.model.question import PathKind, Protocol
from inspector.model.recording import Failed
from inspector.model.report import Confidence, Finding, Outcome, Rule, Severity
from inspector.model.sentence import say
from inspector.model.size import headers_length, packet_length
from inspector.model.topology import HOST, Link
from inspector.model.walk import POLICY

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
    where = f"{narrow.sandbox}/{narrow.name}" if narrow else say("a link behind {by}", by=told.by)
    came = told.heard and told.rule is None
    title = say(
        "{where} carries {mtu} bytes, the packet has {length}: {by} says so",
        where=where,
        mtu=mtu,
        length=_length(case),
        by=told.by,
    )
    return _finding(
        case,
        Severity.WARNING if came else Severity.ERROR,
        Confidence.CERTAIN,
        title=title
        if came
        else say("{said}, and {source} never heard it", said=title, source=case.recording.plan.source.label),
        evidence=(
            say(
                "{by}: {words}, first seen at {first_seen}, last at {last_seen}",
                by=told.by,
                words=told.words,
                first_seen=told.first_seen,
                last_seen=told.last_seen,
            ),
            *(_kept_by(told.rule) if told.rule else ()),
            *(_rtnetlink(narrow) if narrow else ()),
        ),
        remedy=(
            *(ways_for(case, told.rule, TOO_BIG[case.recording.plan.family]) if told.rule else ()),
            *(_raise(case, narrow) if narrow else ()),
            *(_forget(case) if came else _lower(case, mtu)),
            _smaller(case, mtu),
        ),
    )


def _kept_by(rule: Rule) -> tuple[str, ...]:
    place = f"{rule.family} {rule.table} {rule.chain}"
    which = say("rule {position}: {text}", position=rule.position, text=rule.text)
    return (
        say(
            "the kernel's trace of that error ends there: {place} on {sandbox}, {rule}",
            place=place,
            sandbox=rule.sandbox,
            rule=rule.text if rule.position == POLICY else which,
        ),
    )


def _refused(case: Case, refused: Failed) -> Finding:
    """Tell what the source's own stack knows: by its interface, or from what it was told earlier."""
    plan, topology = case.recording.plan, case.topology
    own = topology.link(plan.request[0].point.link) if plan.request else None
    mtu = refused.mtu or (own.mtu if own else 0)
    evidence = say(
        "sendto in {source}: {why}; the stack says that the way carries {mtu} bytes",
        source=plan.source.label,
        why=refused.why,
        mtu=mtu,
    )
    narrow = narrow_link(case, mtu)
    if own is None or mtu < own.mtu:
        return _finding(
            case,
            Severity.WARNING,
            Confidence.CERTAIN,
            title=say(
                "the packet has {length} bytes and may not be cut up, and {source} was told earlier that the way to "
                "{address} carries {mtu}",
                length=_length(case),
                source=plan.source.label,
                address=plan.destination.address,
                mtu=mtu,
            ),
            evidence=(evidence, *(_rtnetlink(own) if own else ()), *(_rtnetlink(narrow) if narrow else ())),
            remedy=(*(_raise(case, narrow) if narrow else ()), *_forget(case), _smaller(case, mtu)),
        )
    narrow = narrow or own
    return _finding(
        case,
        Severity.WARNING,
        Confidence.CERTAIN,
        title=say(
            "the packet has {length} bytes and may not be cut up, and {sandbox}/{link} carries {mtu}",
            length=_length(case),
            sandbox=narrow.sandbox,
            link=narrow.name,
            mtu=mtu,
        ),
        evidence=(evidence, *_rtnetlink(narrow)),
        remedy=(*_raise(case, narrow), _smaller(case, mtu)),
    )


def _swallowed(case: Case, found: Crossing) -> Finding:
    """Nobody said anything: a frame came as far as a link that does not carry it."""
    narrow, size = found.narrow, found.largest
    reason = next((each for each in case.recording.drops if each.reason == "PKT_TOO_BIG"), None)
    said = (
        (
            say(
                "the kernel dropped a packet at that time: {reason} in {where}",
                reason=reason.reason,
                where=reason.where,
            ),
        )
        if reason
        else ()
    )
    return _finding(
        case,
        Severity.ERROR,
        Confidence.CERTAIN if reason else Confidence.LIKELY,
        title=say(
            "{sandbox}/{link} carries {mtu} bytes, the packet has {size}, and nobody says so",
            sandbox=narrow.sandbox,
            link=narrow.name,
            mtu=narrow.mtu,
            size=size,
        ),
        evidence=(
            say(
                "a packet of {size} bytes was last seen at {last_seen}, never at {sandbox}/{link}",
                size=size,
                last_seen=found.last_seen,
                sandbox=narrow.sandbox,
                link=narrow.name,
            ),
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
        title=say(
            "{length} bytes that may not be cut up left by {last_seen} and nothing came back: a "
            "link out there may carry less, and only a smaller packet can tell",
            length=length,
            last_seen=case.verdict.last_seen,
        ),
        evidence=(say("last seen at {last_seen}; no ICMP error was seen", last_seen=case.verdict.last_seen),),
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
    size = say("a SYN and its options") if _opens(case) else f"--size {plan.question.size}"
    if may_be_cut(case):
        sent = say(
            "the probe has {length} bytes ({size}) and may be cut up by routers", length=_length(case), size=size
        )
    else:
        sent = say("the probe has {length} bytes ({size}) and may not be cut up", length=_length(case), size=size)
    return Finding(
        id="mtu-too-big",
        severity=severity,
        confidence=confidence,
        title=title,
        evidence=(*evidence, sent),
        remedy=remedy,
    )


def _rtnetlink(link: Link) -> tuple[str, ...]:
    return (say("rtnetlink: {sandbox}/{link} has mtu {mtu}", sandbox=link.sandbox, link=link.name, mtu=link.mtu),)


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
        say("for good: make its network anew with docker network create -o {option}={mtu}", option=OPTION, mtu=mtu),
    )


def _forget(case: Case) -> tuple[str, ...]:
    """Write the line after which the source's stack no longer knows what it was told; it would keep it ten minutes."""
    plan = case.recording.plan
    if plan.source.sandbox is None:
        return ()
    command = "ip -6 route flush cache" if plan.family == 6 else "ip route flush cache"  # noqa: PLR2004
    return (say("{command}   # forgets what it learned", command=inside(case, plan.source.sandbox, command)),)


def _smaller(case: Case, mtu: int) -> str:
    """Write the line that shows whether a packet of this size passes."""
    plan = case.recording.plan
    question = plan.question
    if _opens(case):
        # A SYN carries nothing: echoes can show what passes.
        question = replace(question, protocol=Protocol.ICMP, port=None)
    target = wanted(question.destination, question.port, question.protocol)
    ends = f"{shlex.quote(question.source)} {shlex.quote(target)}"
    family = f" -{question.family}" if question.family else ""
    headers = headers_length(replace(plan, question=question))
    command = f"dnetsniff trace {ends}{family} --df --size {max(mtu - headers, 0)}"
    return say("{command}   # fits: shows what passes", command=command)


def _length(case: Case) -> str:
    length = packet_length(case.recording.plan)
    return say("at least {length}", length=length) if _opens(case) else str(length)


def _opens(case: Case) -> bool:
    return case.recording.plan.question.protocol is Protocol.TCP
