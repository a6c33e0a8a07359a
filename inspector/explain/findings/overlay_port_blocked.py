"""A firewall rule of this node stops the overlay network's datagrams.

What: containers of one overlay network reach each other on one node, and not from node to node.
Why: what leaves for another node is UDP to port 4789 (VXLAN), and a rule here drops it, on its way out or in.
On the wire: the packet enters the tunnel's link and never leaves by the uplink; or the answer comes in by the uplink,
as VXLAN, and never reaches the tunnel's link.
Remedy: take the rule out, or let the port through ahead of it, between the nodes alone.
"""

from inspector.explain.case import Case
from inspector.explain.making_way import open_port
from inspector.explain.stopping import confidence_in, evidence_of, title_of
from inspector.explain.tunnels import crossed, rule_beneath
from inspector.model.path import Direction
from inspector.model.report import Finding, Outcome, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look at the rule that the verdict names, where the packet met it as VXLAN."""
    tunnel, rule = crossed(case), rule_beneath(case)
    if tunnel is None or rule is None or case.verdict.outcome is not Outcome.DROPPED:
        return None
    passage = tunnel.passage
    inward = any(path.stops for path in case.paths if path.direction is Direction.REPLY)
    what = say("the VXLAN from {node}", node=passage.node) if inward else say("the VXLAN to {node}", node=passage.node)
    return Finding(
        id="overlay-port-blocked",
        severity=Severity.ERROR,
        confidence=confidence_in(rule),
        title=say("{rule} drops {what}, UDP port {port}", rule=title_of(rule), what=what, port=passage.port),
        evidence=evidence_of(case, rule),
        remedy=open_port(rule, passage.node, passage.port, inward=inward),
    )
