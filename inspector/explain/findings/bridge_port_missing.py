"""A container's veth is on no bridge, or its port does not forward.

What: frames are seen on the host-side veth and never on the bridge.
Why: something took the port from the bridge (a network manager, ip link set nomaster), or blocked it.
Remedy: put it back, or let it forward (BR_STATE_FORWARDING is 3, linux/if_bridge.h).
"""

import shlex

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.topology import HOST, Link


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
            mend = f"ip link set {shlex.quote(port.name)}"
            if port.bridge != bridge.key:
                mend = f"{mend} master {shlex.quote(bridge.name)}"
                return _finding(endpoint.network, port, bridge, mend, is_port=False)
            # A port without carrier, or of a bridge that is down, is disabled: interface-down says that better.
            if not port.forwarding and port.running and bridge.up:
                return _finding(endpoint.network, port, bridge, f"{mend} type bridge_slave state 3", is_port=True)
    return None


def _finding(network: str, port: Link, bridge: Link, mend: str, *, is_port: bool) -> Finding:
    known = {"sandbox": port.sandbox, "port": port.name, "bridge": bridge.name, "network": network}
    return Finding(
        id="bridge-port-missing",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say("{sandbox}/{port} does not forward on {bridge}, the bridge of {network}", **known)
        if is_port
        else say("{sandbox}/{port} is not a port of {bridge}, the bridge of {network}", **known),
        evidence=(
            say(
                "rtnetlink: {port} and {bridge}",
                port=f"{port.sandbox}/{port.name}",
                bridge=f"{bridge.sandbox}/{bridge.name}",
            ),
        ),
        remedy=(mend,),
    )
