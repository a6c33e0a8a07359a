"""Read chains and the place of rules from netlink messages of nf_tables, without understanding what rules do.

No bytes raise. Sources: linux/netfilter/nf_tables.h (NFTA_CHAIN_*, NFTA_HOOK_*, NFTA_RULE_*), linux/netfilter.h.
"""

import struct
from typing import NamedTuple

from inspector.model.rules import Hook
from inspector.wire.nfnetlink import NEW_CHAIN, NEW_RULE, REQUEST, Message, attributes, number, text
from inspector.wire.nft_trace import FAMILY_NAMES

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_NUMBERS = {name: value for value, name in FAMILY_NAMES.items()}
_TABLE, _NAME, _HOOK, _POLICY = 1, 3, 4, 5
_RULE_CHAIN, _RULE_HANDLE = 2, 3
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
"""enum nf_inet_hooks; those of bridges have the same numbers."""
_WITH_HOOKS = frozenset({"ip", "ip6", "inet", "bridge"})
_POLICIES = {0: "drop", 1: "accept"}
_NFGENMSG = 4
_SEEN_BY = {4: frozenset({"ip", "inet", "bridge"}), 6: frozenset({"ip6", "inet", "bridge"})}


class HookedChain(NamedTuple):
    """A chain, and where the kernel enters it."""

    name: str
    hook: Hook | None


def request_chain(kind: int, flags: int, family: str, table: str, chain: str) -> bytes:
    """Write a request for one chain (NFT_MSG_GETCHAIN), or for a list of its rules (NFT_MSG_GETRULE, NLM_F_DUMP)."""
    name = _NAME if kind & 0xFF == 4 else _RULE_CHAIN  # noqa: PLR2004 - NFT_MSG_GETCHAIN
    payload = _FAMILY.pack(_NUMBERS.get(family, 0), 0, 0) + _text(_TABLE, table) + _text(name, chain)
    return _HEADER.pack(_HEADER.size + len(payload), kind, REQUEST | flags, 0, 0) + payload


def hooked_table(message: Message, family: int) -> str | None:
    """Return the table of a base chain that may see packets of the family (4 or 6); None of anything else."""
    name = FAMILY_NAMES.get(message.payload[0]) if message.type == NEW_CHAIN and message.payload else None
    if name not in _SEEN_BY[family]:
        return None
    found = attributes(message.payload[_NFGENMSG:])
    return text(found.get(_TABLE, b"")) if _HOOK in found else None


def read_hooked(message: Message) -> HookedChain | None:
    """Read a chain's name, hook, priority and policy; None where it is no chain."""
    if message.type != NEW_CHAIN or len(message.payload) < _NFGENMSG:
        return None
    found = attributes(message.payload[_NFGENMSG:])
    hook = None
    if _HOOK in found:
        where = attributes(found[_HOOK])
        at = number(where.get(_HOOK_NUMBER)) or 0
        known = FAMILY_NAMES.get(message.payload[0]) in _WITH_HOOKS and at < len(_HOOKS)
        priority = int.from_bytes(where.get(_HOOK_PRIORITY, b""), "big", signed=True)
        policy = _POLICIES.get(number(found.get(_POLICY)) or 0, "accept")
        hook = Hook(name=_HOOKS[at] if known else f"hook {at}", priority=priority, policy=policy)
    return HookedChain(text(found.get(_NAME, b"")), hook)


def rule_handle(message: Message) -> int | None:
    """Return the handle of a rule; None where it is no rule."""
    if message.type != NEW_RULE or len(message.payload) < _NFGENMSG:
        return None
    return number(attributes(message.payload[_NFGENMSG:]).get(_RULE_HANDLE))


def _text(kind: int, value: str) -> bytes:
    raw = value.encode() + b"\0"
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(raw), kind) + raw + b"\0" * (-len(raw) % 4)
