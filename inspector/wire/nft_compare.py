"""Write what nf_tables compares a register with, as the option of iptables that means the same."""

import sys
from typing import NamedTuple

from inspector.model.text import safe
from inspector.wire.nfnetlink import FAMILIES
from inspector.wire.prefixes import prefix_mask, prefix_text
from inspector.wire.rule_draft import Draft, Family, Term, protocol_name
from inspector.wire.xt import ADDRESS_TYPES, tcp_flags_text
from inspector.wire.xt_words import masked, names_of

EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = range(6)
"""enum nft_cmp_ops"""
IFNAMSIZ = 16
"""linux/if.h: the longest name of an interface, with its zero byte."""

_CONNECTION_STATES = ((1, "INVALID"), (8, "NEW"), (4, "RELATED"), (2, "ESTABLISHED"), (64, "UNTRACKED"))
"""NF_CT_STATE_BIT (linux/netfilter/nf_conntrack_common.h), in the order that iptables writes them."""
_ADDRESS_LENGTH = {Family.IPV4: 4, Family.IPV6: 16}
_HIGHEST_PORT = 0xFFFF
_PORT_LENGTH = 2
_MARK_LENGTH, _ALL_BITS = 4, 0xFFFFFFFF
_TCP_FLAGS = 0x3F
_FRAGMENT_OFFSET = b"\x1f\xff"


class Part(NamedTuple):
    """One field in a register: the option of iptables it becomes, or `protocol` or `nfproto`; and its length."""

    name: str
    length: int
    limit: str | None = None
    """With `--src-type` and `--dst-type`: the option that limits it to one interface."""


class Loaded(NamedTuple):
    """What an expression of this name put into a register; no parts where that is not known here."""

    name: str
    parts: tuple[Part, ...] = ()
    mask: bytes | None = None


def compare(draft: Draft, loaded: Loaded, operation: int | None, data: bytes) -> None:
    """Add a comparison with a value to the rule."""
    if not _compared(draft, loaded, operation, data):
        draft.add_unread(loaded.name)


def compare_range(draft: Draft, loaded: Loaded, operation: int | None, low: bytes, high: bytes) -> None:
    """Add a comparison with a range of values."""
    names = [part.name for part in loaded.parts]
    ports = names in (["--sport"], ["--dport"]) and loaded.mask is None
    if ports and operation in {EQUAL, NOT_EQUAL} and len(low) == len(high) == _PORT_LENGTH:
        negated = operation == NOT_EQUAL
        draft.add_port(names[0], _big(low), _big(high), negated=negated)
    else:
        draft.add_unread(loaded.name)


def _compared(draft: Draft, loaded: Loaded, operation: int | None, data: bytes) -> bool:
    if not data or not loaded.parts:
        return False
    if len(loaded.parts) == 1:
        return _part(draft, loaded.parts[0], operation, data, loaded.mask)
    lengths = sum(part.length for part in loaded.parts)
    if operation != EQUAL or loaded.mask is not None or lengths != len(data):
        return False
    at = 0
    for part in loaded.parts:
        if not _part(draft, part, EQUAL, data[at : at + part.length], None):
            draft.add_unread(loaded.name)
        at += part.length
    return True


def _part(draft: Draft, part: Part, operation: int | None, data: bytes, mask: bytes | None) -> bool:
    if part.name in {"--sport", "--dport"} and mask is None and len(data) == _PORT_LENGTH:
        return _port(draft, part.name, operation, _big(data))
    if operation not in {EQUAL, NOT_EQUAL}:
        return False
    negated = operation == NOT_EQUAL
    match part.name:
        case "-s" | "-d":
            return _address(draft, Term(part.name, "", negated), data, mask)
        case "--ctstate":
            return _state(draft, data, mask, negated=negated)
        case "--mark" | "--tcp-flags" | "-f":
            return _bits(draft, part.name, data, mask, negated=negated)
    return mask is None and _plain(draft, part, data, negated=negated)


def _plain(draft: Draft, part: Part, data: bytes, *, negated: bool) -> bool:
    match part.name:
        case "-i" | "-o":
            draft.add(part.name, _interface(data), negated=negated)
        case "protocol":
            draft.add("-p", protocol_name(data[0]), negated=negated)
        case "nfproto" if not negated and data[0] in FAMILIES:
            draft.family = FAMILIES[data[0]]
        case "--src-type" | "--dst-type":
            return _address_type(draft, part, data, negated=negated)
        case _:
            return False
    return True


def _bits(draft: Draft, option: str, data: bytes, mask: bytes | None, *, negated: bool) -> bool:
    """Add a condition on bits of a mark, of TCP's flags, or of the offset of a fragment."""
    if option == "--mark" and len(data) == _MARK_LENGTH:
        whole = _native(mask) if mask is not None else _ALL_BITS
        draft.add_match("mark", Term("--mark", masked(_native(data), whole), negated))
        return True
    if option == "--tcp-flags" and mask is not None and not (mask[0] | data[0]) & ~_TCP_FLAGS:
        flags = f"{tcp_flags_text(mask[0])} {tcp_flags_text(data[0])}"
        draft.add_match("tcp", Term("--tcp-flags", flags, negated))
        return True
    if option == "-f" and mask == _FRAGMENT_OFFSET and not any(data):
        # (offset & IP_OFFSET) != 0: any fragment but the first (RFC 791, 3.1).
        draft.add("-f", "", negated=not negated)
        return True
    return False


def _port(draft: Draft, option: str, operation: int | None, port: int) -> bool:
    match operation:
        case 0 | 1:
            draft.add_port(option, port, port, negated=operation == NOT_EQUAL)
        case 2 | 3 if port or operation == LESS_EQUAL:
            draft.cap_port(option, port - (operation == LESS))
        case 4 | 5 if port < _HIGHEST_PORT or operation == GREATER_EQUAL:
            draft.add_port(option, port + (operation == GREATER), _HIGHEST_PORT)
        case _:
            return False
    return True


def _address(draft: Draft, term: Term, data: bytes, mask: bytes | None) -> bool:
    length = _ADDRESS_LENGTH.get(draft.family)
    mask = mask if mask is not None else prefix_mask(len(data) * 8, len(data))
    if length is None or len(data) > length or len(mask) > length:
        return False
    value = prefix_text(data.ljust(length, b"\0"), mask.ljust(length, b"\0"))
    draft.terms.append(term._replace(value=value))
    return True


def _interface(data: bytes) -> str:
    """Write a name; where the comparison ends before a zero byte, all that begin like this are meant."""
    name, zero, _ = data.partition(b"\0")
    return safe(name) if zero or len(data) >= IFNAMSIZ else f"{safe(name)}+"


def _state(draft: Draft, data: bytes, mask: bytes | None, *, negated: bool) -> bool:
    wanted = _native(data)
    if mask is not None:
        if wanted:
            return False
        # (state & mask) != 0 asks for any of them.
        wanted, negated = _native(mask), not negated
    names = names_of(wanted, _CONNECTION_STATES)
    if names is None:
        return False
    draft.add_match("conntrack", Term("--ctstate", names, negated))
    return True


def _address_type(draft: Draft, part: Part, data: bytes, *, negated: bool) -> bool:
    kind = _native(data)
    if kind >= len(ADDRESS_TYPES):
        return False
    limits = (Term(part.limit, ""),) if part.limit else ()
    draft.add_match("addrtype", Term(part.name, ADDRESS_TYPES[kind], negated), *limits)
    return True


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _native(data: bytes) -> int:
    return int.from_bytes(data, sys.byteorder)
