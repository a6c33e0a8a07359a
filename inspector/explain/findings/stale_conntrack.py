"""Datagrams to a published port go where the port no longer leads.

What: one client's datagrams stay without answer, while those of others, or from another port, are answered.
Why: the kernel asks the nat rules about the first packet of a flow alone, and keeps to that: a flow that began before
the container, or went to one that is gone, stays on its old way while its client goes on sending from that port.
On the wire: the rule rewrites new flows; the old one has an entry without that, or with an old address of a container.
Remedy: delete the entry; the next datagram is a new flow.
"""

from collections.abc import Iterable, Iterator

from inspector.explain.case import Case
from inspector.explain.translating import told
from inspector.model.conntrack import ConntrackEntry
from inspector.model.place import wanted
from inspector.model.question import Carriage, Protocol
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST

MOST_TOLD = 4


def detect(case: Case) -> Finding | None:
    """Look among all flows to the published port for those that do not go to the container."""
    plan, standing = case.recording.plan, case.recording.conntrack.standing
    publication = plan.publication
    if publication is None or plan.question.protocol is not Protocol.UDP:
        return None
    stale = tuple(each for each in standing if _leads_astray(case, each))
    if not stale:
        return None
    behind = wanted(publication.container, publication.port, plan.question.protocol)
    known = {"port": plan.question.port, "behind": behind}
    more = (say("and {count} more", count=len(stale) - MOST_TOLD),) if len(stale) > MOST_TOLD else ()
    now = (told(case.translations[0].entry),) if case.translations else ()
    return Finding(
        id="stale-conntrack",
        severity=Severity.WARNING if case.verdict.outcome is Outcome.DELIVERED else Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=say(
            "{count} flows to port {port} of the host do not go to {behind}: connection tracking keeps to an older way",
            count=len(stale),
            **known,
        )
        if len(stale) > 1
        else say(
            "one flow to port {port} of the host does not go to {behind}: connection tracking keeps to an older way",
            **known,
        ),
        evidence=(*(told(each) for each in stale[:MOST_TOLD]), *more, *now, *_addresses(case)),
        remedy=tuple(_commands(stale)),
    )


def _leads_astray(case: Case, entry: ConntrackEntry) -> bool:
    """Whether a flow to the host goes neither to the container nor where flows that begin now go.

    What ends on the host a proxy may take: only beside a new flow from the same client that a rule does carry on, and
    unanswered, it is on an older way. An engine without its proxy has a socket on the port, too, which it never reads.
    """
    publication, server = case.recording.plan.publication, entry.reply.source
    host = case.topology.sandbox(HOST)
    own = {str(each.ip) for link in (host.links if host else ()) for each in link.addresses}
    now = {each.entry.reply.source for each in case.translations}
    if publication is None or entry.original.destination not in own or server in {*_container(case), *now}:
        return False
    if server not in own:
        return True
    same = any(each.entry.original.source == entry.original.source for each in case.translations)
    return publication.carriage is Carriage.TRANSLATED and same and "seen-reply" not in entry.status


def _container(case: Case) -> set[str]:
    publication = case.recording.plan.publication
    container = case.topology.container(publication.container) if publication else None
    return {address for each in case.endpoints(container) for address in each.addresses}


def _addresses(case: Case) -> Iterator[str]:
    publication = case.recording.plan.publication
    if publication and (addresses := sorted(_container(case))):
        yield say("{container} has {addresses}", container=publication.container, addresses=", ".join(addresses))


def _commands(stale: Iterable[ConntrackEntry]) -> Iterator[str]:
    for address, port in dict.fromkeys((each.original.destination, each.original.destination_port) for each in stale):
        family = " -f ipv6" if ":" in address else ""
        command = f"conntrack -D{family} -p udp --orig-dst {address} --orig-port-dst {port}"
        yield say("{command}   # of the package conntrack", command=command)
