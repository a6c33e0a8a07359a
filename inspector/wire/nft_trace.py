"""Read what nf_tables tells of a traced packet (NFT_MSG_TRACE, linux/netfilter/nf_tables.h), and put it together.

1. One event is one rule that matched, or the end of one chain. Only the first of a base chain carries the packet.
2. Events belong together by trace id, family and table, from one that carries a packet to one that ends the base chain.
   The id is made from the kernel's buffer and may serve another packet later: nothing is joined by it beyond that.
3. No bytes raise. An event without a beginning is left out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from inspector.model.rules import RuleStep, StepKind, Traversal
from inspector.model.topology import SandboxId
from inspector.wire.nfnetlink import Message, attributes, number, text

TRACE = 10 << 8 | 17
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_TRACE"""
FAMILY_NAMES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
"""NFPROTO_*"""
_TABLE, _CHAIN, _HANDLE, _TYPE, _VERDICT, _ID = 1, 2, 3, 4, 5, 6
_NETWORK_HEADER, _TRANSPORT_HEADER, _INBOUND, _OUTBOUND, _POLICY = 8, 9, 10, 12, 16
"""NFTA_TRACE_*"""
_CODE, _TO = 1, 2
"""NFTA_VERDICT_*"""
_KINDS = {1: StepKind.POLICY, 2: StepKind.RETURN, 3: StepKind.RULE}
_VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -3: "jump", -4: "goto", -5: "return"}
"""NF_* (linux/netfilter.h), enum nft_verdicts; -2, break, is told of no rule that matched."""
_DROP = "drop"
_FINAL = frozenset({_DROP, "accept", "stolen", "queue"})
_NFGENMSG = 4
_IHL_UNIT = 4


class TraceEvent(NamedTuple):
    """One message of the kernel's."""

    id: int
    family: str
    table: str
    step: RuleStep
    frame: bytes
    """Empty where it carries no packet."""
    inbound: int | None
    outbound: int | None

    @property
    def final(self) -> bool:
        """Whether the packet leaves the base chain here."""
        return self.step.kind is StepKind.POLICY or self.step.verdict in _FINAL


def read_trace(message: Message) -> TraceEvent | None:
    """Read one event; None where it is none, or lacks what makes it one."""
    if message.type != TRACE or len(message.payload) < _NFGENMSG:
        return None
    found = attributes(message.payload[_NFGENMSG:])
    family, kind = FAMILY_NAMES.get(message.payload[0]), _KINDS.get(number(found.get(_TYPE)) or 0)
    if family is None or kind is None or not {_TABLE, _CHAIN, _ID} <= found.keys():
        return None
    said = attributes(found.get(_VERDICT, b""))
    code = _signed(found.get(_POLICY)) if kind is StepKind.POLICY else _signed(said.get(_CODE))
    step = RuleStep(
        chain=text(found[_CHAIN]),
        kind=kind,
        verdict=_verdict(code),
        handle=number(found.get(_HANDLE)),
        to=text(said[_TO]) if _TO in said else None,
    )
    return TraceEvent(
        id=number(found[_ID]) or 0,
        family=family,
        table=text(found[_TABLE]),
        step=step,
        frame=_frame(found.get(_NETWORK_HEADER, b""), found.get(_TRANSPORT_HEADER, b"")),
        inbound=number(found.get(_INBOUND)),
        outbound=number(found.get(_OUTBOUND)),
    )


def gather(sandbox: SandboxId, events: Iterable[TraceEvent | None], own: str) -> tuple[Traversal, ...]:
    """Put events together, in the order of their beginnings; None stands where some were lost.

    Tables whose names begin with `own` are left out: another run of ours tells of our packets, too. One that drops is
    none of ours, whatever it is called.
    """
    begun: list[tuple[TraceEvent, list[RuleStep]]] = []
    open_now: dict[tuple[int, str, str], list[RuleStep]] = {}
    for event in events:
        if event is None:
            open_now.clear()
            continue
        key = (event.id, event.family, event.table)
        if event.frame:
            open_now[key] = []
            begun.append((event, open_now[key]))
        if key in open_now:
            open_now[key].append(event.step)
            if event.final:
                del open_now[key]
    return tuple(
        _traversal(sandbox, first, steps)
        for first, steps in begun
        if not first.table.startswith(own) or any(each.verdict == _DROP for each in steps)
    )


def _traversal(sandbox: SandboxId, first: TraceEvent, steps: list[RuleStep]) -> Traversal:
    return Traversal(
        sandbox=sandbox,
        family=first.family,
        table=first.table,
        steps=tuple(steps),
        frame=first.frame,
        inbound=first.inbound,
        outbound=first.outbound,
    )


def _frame(network: bytes, transport: bytes) -> bytes:
    """Join the two headers; the kernel keeps 40 bytes of the first, and what was cut there cannot be joined."""
    if network[:1] and network[0] >> 4 == 4 and (network[0] & 0xF) * _IHL_UNIT != len(network):  # noqa: PLR2004
        return network
    return network + transport


def _signed(raw: bytes | None) -> int | None:
    return int.from_bytes(raw, "big", signed=True) if raw else None


def _verdict(code: int | None) -> str:
    """Name a verdict; the upper half of one that queues or drops is an argument."""
    if code is None:
        return "unknown"
    return _VERDICTS.get(code) or _VERDICTS.get(code & 0xFF if code >= 0 else code, "unknown")
