"""A container's veth is on no bridge, or its port does not forward.

What: frames are seen on the host-side veth and never on the bridge.
Why: something took the port from the bridge (a network manager, ip link set nomaster), or blocked it.
Remedy: put it back.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.topology import HOST, LinkKey


def detect(case: Case) -> Finding | None:
    """Look at the host-side veth of each end whose network has a bridge."""
    if case.verdict.outcome is Outcome.DELIVERED:
        return None
    for container in (case.source, case.destination):
        for endpoint in case.endpoints(container) if container else ():
            network = case.topology.network(endpoint.network)
            link = case.topology.link(endpoint.link)
            port = case.topology.link(link.peer) if link else None
            bridge = case.topology.link(network.bridge) if network else None
            if port is None or bridge is None or port.sandbox != HOST:
                continue
            if port.bridge != bridge.key:
                return _finding(endpoint.network, port.key, port.name, bridge.name, "is not a port of")
            if not port.forwarding:
                return _finding(endpoint.network, port.key, port.name, bridge.name, "does not forward on")
    return None


def _finding(network: str, key: LinkKey, port: str, bridge: str, what: str) -> Finding:
    return Finding(
        id="bridge-port-missing",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=f"{key.sandbox}/{port} {what} {bridge}, the bridge of {network}",
        evidence=(f"rtnetlink: {key.sandbox}/{port} and {key.sandbox}/{bridge}",),
        remedy=(f"ip link set {port} master {bridge}",),
    )
