"""The overlay network's datagrams leave for another node, and none comes back.

What: containers of one overlay network reach each other on one node, and not from node to node; names resolve all the
same.
Why: the other node, or something between, lets no UDP to port 4789 in; or it told the swarm an address that is not its
own (`--advertise-addr`); or it is down. What is at fault there cannot be seen from here.
On the wire: VXLAN to the other node leaves by the uplink, and nothing comes back; or nobody has that node's address.
Remedy: on the other node let UDP 4789 in, and look at the address it advertises.
"""

from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.explain.tunnels import Crossed, crossed, silent_next_hop
from inspector.model.path import Direction
from inspector.model.question import Protocol
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for datagrams that left and were not answered, or that wait for the other node's MAC address."""
    tunnel = crossed(case)
    if tunnel is None:
        return None
    passage, uplink = tunnel.passage, f"{tunnel.uplink.sandbox}/{tunnel.uplink.name}"
    if (hop := silent_next_hop(case)) is not None:
        title = say(
            "nobody answers for {hop} on {uplink}, where VXLAN to {node} should leave",
            hop=hop,
            uplink=uplink,
            node=passage.node,
        )
        return _finding(
            case,
            tunnel,
            title,
            (say("ARP or ND for {address} at {point}: asked, not answered", address=hop, point=uplink),),
        )
    left = [hop for path in case.paths for hop in path.seen if hop.carrier and path.direction is Direction.REQUEST]
    back = any(path.seen for path in case.paths if path.direction is Direction.REPLY)
    # Silence may be all that a healthy service says to a datagram; a stack answers echoes and SYNs.
    silent = case.verdict.outcome is Outcome.UNANSWERED and case.recording.plan.question.protocol is not Protocol.UDP
    if not left or back or not silent:
        return None
    refused = tuple(
        say("{by} says: {words}", by=each.by, words=each.words) for each in case.complaints if each.by == passage.node
    )[:1]
    known = {"count": len(left), "uplink": uplink, "node": passage.node, "port": passage.port}
    sent = say("{count} datagrams left by {uplink} for {node}, UDP {port}, the probes inside", **known)
    if len(left) == 1:
        sent = say("{count} datagram left by {uplink} for {node}, UDP {port}, the probes inside", **known)
    evidence = (sent, *(refused or (say("nothing of it came back to {uplink}", uplink=uplink),)))
    comes = say("that node refuses it") if refused else say("nothing comes back from that node")
    title = say("{passage} leaves by {uplink}, and {comes}", passage=passage, uplink=uplink, comes=comes)
    return _finding(case, tunnel, title, evidence, Confidence.CERTAIN if refused else Confidence.LIKELY)


def _finding(
    case: Case,
    tunnel: Crossed,
    title: str,
    evidence: tuple[str, ...],
    confidence: Confidence = Confidence.CERTAIN,
) -> Finding:
    return Finding(
        id="overlay-peer-silent",
        severity=Severity.ERROR,
        confidence=confidence,
        title=title,
        evidence=evidence,
        remedy=tuple(_remedy(case, tunnel)),
    )


def _remedy(case: Case, tunnel: Crossed) -> Iterator[str]:
    """Say what to look at, and on which node: what is wrong beyond the uplink cannot be seen from here."""
    node, own, port = tunnel.passage.node, tunnel.passage.own or say("this node"), tunnel.passage.port
    command = f"{case.command} info -f '{{{{.Swarm.NodeAddr}}}}'"
    yield say("on {node}: let UDP {port} in from {own}   # iptables-save | grep {port}", node=node, port=port, own=own)
    yield say(
        "on {node} and {own}: let TCP and UDP 7946 through between them, and TCP 2377 to the managers",
        node=node,
        own=own,
    )
    yield say(
        "on {node}: {command}   # has to say {node}; else join again with --advertise-addr", node=node, command=command
    )
    yield say("on {own}: {command}   # has to say {own}: answers go there", own=own, command=command)
    yield say(
        "on {node}: trace from the container that has {address} to see what comes in",
        node=node,
        address=case.recording.plan.destination.address,
    )
