"""Firewall rules as their owner would write them, and what a packet met of them."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.topology import SandboxId


class Backend(StrEnum):
    """Which of the kernel's packet filters holds a chain."""

    NFT = "nft"
    """nf_tables; rules of iptables-nft are there, too."""
    LEGACY = "legacy"
    """ip_tables and ip6_tables, as iptables-legacy writes them."""


class ChainKey(Struct, frozen=True):
    """Which chain, of which network stack."""

    sandbox: SandboxId
    backend: Backend
    family: str
    """`ip`, `ip6`, `inet`, `bridge`, `arp` or `netdev`, as nft calls them."""
    table: str
    chain: str


class Hook(Struct, frozen=True):
    """Where the kernel enters a base chain."""

    name: str
    """`prerouting`, `input`, `forward`, `output`, `postrouting`, `ingress`."""
    priority: int
    policy: str
    """`accept` or `drop`: what becomes of a packet that no rule decided about."""


class ChainRule(Struct, frozen=True):
    """One rule of a chain."""

    handle: int
    """The kernel's number for it (nf_tables); 0 where there is none (legacy)."""
    position: int
    """From 1, as `iptables -L --line-numbers` counts; 0 for the policy of a base chain (legacy)."""
    text: str
    """A line of `iptables-save` without `-A CHAIN`, or the rule as `nft list` writes it."""
    target: str
    """What it does to a packet: `DROP`, `REJECT`, `ACCEPT`, the chain jumped to; empty where it goes on."""
    packets: int | None = None
    """What its counter held; None where it has none."""


class Chain(Struct, frozen=True):
    """A chain, and the rules of it that matter to a trace."""

    key: ChainKey
    size: int
    """How many rules it has in all."""
    hook: Hook | None = None
    """None where other chains jump to it."""
    rules: tuple[ChainRule, ...] = ()
    """In their order; those that no packet of ours met may be left out."""

    def rule(self, handle: int) -> ChainRule | None:
        """Return the rule with this handle, if it is kept here."""
        return next((each for each in self.rules if each.handle == handle), None)


class StepKind(StrEnum):
    """What the kernel told of (enum nft_trace_types, linux/netfilter/nf_tables.h)."""

    RULE = "rule"
    RETURN = "return"
    """The end of a chain that others jump to."""
    POLICY = "policy"
    """The end of a base chain."""


class RuleStep(Struct, frozen=True):
    """One rule that matched, or the end of one chain."""

    chain: str
    kind: StepKind
    verdict: str
    """`accept`, `drop`, `continue`, `jump`, `goto`, `return`, `queue`, `stolen`."""
    handle: int | None = None
    """Of the rule; None at the end of a chain."""
    to: str | None = None
    """The chain that a jump or goto leads to."""


class Traversal(Struct, frozen=True):
    """One packet's way through the chains of one hook of one table (a base chain, and those it jumps to)."""

    sandbox: SandboxId
    family: str
    table: str
    steps: tuple[RuleStep, ...]
    frame: bytes
    """The packet's headers as the kernel told them, from the network header on; empty where it told none."""
    inbound: int | None = None
    """ifindex of the interface it came in by, as the rules see it."""
    outbound: int | None = None
    """ifindex of the interface it would leave by."""


class FirewallRecord(Struct, frozen=True):
    """What the firewalls of a trace's network stacks did to its packets."""

    traversals: tuple[Traversal, ...] = ()
    """Of each stack in the order in which the kernel told them; it puts no time on them."""
    chains: tuple[Chain, ...] = ()
    """Those that the traversals passed."""
    standing: tuple[Chain, ...] = ()
    """The host's chains as they stood when the probes were sent: short ones whole, of others only how long they are."""
    legacy_before: tuple[Chain, ...] = ()
    """Chains of the legacy backend, of each the rules that decide and whose counter rose; before the probes."""
    legacy_after: tuple[Chain, ...] = ()
    """The same chains when the probes were done."""


class Reception(Struct, frozen=True):
    """A network stack took a packet in (tracepoint net:netif_receive_skb). The kernel does not say which stack."""

    interface: str
    at_ns: int
    """Nanoseconds since the epoch, CLOCK_REALTIME; a tap's stamp of the same packet is a little older."""
    length: int
    """Bytes from the network header on."""
    alone_ns: int
    """For how long before no other packet of this length, except dropped ones, had come in by an interface so named."""


class KernelDrop(Struct, frozen=True):
    """The kernel freed a packet and said why (tracepoint skb:kfree_skb). It does not say which packet.

    But its CPU had received nothing else since `reception`, so it is the packet that came in there.
    """

    at_ns: int
    """Nanoseconds since the epoch, CLOCK_REALTIME."""
    reason: str
    """`NETFILTER_DROP`, `IP_RPFILTER`...: enum skb_drop_reason (include/net/dropreason-core.h)."""
    where: str
    """The kernel function that freed it; its address in hex where the name is hidden."""
    ethertype: int
    reception: Reception | None = None
    """Where it came in last; None where that is not known."""
