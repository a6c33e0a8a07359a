"""The embedded DNS does not know a container of its own network.

What: the name of a running container on a common network is asked upstream, and not known there.
Why: the engine lost its record of the container (seen after a swarm was left, and after restarts).
On the wire: the query leaves by the container's interface, where a known name never leaves its `lo`.
Remedy: take the container off the network and put it on again, so that the engine writes its record anew.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.lookups import asks_locally, is_unresolved, target_of, told, user_networks, wanted
from inspector.model.report import Confidence, Finding, Severity


def detect(case: Case) -> Finding | None:
    """Look for a name of a common network that was asked on."""
    names, target = case.names, target_of(case)
    if names is None or target is None or not target.running or not is_unresolved(case):
        return None
    common = [each for each in user_networks(case, case.source) if each in user_networks(case, target)]
    leaked = [each for each in wanted(names) if asks_locally(case, each) and each.forwarded]
    if not common or not leaked:
        return None
    network, name = shlex.quote(common[0]), shlex.quote(target.name)
    return Finding(
        id="embedded-dns-forwards-own-names",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=f"{target.name} is on {common[0]} too, and the embedded DNS asks {leaked[0].forwarded[0].server} for it",
        evidence=(f"the engine: {target.name} is on {', '.join(common)}", *dict.fromkeys(map(told, leaked))),
        remedy=(f"docker network disconnect {network} {name}", f"docker network connect {network} {name}"),
    )
