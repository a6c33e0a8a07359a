"""What a firewall did to the packets of a hand-written recording, in a few words."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from topologies import echo, link_named

from inspector.model.recording import Recording
from inspector.model.rules import (
    Backend,
    Chain,
    ChainKey,
    ChainRule,
    FirewallRecord,
    Hook,
    RuleStep,
    StepKind,
    Traversal,
)
from inspector.model.topology import HOST, SandboxId, Topology

HOOKS = {"PREROUTING": -300, "INPUT": 0, "FORWARD": 0, "OUTPUT": 0, "POSTROUTING": 100}


def kernel_words(frame: bytes) -> bytes:
    """Return what the kernel tells of a packet: 20 bytes of its IP header, and 20 of what follows."""
    return frame[14:54]


def passed(
    topology: Topology,
    base: str,
    *steps: str,
    frame: bytes | None = None,
    inbound: str | None = None,
    outbound: str | None = None,
    where: str = HOST,
) -> Traversal:
    """Return one packet's way through a base chain (`filter FORWARD`).

    A step is `CHAIN HANDLE VERDICT [TO]`, or `CHAIN policy VERDICT`.
    """
    return Traversal(
        sandbox=SandboxId(where),
        family="ip",
        table=base.split(maxsplit=1)[0],
        steps=tuple(_step(each) for each in steps),
        frame=kernel_words(frame or echo("172.17.0.2", "192.168.0.2")),
        inbound=link_named(topology, inbound).key.ifindex if inbound else None,
        outbound=link_named(topology, outbound).key.ifindex if outbound else None,
    )


def _step(words: str) -> RuleStep:
    chain, handle, verdict, *to = words.split()
    if handle == "policy":
        return RuleStep(chain, StepKind.POLICY, verdict)
    return RuleStep(chain, StepKind.RULE, verdict, int(handle), to[0] if to else None)


def chain(name: str, rules: Mapping[int, str], *, where: str = HOST, size: int = 9) -> Chain:
    """Return a chain (`filter FORWARD`) with the rules of these positions; the handle is the position."""
    table, base = name.split()
    key = ChainKey(SandboxId(where), Backend.NFT, "ip", table, base)
    kept = tuple(ChainRule(number, number, words, words.split()[-1]) for number, words in rules.items())
    hook = Hook(base.lower(), HOOKS[base], "accept") if base in HOOKS else None
    return Chain(key=key, size=size, hook=hook, rules=kept)


def with_firewall(recording: Recording, traversals: Iterable[Traversal], chains: Iterable[Chain]) -> Recording:
    """Return the recording with what a firewall did."""
    return replace(recording, firewall=FirewallRecord(traversals=tuple(traversals), chains=tuple(chains)))
