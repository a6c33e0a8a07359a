"""Find the rule that dropped a question or an answer of IPv6 neighbour discovery. Pure.

1. Such a message has no token: it is known by its type and the address it is about, and there may be several of them.
   So a rule is named only where no other was let through by the same chain, and none was seen further on.
2. A question goes to many stations. What one of them drops for itself says nothing, unless that one has the address;
   what a bridge's host drops counts where br_netfilter hands bridged frames to its rules.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from inspector.correlate.rule_walk import chain_key, deciding_rule
from inspector.correlate.tracks import Resolving, Tracks
from inspector.model.neighbours import DiscoveryStop
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.rules import Traversal
from inspector.model.topology import SandboxId
from inspector.model.walk import ACCEPT, DROP
from inspector.wire.discovery import SOLICITATION, discovery

_V6 = 6
_LEAVING = frozenset({"output", "postrouting"})
_ARRIVING = frozenset({"prerouting", "input"})
_BRIDGED = frozenset({"prerouting", "forward"})


class _Told(NamedTuple):
    traversal: Traversal
    asks: bool
    hook: str

    @property
    def base(self) -> tuple[str, ...]:
        """Which chain the kernel entered, and with what."""
        each = self.traversal
        return each.sandbox, each.family, each.table, each.steps[0].chain, str(self.asks)


def discovery_stop(recording: Recording, tracks: Tracks, address: str) -> DiscoveryStop | None:
    """Return what dropped the messages about an address, where that is certain."""
    if recording.plan.family != _V6:
        return None
    told = tuple(_told(recording, address))
    through = {each.base for each in told if each.traversal.steps[-1].verdict == ACCEPT}
    for each in told:
        if (
            each.traversal.steps[-1].verdict != DROP
            or each.base in through
            or not _ends(recording, tracks, each, address)
        ):
            continue
        if (rule := deciding_rule(recording, each.traversal)) is not None:
            return DiscoveryStop(address, each.asks, each.hook, rule)
    return None


def discovery_stops(recording: Recording, tracks: Tracks) -> tuple[DiscoveryStop, ...]:
    """Return what is certain of each of the trace's addresses."""
    found = (discovery_stop(recording, tracks, each) for each in recording.plan.neighbours)
    return tuple(each for each in found if each)


def _told(recording: Recording, address: str) -> Iterator[_Told]:
    chains = {each.key: each for each in recording.firewall.chains}
    for each in recording.firewall.traversals:
        found = discovery(each.frame, (address,)) if each.steps else None
        chain = chains.get(chain_key(each, each.steps[0].chain)) if found else None
        if found and chain and chain.hook:
            yield _Told(each, found[0] == SOLICITATION, chain.hook.name)


def _ends(recording: Recording, tracks: Tracks, told: _Told, address: str) -> bool:
    """Whether the message had to pass there, and was seen nowhere behind."""
    here = told.traversal.sandbox
    seen = [each for each in tracks.neighbour_talk() if each.asks == told.asks and each.target == address]
    left = any(_heads(recording, each, Heading.OUT) == here for each in seen)
    if told.hook in _LEAVING:
        return not left
    if _is_meant(recording, tracks, told, address):
        return told.hook in _ARRIVING
    came = any(_heads(recording, each, Heading.IN) not in {None, here} for each in seen)
    return told.hook in _BRIDGED and _bridged_too(recording, here) and not left and not came


def _heads(recording: Recording, each: Resolving, heading: Heading) -> SandboxId | None:
    return recording.point(each.observation.point).sandbox if each.observation.heading is heading else None


def _is_meant(recording: Recording, tracks: Tracks, told: _Told, address: str) -> bool:
    """Whether the message is for this stack: it has the address asked for, or has asked for the one told of."""
    here = told.traversal.sandbox
    if not told.asks:
        # A bridge's ports show the question on its way out, too: who asked showed it first.
        asked = next((each for each in tracks.neighbour_talk() if each.asks and each.target == address), None)
        return asked is not None and _heads(recording, asked, Heading.OUT) == here
    stack, wanted = recording.topology.sandbox(here), ip_address(address.partition("%")[0])
    return any(own.ip == wanted for link in (stack.links if stack else ()) for own in link.addresses)


def _bridged_too(recording: Recording, here: SandboxId) -> bool:
    stack = recording.topology.sandbox(here)
    settings = {each.name: each.value for each in (stack.settings if stack else ())}
    return settings.get("net.bridge.bridge-nf-call-ip6tables") == "1"
