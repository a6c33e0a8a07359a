"""Join what the firewalls told to the packets of the trace, and place it between their hops. Pure.

1. A traversal is joined by the packet's own headers and token, never by the kernel's trace id.
2. Its place follows from its hook and the interface that the rules saw: what is hooked on the way in comes behind the
   hop that came in there, what is hooked on the way out ahead of the hop that leaves there. Where br_netfilter hands
   bridged frames to the rules, that interface is the bridge, and the hop one of its ports. What it sends back onto its
   bridge, rewritten and to a neighbour yet to be found, leaves by the bridge itself, and is forwarded behind that.
3. What cannot be placed, or whose base chain is not known, is left out.
"""

from collections.abc import Iterator, Mapping, Sequence

from inspector.correlate.carried_walk import carried_traversals
from inspector.correlate.rule_owner import owner_of
from inspector.correlate.tracks import Kind, Tracks
from inspector.model.path import Hop, Seen
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.report import Rule
from inspector.model.rules import Backend, Chain, ChainKey, Hook, RuleStep, StepKind, Traversal
from inspector.model.topology import Topology
from inspector.model.walk import POLICY, UNKNOWN, MetRule, WalkStep
from inspector.wire import headers

_INWARD = frozenset({"prerouting", "input", "forward"})
_FINAL = frozenset({"accept", "drop", "queue", "stolen"})

Met = Mapping[tuple[Kind, int], Sequence[Traversal]]


def traversals_by_packet(recording: Recording, tracks: Tracks) -> Met:
    """Return what each packet of the trace met, in the order told."""
    carried = carried_traversals(recording, tracks)
    found: dict[tuple[Kind, int], list[Traversal]] = {key: [*met] for key, met in carried.items()}
    for traversal in recording.firewall.traversals:
        read = headers.read_packet(traversal.frame)
        key = tracks.key(read) if read else None
        if key is not None:
            found.setdefault(key, []).append(traversal)
    return found


def walk(recording: Recording, hops: Sequence[Hop], traversals: Sequence[Traversal]) -> tuple[WalkStep, ...]:
    """Return the walk of one packet over these hops, in the order of its way."""
    chains = {each.key: each for each in recording.firewall.chains}
    steps = (_step(recording.topology, chains, hops, each) for each in traversals)
    return tuple(sorted((each for each in steps if each is not None), key=lambda step: step.after))


def _step(
    topology: Topology, chains: Mapping[ChainKey, Chain], hops: Sequence[Hop], traversal: Traversal
) -> WalkStep | None:
    first = chains.get(chain_key(traversal, traversal.steps[0].chain)) if traversal.steps else None
    after = _place(topology, hops, traversal, first.hook) if first and first.hook else None
    if first is None or first.hook is None or after is None:
        return None
    rules = tuple(met_rules(topology, chains, traversal))
    last = traversal.steps[-1]
    return WalkStep(
        after=after,
        sandbox=traversal.sandbox,
        hook=first.hook.name,
        family=traversal.family,
        table=traversal.table,
        chains=tuple(dict.fromkeys(_entered(traversal))),
        rules=rules,
        verdict=last.verdict if last.verdict in _FINAL else "",
    )


def _entered(traversal: Traversal) -> Iterator[str]:
    """Yield the chains in the order in which they were entered; an empty one tells nothing of itself."""
    for step in traversal.steps:
        yield step.chain
        if step.to:
            yield step.to


def met_rules(topology: Topology, chains: Mapping[ChainKey, Chain], traversal: Traversal) -> Iterator[MetRule]:
    """Yield the rules and policies that one traversal was told of, in their order."""
    for step in traversal.steps:
        chain = chains.get(chain_key(traversal, step.chain))
        if step.kind is StepKind.POLICY:
            text = f"policy {step.verdict}"
            yield MetRule(step.chain, POLICY, chain.size if chain else 0, text, step.verdict, UNKNOWN)
        elif step.handle is not None:
            yield _rule(topology, chain, step, step.handle)


def deciding_rule(recording: Recording, traversal: Traversal) -> Rule | None:
    """Return the rule or policy that decided, as a verdict names it; None where it is gone."""
    chains = {each.key: each for each in recording.firewall.chains}
    met = list(met_rules(recording.topology, chains, traversal))[-1:]
    place = traversal.family, traversal.table
    known = (each for each in met if each.position >= POLICY)
    return next(
        (
            Rule(*place, each.chain, each.position, each.text, each.owner, traversal.sandbox, handle=each.handle)
            for each in known
        ),
        None,
    )


def _rule(topology: Topology, chain: Chain | None, step: RuleStep, handle: int) -> MetRule:
    rule = chain.rule(handle) if chain else None
    if chain is None or rule is None:
        # It was taken out before it could be listed.
        return MetRule(step.chain, -1, chain.size if chain else 0, f"[rule {handle}, gone]", step.verdict, UNKNOWN)
    owner = owner_of(rule, chain, topology)
    return MetRule(step.chain, rule.position, chain.size, rule.text, step.verdict, owner, rule.handle)


def chain_key(traversal: Traversal, chain: str) -> ChainKey:
    """Return which chain of a traversal's table it is."""
    return ChainKey(traversal.sandbox, Backend.NFT, traversal.family, traversal.table, chain)


def _place(topology: Topology, hops: Sequence[Hop], traversal: Traversal, hook: Hook) -> int | None:
    inward = hook.name in _INWARD
    ifindex = traversal.inbound if inward else traversal.outbound
    heading = Heading.IN if inward else Heading.OUT
    here = [number for number, hop in enumerate(hops) if hop.point.sandbox == traversal.sandbox]
    same = [number for number in here if hops[number].heading is heading]
    fitting = [number for number in same if ifindex in _indices(topology, hops[number])]
    if not here:
        return None
    if hook.name == "forward" and (sent_back := _sent_back(topology, hops, traversal)) is not None:
        return sent_back
    if inward:
        # br_netfilter asks the rules between a port and its bridge: a bridge that saw nothing stands behind them.
        seen = [number for number in fitting if isinstance(hops[number], Seen)]
        return (seen or fitting or same or [here[0] - 1])[-1]
    return fitting[0] - 1 if fitting else same[0] - 1 if same else here[-1]


def _sent_back(topology: Topology, hops: Sequence[Hop], traversal: Traversal) -> int | None:
    """Return the hop by which a bridge sent back what came in by one of its ports (br_nf_pre_routing_finish)."""
    stack = topology.sandbox(traversal.sandbox)
    asked = {each.value for each in (stack.settings if stack else ()) if each.name.endswith("bridge-nf-call-iptables")}
    if traversal.inbound != traversal.outbound or "1" not in asked:
        return None
    place = traversal.sandbox, traversal.outbound
    return next(
        (
            number
            for number, hop in enumerate(hops)
            if isinstance(hop, Seen)
            and hop.heading is Heading.OUT
            and (hop.point.sandbox, hop.point.link.ifindex) == place
        ),
        None,
    )


def _indices(topology: Topology, hop: Hop) -> set[int]:
    """Return the interfaces as which the rules may see a hop: its own, and the bridge it is a port of."""
    link = topology.link(hop.point.link)
    return {hop.point.link.ifindex, *([link.bridge.ifindex] if link and link.bridge else [])}
