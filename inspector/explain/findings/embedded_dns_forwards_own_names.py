"""The embedded DNS does not know a container of its own network.

What: the name of a running container on a common network is asked upstream, and not known there.
Why: the engine lost its record of the container (seen after a swarm was left, and after restarts).
On the wire: the query leaves by the container's interface, where a known name never leaves its `lo`.
Remedy: take the container off the network and put it on again, so that the engine writes its record anew.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import asks_locally, known_names, target_of, told, wanted
from inspector.explain.mending import common_networks, rejoin_commands
from inspector.model.names import Exchange, Mechanism
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say

OF_ITS_OWN = frozenset({"A", "AAAA"})
"""What the embedded DNS answers for a name it knows; TXT and others it forwards (measured on Engine 20.10 and 28.5)."""


def detect(case: Case) -> Finding | None:
    """Look for a name of a common network that was asked on; search domains make other names of it, which are not."""
    names, target = case.names, target_of(case)
    if names is None or target is None or names.mechanism not in {Mechanism.UNRESOLVED, Mechanism.UPSTREAM_DNS}:
        return None
    known = known_names(case, target)
    leaked = [each for each in wanted(names) if _name(each) in known and _is_asked_on(case, each)]
    if not leaked:
        return None
    common = common_networks(case, target)
    return Finding(
        id="embedded-dns-forwards-own-names",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say(
            "{target} is on {common} too, and the embedded DNS asks {server} for it",
            target=target.name,
            common=common[0],
            server=leaked[0].forwarded[0].server,
        ),
        evidence=(
            say("the engine: {target} is on {common}", target=target.name, common=", ".join(common)),
            *dict.fromkeys(map(told, leaked)),
        ),
        remedy=rejoin_commands(case, common[0], target),
    )


def _name(exchange: Exchange) -> str:
    return exchange.outcome.query.name.rstrip(".").lower()


def _is_asked_on(case: Case, exchange: Exchange) -> bool:
    return exchange.outcome.query.type in OF_ITS_OWN and asks_locally(case, exchange) and bool(exchange.forwarded)
