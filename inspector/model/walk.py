"""What one packet met of firewalls, at its place between two hops."""

import re

from msgspec import Struct

from inspector.model.sentence import say
from inspector.model.topology import SandboxId

ACCEPT, DROP = "accept", "drop"
POLICY = 0
"""Position of a chain's policy, which stands behind its rules and has no number."""
ENGINE, UFW, FIREWALLD, KUBE_PROXY = "engine", "ufw", "firewalld", "kube-proxy"
LIBVIRT, NETAVARK, USER, UNKNOWN = "libvirt", "netavark", "user", "unknown"
WHOSE = {
    ENGINE: say("the engine's"),
    UFW: say("{owner}'s", owner=UFW),
    FIREWALLD: say("{owner}'s", owner=FIREWALLD),
    KUBE_PROXY: say("{owner}'s", owner=KUBE_PROXY),
    LIBVIRT: say("{owner}'s", owner=LIBVIRT),
    NETAVARK: say("{owner}'s", owner=NETAVARK),
    USER: say("the user's"),
}
"""Owners of rules, in words; nothing is said where that is not known."""


class MetRule(Struct, frozen=True):
    """One rule that matched, or the policy that was left to decide."""

    chain: str
    position: int
    """From 1; POLICY for the chain's policy."""
    size: int
    """How many rules the chain has."""
    text: str
    """As its owner would write it, the chain left out; `policy drop` of a policy."""
    verdict: str
    """`accept`, `drop`, `continue`, `jump`, `goto`, `return`, `queue`, `stolen`."""
    owner: str
    """Who wrote it: one of the words above."""
    handle: int = 0
    """The kernel's number for it; 0 of a policy."""

    @property
    def translates(self) -> bool:
        """Whether it rewrites addresses or ports."""
        return self.verdict == ACCEPT and _TRANSLATES.search(self.text) is not None


_TRANSLATES = re.compile(
    r"-j (DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP)\b|\b(dnat|snat)( ip6?)? to |\b(masquerade|redirect)\b"
)
"""Statements that rewrite, as iptables and nft write them."""


class WalkStep(Struct, frozen=True):
    """One packet passed the chains of one hook of one table."""

    after: int
    """Index of the hop behind which it did; -1 ahead of the first."""
    sandbox: SandboxId
    hook: str
    """`prerouting`, `input`, `forward`, `output`, `postrouting`."""
    family: str
    table: str
    chains: tuple[str, ...]
    """Entered, in their order, each once; the first is the one the hook leads to."""
    rules: tuple[MetRule, ...]
    verdict: str
    """How the packet left; empty where that was not told."""

    @property
    def base(self) -> tuple[str, ...]:
        """Which chain of whose it is that the kernel entered."""
        return (self.sandbox, self.family, self.table, *self.chains[:1])

    @property
    def decided(self) -> MetRule | None:
        """The rule or policy that decided."""
        return self.rules[-1] if self.verdict and self.rules else None

    def name(self, met: MetRule) -> str:
        """Name a rule of it by its place: `rule 4 of 5 in raw PREROUTING (the engine's)`."""
        chain = f"{self.table} {met.chain}"
        if met.position == POLICY:
            return say("the policy of {chain}", chain=chain)
        if met.position < POLICY:
            return say("a rule of {chain} that is gone now", chain=chain)
        place = {"position": met.position, "size": met.size, "chain": chain}
        if met.owner not in WHOSE:
            return say("rule {position} of {size} in {chain}", **place)
        return say("rule {position} of {size} in {chain} ({whose})", whose=WHOSE[met.owner], **place)
