"""The reverse path filter drops the packet.

What: a packet comes in by one interface, the answer to its sender would leave by another, and rp_filter drops it.
Why: a stack on several networks has its default route by one of them, and is asked by somebody behind the other.
On the wire: the packet is last seen coming in, no ICMP error comes back, and the kernel's reason is IP_RPFILTER.
Remedy: loose reverse path filtering (2) on that interface, or a route to the sender by it.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.mending import inside
from inspector.model.question import CapturePoint
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say
from inspector.model.topology import Sandbox, reverse_path_filter

REASON = "IP_RPFILTER"
STRICT, LOOSE = "1", "2"
"""Documentation/networking/ip-sysctl.rst; the larger of an interface's own and `all`'s counts."""


def detect(case: Case) -> Finding | None:
    """Look for the kernel's reason, and for the settings that let it be one."""
    point = case.verdict.last_seen
    stack = case.topology.sandbox(point.sandbox) if point else None
    if case.verdict.reason != REASON or point is None or stack is None:
        return None
    strict = _strict(stack, point)
    if not strict:
        return None
    own = reverse_path_filter(point.interface)
    return Finding(
        id="rp-filter-drop",
        severity=Severity.ERROR,
        confidence=Confidence.LIKELY,
        title=say(
            "{sandbox} drops what comes in by {interface} from where it would not answer to by it",
            sandbox=point.sandbox,
            interface=point.interface,
        ),
        evidence=(
            say("last seen at {last_seen}", last_seen=point),
            say("the kernel's drop reason: {reason}", reason=REASON),
            *strict,
        ),
        remedy=(inside(case, point.sandbox, f"sysctl -w {shlex.quote(f'{own}={LOOSE}')}"),),
    )


def _strict(stack: Sandbox, point: CapturePoint) -> tuple[str, ...]:
    """Return the settings that make it strict there; nothing where they do not, or are not known."""
    names = (reverse_path_filter("all"), reverse_path_filter(point.interface))
    values = {each.name: each.value for each in stack.settings if each.name in names and each.value is not None}
    if max(values.values(), default="0") != STRICT:
        return ()
    return tuple(
        say("/proc/sys of {sandbox}: {name} = {value}", sandbox=point.sandbox, name=name, value=value)
        for name, value in values.items()
    )
