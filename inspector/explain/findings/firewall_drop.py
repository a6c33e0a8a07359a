"""A firewall rule that is not the engine's drops the packet.

What: the packet stops at one point, without an error; a rule, or the policy of a chain, dropped it.
Why: ufw, firewalld, a hand-written rule or one in DOCKER-USER; or nothing accepted it before the end of the chain.
On the wire: nothing comes back. The kernel says which rule of nf_tables a packet met. Of a legacy rule only a counter
rises, and the cause is then said to be likely.
Remedy: take the rule out, or let the two through ahead of it.
"""

from inspector.explain.case import Case
from inspector.explain.findings import firewall_backends_mixed, networks_isolated, published_port_filtered
from inspector.explain.making_way import ways
from inspector.explain.stopping import confidence_in, evidence_of, title_of
from inspector.explain.tunnels import rule_beneath
from inspector.model.report import Finding, Outcome, Severity
from inspector.model.sentence import say
from inspector.model.walk import ENGINE


def detect(case: Case) -> Finding | None:
    """Look at the rule that the verdict names."""
    rule = case.verdict.rule
    if rule is None or case.verdict.outcome is not Outcome.DROPPED or rule.owner == ENGINE:
        return None
    if rule.owner in networks_isolated.KEEPERS and networks_isolated.detect(case) is not None:
        return None
    if rule_beneath(case) is not None:
        return None
    if any(each.rule == rule for each in case.discovery_stops):
        return None
    if firewall_backends_mixed.detect(case) is not None:
        return None
    if published_port_filtered.detect(case) is not None:
        return None
    return Finding(
        id="firewall-drop",
        severity=Severity.ERROR,
        confidence=confidence_in(rule),
        title=say("{rule} drops the packet", rule=title_of(rule)),
        evidence=evidence_of(case, rule),
        remedy=ways(case, rule),
    )
