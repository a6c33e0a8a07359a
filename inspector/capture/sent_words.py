"""Say what was sent, for the list of what was done to the host. Pure."""

from inspector.model.place import place
from inspector.model.question import Plan, Protocol
from inspector.model.sentence import join, say

V6 = 6


def sent_words(plan: Plan, left: int) -> tuple[str, ...]:
    """Return sentences about the probes that left, if any did."""
    return (_sent(plan, left), learnt_words()) if left else ()


def learnt_words() -> str:
    """Say what is not undone, because it is not ours: caches that any packet fills (ip-neighbour(8), bridge(8))."""
    return say("what the stacks on the way learnt from it (neighbours, FDB, conntrack) is theirs, and ages out")


def _sent(plan: Plan, left: int) -> str:
    source = f"{plan.source.label} ({plan.source.address})" if plan.source.address else plan.source.label
    question, target = plan.question, place(plan.resolution.address or "", plan.question.port)
    known = {"count": left, "source": source, "target": target}
    match question.protocol:
        case Protocol.ICMP:
            version = "ICMPv6" if plan.family == V6 else "ICMP"
            if left > 1:
                return say("sent {count} {version} echo requests from {source} to {target}", version=version, **known)
            return say("sent {count} {version} echo request from {source} to {target}", version=version, **known)
        case Protocol.TCP:
            did = say("asked for {count} TCP connection from {source} to {target}", **known)
            if left > 1:
                did = say("asked for {count} TCP connections from {source} to {target}", **known)
            closed = say("what was accepted was closed again by FIN, and nothing was sent over it")
            return join("; ", (did, closed))
        case Protocol.UDP:
            did = say("sent {count} UDP datagram from {source} to {target}", **known)
            if left > 1:
                did = say("sent {count} UDP datagrams from {source} to {target}", **known)
            return say("{said}: {size} bytes that mean nothing to a service", said=did, size=question.size)
