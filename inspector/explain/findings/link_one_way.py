"""A legacy link works in one direction.

What: the container that was linked to cannot resolve the name of the one that links to it.
Why: `--link` writes a line into the hosts file of one container, and none into the other's.
On the wire: no DNS packet where the link works; a query that nobody can answer where it does not.
Remedy: a user-defined network for both; links are legacy, and their removal is announced for Engine 30.
"""

from inspector.explain.case import Case
from inspector.explain.lookups import evidence, is_unresolved, target_of
from inspector.explain.mending import naming_commands
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for a target that links to the source, where the source cannot resolve the target."""
    names, source, target = case.names, case.source, target_of(case)
    if names is None or source is None or target is None or not is_unresolved(case):
        return None
    if source.name not in target.links:
        return None
    return Finding(
        id="link-one-way",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        title=say("the link leads from {target} to {source}, and not back", target=target.name, source=source.name),
        evidence=(
            say("the engine: {target} has a link to {source}", target=target.name, source=source.name),
            say("/etc/hosts: no line"),
            *evidence(names),
        ),
        remedy=naming_commands(case, target),
    )
