"""Read legacy tables before and after something, and say which of their rules had work meanwhile.

The kernel does not tell which legacy rule a packet met; that a counter rose is all there is. Tables are only read
where they are already there: nothing is loaded and nothing is made. It needs CAP_NET_ADMIN in the calling thread's
namespace.
"""

from collections.abc import Iterator

from msgspec import Struct

from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, Hook
from inspector.model.topology import SandboxId
from inspector.netfilter.asking import explained
from inspector.netfilter.options import kernel_names, legacy_socket, legacy_table, legacy_tables
from inspector.wire.ip_tables import Info, counters, read_whole_table, spots
from inspector.wire.rule_draft import Family, Placed

_HOOKS = {each.upper(): each for each in ("prerouting", "input", "forward", "output", "postrouting")}
_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
_NAT = {"PREROUTING": -100, "OUTPUT": -100, "INPUT": 100, "POSTROUTING": 100}
"""enum nf_ip_hook_priorities (linux/netfilter_ipv4.h)"""


ACCEPT = "ACCEPT"


class LegacyTable(Struct, frozen=True):
    """One table as the kernel handed it out: not yet understood."""

    family: Family
    table: str
    info: Info
    block: bytes


def read_legacy(number: int) -> tuple[LegacyTable, ...]:
    """Read the tables of one family (4 or 6) that have rules. Raises PrivilegeError, or InspectorError."""
    family = {4: Family.IPV4, 6: Family.IPV6}[number]
    with explained("legacy firewall rules"):
        names = legacy_tables(family)
        if not names:
            return ()
        with legacy_socket(family) as sock:
            found = ((name, legacy_table(sock, family, name)) for name in names)
            return tuple(LegacyTable(family, name, *each) for name, each in found if each is not None)


def risen(
    sandbox: SandboxId, before: tuple[LegacyTable, ...], after: tuple[LegacyTable, ...]
) -> tuple[tuple[Chain, ...], tuple[Chain, ...]]:
    """Return, before and after, the rules that decide and counted packets meanwhile; of policies those that drop.

    A table whose rules changed meanwhile is left out: what is where in it cannot be compared.
    """
    old: list[Chain] = []
    new: list[Chain] = []
    earlier = {(each.family, each.table): each for each in before}
    for table in after:
        known = earlier.get((table.family, table.table))
        if known is None or len(known.block) != len(table.block) or known.info != table.info:
            continue
        counted = counters(known.block, table.family)
        busy = {at for at, packets in counters(table.block, table.family).items() if packets > counted.get(at, packets)}
        if busy:
            old.extend(_chains(sandbox, known, busy))
            new.extend(_chains(sandbox, table, busy))
    return tuple(old), tuple(new)


def _chains(sandbox: SandboxId, table: LegacyTable, offsets: set[int]) -> Iterator[Chain]:
    names = kernel_names()
    placed = tuple(read_whole_table(table.table, table.family, table.info, table.block, names=names, offsets=offsets))
    placed = tuple(each for each in placed if each.position or each.draft.target != ACCEPT)
    for name in dict.fromkeys(each.chain for each in placed):
        rules = tuple(_rule(each) for each in placed if each.chain == name)
        key = ChainKey(sandbox, Backend.LEGACY, table.family.value, table.table, name)
        policy = "drop" if any(each.position == 0 for each in rules) else "accept"
        yield Chain(key=key, size=_size(table, name), hook=_hook(table.table, name, policy), rules=rules)


def _size(table: LegacyTable, chain: str) -> int:
    return max(each.position for each in spots(table.family, table.info, table.block) if each.chain == chain)


def _hook(table: str, chain: str, policy: str) -> Hook | None:
    name = _HOOKS.get(chain)
    priority = _NAT.get(chain, 0) if table == "nat" else _PRIORITIES.get(table, 0)
    return Hook(name, priority, policy) if name else None


def _rule(placed: Placed) -> ChainRule:
    draft = placed.draft
    text = draft.line() if placed.position else f"policy {(draft.target or '').lower()}"
    return ChainRule(0, placed.position, text, draft.target or "", draft.packets)
