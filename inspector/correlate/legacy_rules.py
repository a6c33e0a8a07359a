"""Guess which legacy rule stopped the probes, by its counter. Pure.

1. The kernel does not tell of legacy rules: that a counter rose is a comparison, and makes a cause likely, never sure.
2. The rule drops or rejects, could match the probe or its answer as far as its words go, stands in the stack where the
   packet was last seen (or comes to next), and counted at least as many packets as there are probes without an answer.
3. Where several fit, none is named: a packet is dropped once.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from inspector.correlate.rule_owner import owner_of
from inspector.correlate.rule_verdict import Stop
from inspector.model.path import Direction, Path, Seen
from inspector.model.question import Plan
from inspector.model.recording import Answered, Recording, Sent
from inspector.model.report import Rule
from inspector.model.rules import Backend, Chain, ChainRule
from inspector.model.sentence import say
from inspector.model.topology import SandboxId
from inspector.model.walk import POLICY, UNKNOWN
from inspector.wire.rule_words import conditions, may_match

_ECHO = {4: ("icmp", "8", "0"), 6: ("ipv6-icmp", "128", "129")}
"""Protocol of an echo, and the types of request and reply (RFC 792, RFC 4443)."""
_FAMILIES = {4: "ip", 6: "ip6"}
_STOPS, _ACCEPTS = frozenset({"DROP", "REJECT"}), frozenset({"ACCEPT"})


class Comparison(Struct, frozen=True):
    """A rule whose counter rose as it would if it had stopped the probes."""

    rule: Rule
    size: int
    packets: int
    """How many it counted meanwhile."""

    @property
    def summary(self) -> str:
        """Name it, and say how far this goes."""
        chain = f"{self.rule.table} {self.rule.chain} ({Backend.LEGACY})"
        which = say("the policy of {chain}", chain=chain)
        if position := self.rule.position:
            which = say("rule {position} of {size} in {chain}", position=position, size=self.size, chain=chain)
        return say("likely by {rule}: it counted {count} packets meanwhile", rule=which, count=self.packets)


def compare_counters(recording: Recording, paths: Sequence[Path]) -> Comparison | None:
    """Return the one rule that fits; None where there is none, or more than one."""
    stuck = sum(
        isinstance(each, Sent) or (isinstance(each, Answered) and each.answer != "reply") for each in recording.probes
    )
    before = {each.key: each for each in recording.firewall.legacy_before}
    fitting = [
        Comparison(_rule(recording, chain, rule), chain.size, counted)
        for chain in recording.firewall.legacy_after
        if chain.key in before and chain.key.sandbox in _where(recording, paths)
        for rule, counted in _counted(before[chain.key], chain, _STOPS)
        if stuck and counted >= stuck and _fits(recording.plan, chain, rule, paths)
    ]
    return fitting[0] if len(fitting) == 1 else None


def accepted_by_legacy(recording: Recording, stop: Stop | None) -> Rule | None:
    """Return a legacy rule that is likely to have accepted, in the same hook, what a rule of nf_tables dropped.

    The two filters are asked one after the other: where the dropping one comes first, the other counts nothing.
    """
    if stop is None or stop.rejects:
        return None
    stuck = sum(isinstance(each, Sent) for each in recording.probes)
    before = {each.key: each for each in recording.firewall.legacy_before}
    for chain in recording.firewall.legacy_after:
        same_place = chain.key.sandbox == stop.step.sandbox and chain.key.family == _FAMILIES[recording.plan.family]
        same_hook = chain.hook.name == stop.step.hook if chain.hook else chain.key.table == "filter"
        if chain.key not in before or not same_place or not same_hook:
            continue
        for rule, counted in _counted(before[chain.key], chain, _ACCEPTS):
            if stuck and counted >= stuck and _fits(recording.plan, chain, rule, (stop.path,)):
                return _rule(recording, chain, rule)
    return None


def _counted(before: Chain, after: Chain, targets: frozenset[str]) -> Iterator[tuple[ChainRule, int]]:
    earlier = {each.position: each for each in before.rules}
    for rule in after.rules:
        old = earlier.get(rule.position)
        if old is not None and old.text == rule.text and rule.target in targets:
            yield rule, (rule.packets or 0) - (old.packets or 0)


def _where(recording: Recording, paths: Sequence[Path]) -> set[SandboxId]:
    """Return the stacks in which the packet may have ended: where it was last seen, and the next on its way."""
    found: set[SandboxId] = set()
    for path in paths:
        last = max((at for at, hop in enumerate(path.hops) if isinstance(hop, Seen)), default=-1)
        found |= {hop.point.sandbox for hop in path.hops[max(last, 0) : last + 2]}
    if recording.plan.source.sandbox is not None and not any(path.seen for path in paths):
        found.add(recording.plan.source.sandbox)
    return found


def _fits(plan: Plan, chain: Chain, rule: ChainRule, paths: Sequence[Path]) -> bool:
    """Say whether the rule's words let it match the probe, or an answer that was seen."""
    asked = conditions(rule.text)
    links = {point.interface for point in plan.points if point.sandbox == chain.key.sandbox}
    ends = (plan.source.address, plan.resolution.address)
    protocol, request, reply = _ECHO[plan.family]
    if plan.question.port is not None:
        protocol, request, reply = str(plan.question.protocol), "", ""
    answered = any(path.direction is Direction.REPLY and path.seen for path in paths)
    asks = may_match(asked, source=ends[0], destination=ends[1], protocol=protocol, kind=request, links=links)
    back = may_match(asked, source=ends[1], destination=ends[0], protocol=protocol, kind=reply, links=links)
    return asks or (answered and back)


def _rule(recording: Recording, chain: Chain, rule: ChainRule) -> Rule:
    key = chain.key
    owner = owner_of(rule, chain, recording.topology) if rule.position != POLICY else UNKNOWN
    place = key.family, key.table, key.chain
    return Rule(*place, rule.position, rule.text, owner, sandbox=key.sandbox, backend=Backend.LEGACY)
