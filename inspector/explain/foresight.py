"""Say what the host's firewall rules let one expect of a packet that it would route, by their words alone. Pure.

1. Chains are walked as the kernel would: those hooked ahead of routing, then those on the way through, by priority.
2. A condition is met, is not met, or may be. The first rule that surely matches and decides is what is expected; where
   one only may match, and would decide, nothing is expected of the rules.
3. Of a packet that is only bridged, of translations and of long chains nothing is said.
"""

import shlex
from collections.abc import Iterator, Mapping
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from inspector.model.prediction import Expected, Prediction
from inspector.model.question import Heading, PathKind, Plan, Protocol
from inspector.model.recording import Recording
from inspector.model.rules import Chain, ChainRule
from inspector.model.sentence import join, say
from inspector.model.topology import HOST
from inspector.wire.rule_words import named, within

NOT_CONSULTED = "; firewall rules not consulted"
HOOKS = ("prerouting", "forward")
DEEPEST = 16
"""Jumps followed; the kernel takes no more either (NFT_JUMP_STACK_SIZE, net/netfilter/nf_tables.h)."""
_GOES_ON = frozenset({"", "LOG", "NFLOG", "MARK", "CONNMARK", "CT", "TRACE", "TCPMSS", "CHECKSUM", "CLASSIFY"})
_STOPS = frozenset({"DROP", "REJECT"})
_PLAIN_MODULES = frozenset({"comment", "conntrack", "state", "tcp", "udp", "icmp", "icmp6"})
_PROTOCOLS = {4: {Protocol.ICMP: {"icmp", "1"}}, 6: {Protocol.ICMP: {"icmpv6", "ipv6-icmp", "58"}}}


class Sure(Enum):
    """What is known of a condition, a rule or a chain."""

    YES = auto()
    NO = auto()
    MAYBE = auto()


class Packet(Struct, frozen=True):
    """The first packet of a trace, as the host's rules would see it."""

    source: str
    destination: str
    protocols: frozenset[str]
    port: int | None
    inbound: str
    outbound: str


class Stopping(Struct, frozen=True):
    """The rule that is expected to stop it, or the policy where there is none."""

    chain: Chain
    rule: ChainRule | None

    def __str__(self) -> str:
        """Write it as the verdict does."""
        place = f"{self.chain.key.table} {self.chain.key.chain}"
        if self.rule is None:
            return say("the policy of {place} drops it", place=place)
        position, size = self.rule.position, self.chain.size
        return say("rule {position} of {size} in {place} stops it", position=position, size=size, place=place)


def foresee(recording: Recording) -> Prediction | None:
    """Return what the plan expects, with what the rules say to it where they were read."""
    prediction, packet = recording.plan.prediction, _packet(recording.plan)
    chains = recording.firewall.standing
    if prediction is None or prediction.outcome is not Expected.DELIVERED or packet is None or not chains:
        return prediction
    why = prediction.why.removesuffix(NOT_CONSULTED)
    found = _through(packet, chains, 4 if "." in packet.source else 6)
    if isinstance(found, Stopping):
        return Prediction(Expected.DROPPED, join("; ", (why, str(found))))
    passes, unsure = say("its firewall rules let it pass"), say("its firewall rules do not tell beforehand")
    return replace(prediction, why=join("; ", (why, passes if found is Sure.YES else unsure)))


def _packet(plan: Plan) -> Packet | None:
    routed = next((at for at, step in enumerate(plan.request) if step.routed and step.point.sandbox == HOST), None)
    source, destination = plan.source.address, plan.destination.address
    if plan.kind is not PathKind.ROUTED or not routed or source is None or destination is None:
        return None
    before, after = plan.request[routed - 1], plan.request[routed]
    if (before.heading, after.heading) != (Heading.IN, Heading.OUT) or plan.publication is not None:
        return None
    protocol = plan.question.protocol
    words = _PROTOCOLS[plan.family].get(protocol, {protocol.value})
    return Packet(
        source,
        destination,
        frozenset({*words, "all"}),
        plan.question.port,
        before.point.interface,
        after.point.interface,
    )


def _through(packet: Packet, chains: tuple[Chain, ...], family: int) -> Stopping | Sure:
    families = {"inet", "ip" if family == 4 else "ip6"}  # noqa: PLR2004
    known = {(each.key.family, each.key.table, each.key.chain): each for each in chains}
    bases = [
        (HOOKS.index(each.hook.name), each.hook.priority, each)
        for each in chains
        if each.hook and each.hook.name in HOOKS and each.key.family in families and each.key.table != "nat"
    ]
    for _, _, base in sorted(bases, key=lambda each: each[:2]):
        found = _walk(packet, base, known, 0)
        if found is Sure.NO and base.hook and base.hook.policy == "drop":
            return Stopping(base, None)
        if isinstance(found, Stopping) or found is Sure.MAYBE:
            return found
    return Sure.YES


def _walk(packet: Packet, chain: Chain, known: Mapping[tuple[str, str, str], Chain], depth: int) -> Stopping | Sure:
    """Return what stops it; YES where it is accepted, NO where the chain's end is reached."""
    if len(chain.rules) < chain.size or depth > DEEPEST:
        return Sure.MAYBE
    for rule in chain.rules:
        matches = _matches(packet, rule.text)
        if matches is Sure.NO or rule.target in _GOES_ON:
            continue
        below = known.get((chain.key.family, chain.key.table, rule.target))
        end = _walk(packet, below, known, depth + 1) if below else _decision(chain, rule)
        if below is not None and end is Sure.NO:
            continue
        if matches is Sure.MAYBE or end is Sure.MAYBE:
            return Sure.MAYBE
        return end
    return Sure.NO


def _decision(chain: Chain, rule: ChainRule) -> Stopping | Sure:
    if rule.target in _STOPS:
        return Stopping(chain, rule)
    return {"ACCEPT": Sure.YES, "RETURN": Sure.NO}.get(rule.target, Sure.MAYBE)


def _matches(packet: Packet, text: str) -> Sure:
    """Read a line of `iptables-save` against the packet; of what nft writes, nothing is sure."""
    if not text.startswith(("-", "!")):
        return Sure.MAYBE
    sure = Sure.YES
    for option, value, negated in _options(text):
        meets = _meets(packet, option, value)
        if meets is None:
            sure = Sure.MAYBE
        elif meets is negated:
            return Sure.NO
    return sure


def _options(text: str) -> Iterator[tuple[str, str, bool]]:
    """Yield option, value and whether it is negated, up to the target."""
    try:
        words = shlex.split(text)
    except ValueError:
        yield "?", "", False
        return
    at = 0
    while at < len(words) and words[at] not in {"-j", "-g"}:
        negated = words[at] == "!"
        at += negated
        option = words[at] if at < len(words) else "?"
        value = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("-") else ""
        yield option, value, negated
        at += 2 if value else 1


def _meets(packet: Packet, option: str, value: str) -> bool | None:
    """Say whether the packet meets a condition; None where that cannot be told."""
    match option:
        case "-s" | "-d":
            return within(packet.source if option == "-s" else packet.destination, value)
        case "-i" | "-o":
            return named(packet.inbound if option == "-i" else packet.outbound, value)
        case "-p":
            return value in packet.protocols
        case "-m":
            return True if value in _PLAIN_MODULES else None
        case "--comment":
            return True
        case "--ctstate" | "--state":
            return "NEW" in value.split(",")
        case "--dport" if packet.port is not None:
            low, _, high = value.partition(":")
            return int(low or 0) <= packet.port <= int(high or low or 65535)
    return None
