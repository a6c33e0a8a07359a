"""Find the rule that dropped an ICMP error about a probe on its way home. Pure.

The kernel tells 20 bytes of a traced error: its own header and the first 12 of the packet that it quotes, without the
addresses. That these are a known error's follows from the frame of it that was seen: sender, type, code and the rest
of the header are the same, and of what it quotes length, identification and protocol. A translation changes neither.
"""

from collections.abc import Iterable

from inspector.correlate.fragments import Sighting
from inspector.correlate.rule_walk import deciding_rule
from inspector.model.recording import Recording
from inspector.model.report import Rule
from inspector.model.topology import SandboxId
from inspector.model.walk import ACCEPT, DROP

_V6 = 6
_ETHERNET = 14
_SOURCE = {4: slice(12, 16), 6: slice(8, 24)}
_CHECKSUM = slice(2, 4)
_TOLD = 20
_QUOTED = {4: 8 + 10, 6: 8 + 8}
"""Up to where a translation leaves it alone: ahead of the quoted header's checksum (RFC 791), or of its addresses."""


def complaint_stop(recording: Recording, sightings: Iterable[Sighting], last: SandboxId) -> Rule | None:
    """Return what dropped an error in the stack where it was seen last, where that is certain."""
    family = recording.plan.family
    marks = {_mark(each.observation.frame[_ETHERNET:], family) for each in sightings} - {None}
    told = [
        each
        for each in recording.firewall.traversals
        if each.sandbox == last and each.steps and _mark(each.frame, family) in marks
    ]
    through = {(each.family, each.table, each.steps[0].chain) for each in told if each.steps[-1].verdict == ACCEPT}
    dropped = (
        each
        for each in told
        if each.steps[-1].verdict == DROP and (each.family, each.table, each.steps[0].chain) not in through
    )
    return next((rule for each in dropped if (rule := deciding_rule(recording, each)) is not None), None)


def _mark(packet: bytes, family: int) -> tuple[bytes, bytes] | None:
    """Return what stays the same of an error: its sender, and its message up to where translations begin."""
    if not packet or packet[0] >> 4 != family:
        return None
    header = 40 if family == _V6 else (packet[0] & 0xF) * 4
    message = packet[header : header + _TOLD]
    if len(message) < _TOLD:
        return None
    return packet[_SOURCE[family]], message[: _CHECKSUM.start] + message[_CHECKSUM.stop : _QUOTED[family]]
