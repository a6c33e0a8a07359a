"""Read chains of nf_tables, with the rules of them that matter.

1. Only what is asked for is listed: one list for each chain, so that rules elsewhere cost nothing.
2. A rule's position is counted; only a rule that is wanted is read and written.
3. A table has the shape that iptables-nft gives it, or not: that decides in whose words its rules are written.
4. Call it by `inspector.netns.enter`; it needs CAP_NET_ADMIN there.
"""

import socket
from collections.abc import Collection, Iterable
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from inspector.model import rules
from inspector.model.rules import Backend, ChainKey, ChainRule, Hook
from inspector.model.topology import SandboxId
from inspector.netfilter.asking import explained, listed, nf_tables_link, one
from inspector.netfilter.options import kernel_names
from inspector.wire import nf_tables, nft_text
from inspector.wire.nfnetlink import (
    GET_CHAIN,
    GET_ELEMENTS,
    GET_RULE,
    Chain,
    Rule,
    read_chain,
    read_rule,
    request,
    rule_handle,
    set_elements,
)
from inspector.wire.rule_draft import Family, Names

_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
"""By NF_INET_* (linux/netfilter.h)."""
_BUILT_IN = {
    "filter": {"INPUT": (1, 0), "FORWARD": (2, 0), "OUTPUT": (3, 0)},
    "nat": {"PREROUTING": (0, -100), "INPUT": (1, 100), "OUTPUT": (3, -100), "POSTROUTING": (4, 100)},
    "mangle": {
        "PREROUTING": (0, -150),
        "INPUT": (1, -150),
        "FORWARD": (2, -150),
        "OUTPUT": (3, -150),
        "POSTROUTING": (4, -150),
    },
    "raw": {"PREROUTING": (0, -300), "OUTPUT": (3, -300)},
    "security": {"INPUT": (1, 50), "FORWARD": (2, 50), "OUTPUT": (3, 50)},
}
"""Hook and priority of the base chains that iptables makes in each table (enum nf_ip_hook_priorities)."""


WHOLE = 32
"""Rules of a chain of which all are read."""


class Where(NamedTuple):
    """A chain, as nf_tables names it."""

    family: str
    table: str
    chain: str


def read_chains(
    sandbox: SandboxId, wanted: Iterable[tuple[str, str, str]], handles: Collection[int] | None = None
) -> tuple[rules.Chain, ...]:
    """Return the chains (family, table, name) that there are, with the rules of these handles, or with all.

    Of a chain that is no longer than WHOLE all rules are kept, too: the others say whose it is.

    Raises PrivilegeError, or InspectorError with the reason.
    """
    with explained("firewall rules"), nf_tables_link() as link:
        if link is None:
            return ()
        reader = _Reader(link, sandbox, handles)
        return tuple(found for each in wanted if (found := reader.chain(Where(*each))) is not None)


def list_chains() -> tuple[tuple[str, str, str], ...]:
    """Name all chains, as `read_chains` takes them. Raises PrivilegeError, or InspectorError with the reason."""
    with explained("firewall rules"), nf_tables_link() as link:
        if link is None:
            return ()
        chains = (read_chain(message) for message in listed(link, request(GET_CHAIN)))
        return tuple((each.family.value, each.table, each.name) for each in chains if each)


class _Reader:
    """One visit's worth of questions, and what was learned on the way."""

    def __init__(self, link: socket.socket, sandbox: SandboxId, handles: Collection[int] | None) -> None:
        self._link = link
        self._sandbox = sandbox
        self._handles = handles
        self._names = kernel_names()
        self._shapes: dict[tuple[str, str], bool] = {}

    def chain(self, where: Where) -> rules.Chain | None:
        """Return a chain; None where there is none."""
        found = self._ask(where)
        if found is None:
            return None
        kept: list[ChainRule] = []
        by_iptables = self._by_iptables(where)
        names = replace(self._names, elements=partial(self._elements, where))
        messages = listed(self._link, _request(GET_RULE, where), counted=True)
        whole = self._handles is None or len(messages) <= WHOLE
        for position, message in enumerate(messages, start=1):
            wanted = whole or rule_handle(message) in (self._handles or ())
            if wanted and (rule := read_rule(message)) is not None:
                kept.append(_written(rule, position, names, by_iptables=by_iptables))
        key = ChainKey(self._sandbox, Backend.NFT, where.family, where.table, where.chain)
        return rules.Chain(key=key, size=len(messages), hook=_hook(found), rules=tuple(kept))

    def _ask(self, where: Where) -> Chain | None:
        message = one(self._link, _request(GET_CHAIN, where, listed=False))
        return read_chain(message) if message else None

    def _elements(self, where: Where, name: bytes) -> list[bytes]:
        asked = request(GET_ELEMENTS, Family(where.family), _raw(where.table), name)
        return [set_elements(message) for message in listed(self._link, asked)]

    def _by_iptables(self, where: Where) -> bool:
        """Say whether a table is as iptables-nft makes it: nobody else has that name with chains of that kind."""
        table = where.family, where.table
        if table not in self._shapes:
            known = _BUILT_IN.get(where.table, {}) if where.family in {"ip", "ip6"} else {}
            there = [(name, found) for name in known if (found := self._ask(where._replace(chain=name))) is not None]
            alike = all((found.hook, found.priority) == known[name] for name, found in there)
            self._shapes[table] = bool(there) and alike
        return self._shapes[table]


def _request(kind: int, where: Where, *, listed: bool = True) -> bytes:
    return request(kind, Family(where.family), _raw(where.table), _raw(where.chain), listed=listed)


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _written(rule: Rule, position: int, names: Names, *, by_iptables: bool) -> ChainRule:
    """Write a rule as `iptables-save` does, or as nft does: also in a table of iptables, where that alone can."""
    # No other tool writes expressions of x_tables.
    by_iptables = by_iptables or any(each.name in {"match", "target"} for each in rule.expressions)
    words = None if by_iptables else nft_text.write(rule, names)
    if words is None:
        draft = nf_tables.decode(rule, names)
        if draft.unread and (native := nft_text.write(rule, names)).whole:
            words = native
        else:
            return ChainRule(rule.handle, position, draft.line(), draft.target or "", draft.packets)
    return ChainRule(rule.handle, position, words.text, words.target, words.packets)


def _hook(chain: Chain) -> Hook | None:
    if chain.hook is None:
        return None
    name = _HOOKS[chain.hook] if chain.hook < len(_HOOKS) else "ingress"
    return Hook(name=name, priority=chain.priority, policy="drop" if chain.drops else "accept")
