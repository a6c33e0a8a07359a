"""Nobody on the link has the address.

What: the sender asks for a MAC address (ARP, or ND in IPv6) and nobody answers.
Why: no such host on that network, or it is down, or the subnet is not the one that was meant.
Remedy: look who has which address.
"""

from inspector.explain.case import Case
from inspector.model.report import Confidence, Finding, Severity


def detect(case: Case) -> Finding | None:
    """Look for a question without an answer, in a trace that nobody answered."""
    seen = "ARP or ND for {} at {}: asked, not answered"
    cached = "the neighbour cache has no MAC address for {} on {}"
    unanswered = [(seen, address, point) for address, mac, point in case.resolutions if mac is None]
    unanswered += [(cached, address, str(point)) for address, point in case.recording.unresolved()]
    if not unanswered or case.verdict.reason != "neighbour unanswered":
        return None
    evidence, address, point = unanswered[0]
    holders = [each.name for each in case.topology.containers for end in each.endpoints if address in end.addresses]
    known = f"the engine says it is {holders[0]}'s" if holders else "the engine knows nobody with it"
    return Finding(
        id="neighbour-unanswered",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=f"nobody on the link answers for {address}",
        evidence=(evidence.format(address, point), known),
        remedy=("dnetsniff ls   # who has which address",),
    )
