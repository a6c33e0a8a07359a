"""Name the flows of a trace in each network stack, as connection tracking may know them. Pure."""

from collections.abc import Iterable, Iterator

from inspector.model.conntrack import Flow
from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.model.topology import SandboxId
from inspector.wire import headers

MOST_FRAMES = 1_000
"""Frames that are looked at: a flow shows in its first ones."""


def flows_met(recording: Recording) -> dict[SandboxId, tuple[Flow, ...]]:
    """Return each flow once: as the source sent it, and as frames showed it."""
    plan = recording.plan
    found: dict[SandboxId, dict[Flow, None]] = {}
    if plan.source.sandbox is not None:
        found[plan.source.sandbox] = dict.fromkeys(_sent(recording))
    for each in recording.observations[:MOST_FRAMES]:
        flow = _flow(plan.question.protocol, headers.read(each.frame))
        if flow is not None:
            found.setdefault(recording.point(each.point).sandbox, {})[flow] = None
    return {sandbox: tuple(_each_once(flows)) for sandbox, flows in found.items()}


def _sent(recording: Recording) -> Iterator[Flow]:
    """Yield what the probes were addressed to: a rule may rewrite it before any interface sees it."""
    source, target = recording.plan.source.address, recording.plan.resolution.address
    for port in recording.source_ports if source and target else ():
        yield Flow(_bare(source or ""), _bare(target or ""), port, recording.plan.question.port)


def _bare(address: str) -> str:
    return address.partition("%")[0]


def _each_once(flows: Iterable[Flow]) -> Iterator[Flow]:
    known: set[Flow] = set()
    for flow in flows:
        if flow.reversed not in known:
            known.add(flow)
            yield flow


def _flow(protocol: Protocol, read: headers.Headers | None) -> Flow | None:
    if read is None or read.ip is None:
        return None
    source, destination = read.ip.source, read.ip.destination
    if protocol is Protocol.ICMP:
        icmp = read.icmp
        if icmp is None or icmp.identifier is None:
            return None
        return Flow(source, destination, echo=icmp.identifier, type=icmp.type)
    ports = read.tcp if protocol is Protocol.TCP else read.udp
    return Flow(source, destination, ports.source_port, ports.destination_port) if ports else None
