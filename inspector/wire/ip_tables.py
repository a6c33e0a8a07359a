"""Read a legacy table of iptables or ip6tables as the kernel hands it out: one block of entries, one behind the other.

1. Chains are where the hooks point, and where an entry's target is ERROR, which holds the name of a user's chain.
2. The last entry of each chain is its policy, or the RETURN at the end of a user's chain: no rule.
3. A verdict below zero is -(NF_* + 1); above, it is the offset of the entry to go on with.
"""

import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from inspector.model.text import safe
from inspector.wire.prefixes import prefix_text
from inspector.wire.rule_draft import Draft, Family, Names, Placed, protocol_name, unread

TABLE_NAME_LENGTH = 32
"""XT_TABLE_MAXNAMELEN"""
INFO = struct.Struct("=32sI5I5III")
"""linux/netfilter_ipv4/ip_tables.h, struct ipt_getinfo: name, valid_hooks, hook_entry, underflow, num_entries, size"""
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
"""By NF_INET_*"""

_IP4 = struct.Struct("=4s4s4s4s16s16s16s16sHBB")
"""struct ipt_ip: src, dst, smsk, dmsk, iniface, outiface, their masks, proto, flags, invflags"""
_IP6 = struct.Struct("=16s16s16s16s16s16s16s16sHBBB")
"""struct ip6t_ip6: the same, with tos before flags"""
_OFFSETS = struct.Struct("=HH")
"""target_offset, next_offset"""
_OFFSETS_AT = {Family.IPV4: 88, Family.IPV6: 140}
_ENTRY_LENGTH = {Family.IPV4: 112, Family.IPV6: 168}
_COUNTER, _COUNTER_AT = struct.Struct("=Q"), {Family.IPV4: 96, Family.IPV6: 152}
"""struct xt_counters: packets come first"""
_EXTENSION = struct.Struct("=H29sB")
"""struct xt_entry_match and xt_entry_target: size with this head, name, revision"""
_VERDICT = struct.Struct("=i")
_VERDICTS = {-1: "DROP", -2: "ACCEPT", -4: "QUEUE", -5: "RETURN"}
_ERROR, _REJECT = "ERROR", "REJECT"
_DECIDED = frozenset({_VERDICT.pack(-1), _VERDICT.pack(-2)})
"""DROP, ACCEPT"""

_INVERTED_IN, _INVERTED_OUT, _INVERTED_SOURCE, _INVERTED_DESTINATION, _INVERTED_FRAGMENT, _INVERTED_PROTOCOL = (
    0x01,
    0x02,
    0x08,
    0x10,
    0x20,
    0x40,
)
_FRAGMENT, _GOTO = 0x01, {Family.IPV4: 0x02, Family.IPV6: 0x04}
"""IPT_F_FRAG; IPT_F_GOTO, IP6T_F_GOTO"""


class Info(NamedTuple):
    """What IPT_SO_GET_INFO says of a table."""

    hooks: tuple[tuple[str, int, int], ...]
    """Name of each built-in chain, where it begins, and where its policy is."""
    size: int


class Spot(NamedTuple):
    """Where an entry is: its chain, its number in it from 1, or 0 for what happens at the chain's end."""

    offset: int
    chain: str
    position: int


class _Entry(NamedTuple):
    offset: int
    target_offset: int
    next_offset: int
    name: str
    """Of the target; empty for a verdict."""
    revision: int
    data: bytes
    """Of the target."""


def read_info(answer: bytes) -> Info | None:
    """Read the answer to IPT_SO_GET_INFO; None where it is cut."""
    if len(answer) < INFO.size:
        return None
    _name, valid, *numbers = INFO.unpack_from(answer)
    hooks = tuple(
        (name, numbers[hook], numbers[hook + len(_HOOKS)]) for hook, name in enumerate(_HOOKS) if valid >> hook & 1
    )
    return Info(hooks=hooks, size=numbers[-1])


def read_table(table: str, family: Family, info: Info, block: bytes, names: Names | None = None) -> Iterator[Placed]:
    """Read the rules of a table, chain by chain."""
    return (each for each in read_whole_table(table, family, info, block, names=names) if each.position)


def read_whole_table(
    table: str,
    family: Family,
    info: Info,
    block: bytes,
    *,
    names: Names | None = None,
    offsets: Collection[int] | None = None,
) -> Iterator[Placed]:
    """Read the rules of a table, and behind those of each chain what happens at its end, as position 0.

    Those at these `offsets` alone, where they are given: see `counters`.
    """
    entries = {each.offset: each for each in _entries(block, family)}
    chains = {each.next_offset: _text(each.data) for each in entries.values() if each.name == _ERROR}
    for spot in spots(family, info, block):
        if offsets is None or spot.offset in offsets:
            draft = _rule(block, entries[spot.offset], chains, Draft(family, names=names or Names()))
            yield Placed(table=table, chain=spot.chain, position=spot.position, draft=draft)


def spots(family: Family, info: Info, block: bytes) -> Iterator[Spot]:
    """Say which chain each entry belongs to, without reading what it does."""
    entries = tuple(_entries(block, family))
    built_in = {offset: name for name, offset, _ in info.hooks}
    closing = {offset for _, _, offset in info.hooks}
    # A user's chain, and the block itself, ends where the next ERROR stands; the RETURN before it closes the chain.
    closing |= {entry.offset for entry, after in pairwise(entries) if after.name == _ERROR}
    chain, position = "", 0
    for entry in entries:
        begun = _text(entry.data) if entry.name == _ERROR else built_in.get(entry.offset)
        if begun is not None:
            chain, position = begun, 0
        if entry.name == _ERROR:
            continue
        if entry.offset in closing:
            yield Spot(entry.offset, chain, 0)
        else:
            position += 1
            yield Spot(entry.offset, chain, position)


def counters(block: bytes, family: Family) -> dict[int, int]:
    """Return how many packets each entry has counted, by its offset; entries that decide nothing are left out."""
    return {
        each.offset: _COUNTER.unpack_from(block, each.offset + _COUNTER_AT[family])[0]
        for each in _entries(block, family)
        if each.name == _REJECT or (not each.name and each.data[: _VERDICT.size] in _DECIDED)
    }


def _entries(block: bytes, family: Family) -> Iterator[_Entry]:
    """Walk over the block for as long as its lengths make sense."""
    offset, shortest = 0, _ENTRY_LENGTH[family]
    while offset + shortest <= len(block):
        to_target, to_next = _OFFSETS.unpack_from(block, offset + _OFFSETS_AT[family])
        target, following = offset + to_target, offset + to_next
        if to_target < shortest or following < target + _EXTENSION.size or following > len(block):
            return
        _size, name, revision = _EXTENSION.unpack_from(block, target)
        data = block[target + _EXTENSION.size : following]
        yield _Entry(offset, target, following, _text(name), revision, data)
        offset = following


def _rule(block: bytes, entry: _Entry, chains: Mapping[int, str], draft: Draft) -> Draft:
    from inspector.wire.xt import read_match, read_target

    family = draft.family
    flags = _read_ip(draft, block, entry.offset)
    (draft.packets,) = _COUNTER.unpack_from(block, entry.offset + _COUNTER_AT[family])
    at = entry.offset + _ENTRY_LENGTH[family]
    while at + _EXTENSION.size <= entry.target_offset:
        size, name, revision = _EXTENSION.unpack_from(block, at)
        if size < _EXTENSION.size or at + size > entry.target_offset:
            draft.add_unread("match")
            break
        read_match(draft, _text(name), revision, block[at + _EXTENSION.size : at + size])
        at += size
    if entry.name:
        read_target(draft, entry.name, entry.revision, entry.data)
    else:
        _read_verdict(draft, entry, chains)
        draft.goes = bool(flags & _GOTO[family])
    return draft


def _read_ip(draft: Draft, block: bytes, offset: int) -> int:
    """Read what a rule says of addresses, interfaces and the protocol; return its flags."""
    from inspector.wire.xt_matches import interface_text

    if draft.family is Family.IPV4:
        *sides, protocol, flags, inverted = _IP4.unpack_from(block, offset)
        if flags & _FRAGMENT:
            draft.add("-f", "", negated=bool(inverted & _INVERTED_FRAGMENT))
    else:
        *sides, protocol, _tos, flags, inverted = _IP6.unpack_from(block, offset)
    source, destination, source_mask, destination_mask, inward, outward, inward_mask, outward_mask = sides
    for option, address, mask, bit in (
        ("-s", source, source_mask, _INVERTED_SOURCE),
        ("-d", destination, destination_mask, _INVERTED_DESTINATION),
    ):
        if any(mask) or inverted & bit:
            draft.add(option, prefix_text(address, mask), negated=bool(inverted & bit))
    for option, name, mask, bit in (
        ("-i", inward, inward_mask, _INVERTED_IN),
        ("-o", outward, outward_mask, _INVERTED_OUT),
    ):
        if any(mask):
            draft.add(option, interface_text(name, mask), negated=bool(inverted & bit))
    if protocol:
        draft.add("-p", protocol_name(protocol), negated=bool(inverted & _INVERTED_PROTOCOL))
    return int(flags)


def _read_verdict(draft: Draft, entry: _Entry, chains: Mapping[int, str]) -> None:
    if len(entry.data) < _VERDICT.size:
        draft.target = unread("verdict")
        return
    (verdict,) = _VERDICT.unpack_from(entry.data)
    if verdict < 0:
        draft.target = _VERDICTS.get(verdict, unread("verdict"))
    elif verdict != entry.next_offset:
        draft.target = chains.get(verdict, unread("chain"))


def _text(raw: bytes) -> str:
    return safe(raw.partition(b"\0")[0])
