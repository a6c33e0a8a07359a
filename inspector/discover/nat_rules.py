"""Read the nat rules of the namespace the calling thread is in, without any tool, and changing nothing.

1. Two kinds of tables can be there at once: those of nf_tables (iptables-nft writes them too) and the legacy ones.
2. Asking for a legacy table makes it, so /proc is asked first whether it is there.
3. Call `read_nat_rules` by `inspector.netns.enter`; it needs CAP_NET_ADMIN there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from inspector.model.lookup import TranslationRule
from inspector.netfilter.asking import explained, listed, nf_tables_link
from inspector.netfilter.options import legacy_socket, legacy_table, legacy_tables
from inspector.wire import nf_tables
from inspector.wire.ip_tables import read_table
from inspector.wire.nfnetlink import GET_CHAIN, GET_RULE, Chain, Rule, read_chain, read_rule, request
from inspector.wire.rule_draft import Family, Placed

NF_TABLES, LEGACY = "nf_tables", "legacy"
_NAT = "nat"


def read_nat_rules() -> tuple[TranslationRule, ...]:
    """List the rules of all nat chains, for IPv4 and IPv6. Raises PrivilegeError, or InspectorError with the reason."""
    with explained("nat rules"):
        return (*_nf_tables(), *_legacy(Family.IPV4), *_legacy(Family.IPV6))


def _nf_tables() -> Iterator[TranslationRule]:
    with nf_tables_link() as link:
        if link is None:
            return
        chains: dict[tuple[Family, bytes], list[Chain]] = {}
        for message in listed(link, request(GET_CHAIN)):
            if chain := read_chain(message):
                chains.setdefault((chain.family, chain.raw_table), []).append(chain)
        for (family, table), members in chains.items():
            hooked = [each.name for each in members if each.kind == _NAT]
            if hooked or table == _NAT.encode():
                rules = [rule for each in listed(link, request(GET_RULE, family, table)) if (rule := read_rule(each))]
                placed = tuple(_placed(rules))
                # In a table of another name are chains that have nothing to do with nat.
                wanted = {each.name for each in members} if table == _NAT.encode() else _reached(hooked, placed)
                yield from (_translation(each, NF_TABLES) for each in placed if each.chain in wanted)


def _placed(rules: Iterable[Rule]) -> Iterator[Placed]:
    positions: Counter[str] = Counter()
    for rule in rules:
        positions[rule.chain] += 1
        draft = nf_tables.decode(rule)
        yield Placed(table=rule.table, chain=rule.chain, position=positions[rule.chain], draft=draft)


def _reached(chains: Iterable[str], placed: Iterable[Placed]) -> set[str]:
    """Name the chains that a packet may come to from these."""
    jumps: dict[str, set[str]] = {}
    for each in placed:
        if each.draft.target:
            jumps.setdefault(each.chain, set()).add(each.draft.target)
    found: set[str] = set()
    waiting = list(chains)
    while waiting:
        chain = waiting.pop()
        if chain not in found:
            found.add(chain)
            waiting.extend(jumps.get(chain, ()))
    return found


def _legacy(family: Family) -> Iterator[TranslationRule]:
    """Read the legacy nat table, if this namespace has one."""
    if _NAT not in legacy_tables(family):
        return
    with legacy_socket(family) as sock:
        found = legacy_table(sock, family, _NAT)
    if found is not None:
        info, block = found
        yield from (_translation(each, LEGACY) for each in read_table(_NAT, family, info, block))


def _translation(placed: Placed, backend: str) -> TranslationRule:
    draft = placed.draft
    return TranslationRule(
        table=placed.table,
        chain=placed.chain,
        position=placed.position,
        text=draft.text(placed.chain),
        backend=backend,
        family=draft.family.value,
        target=draft.target,
        source=_bare(draft.plain("-s")),
        destination=_bare(draft.plain("-d")),
        protocol=draft.plain("-p"),
        source_port=_port(draft.plain("--sport")),
        port=_port(draft.plain("--dport")),
        to_address=draft.to_address,
        to_port=draft.to_port,
    )


def _bare(prefix: str | None) -> str | None:
    """Return the address alone where the prefix is one address."""
    if prefix is None:
        return None
    address, _, length = prefix.partition("/")
    return address if length == ("128" if ":" in address else "32") else prefix


def _port(ports: str | None) -> int | None:
    return int(ports) if ports is not None and ports.isdecimal() else None
