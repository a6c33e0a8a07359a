"""Read the match `conntrack` of x_tables (linux/netfilter/xt_conntrack.h), and write it as `iptables-save` does."""

import struct

from inspector.wire.rule_draft import Draft, Family, Term
from inspector.wire.xt_words import address, names_of, span

_ADDRESSES = struct.Struct("=" + "16s" * 8)
"""Of the original direction source, its mask, destination, its mask; the same of the reply's."""
_NUMBERS = struct.Struct("=IIHHHHHH")
"""Expiry from and to, protocol, ports (original source and destination, reply source and destination), match_flags"""
_LAST1 = struct.Struct("=HBB")
_LAST2 = struct.Struct("=HHH")
_HIGH_PORTS = struct.Struct("=HHHH")
"""Behind match_flags: invert_flags, state, status (bytes in revision 1); in revision 3 the ports' upper ends."""

CONNECTION_STATES = (
    (1 << 0, "INVALID"),
    (1 << 3, "NEW"),
    (1 << 2, "RELATED"),
    (1 << 1, "ESTABLISHED"),
    (1 << 8, "UNTRACKED"),
    (1 << 6, "SNAT"),
    (1 << 7, "DNAT"),
)
"""XT_CONNTRACK_STATE_*, in the order that iptables writes them."""
_STATUSES = ((1, "EXPECTED"), (2, "SEEN_REPLY"), (4, "ASSURED"), (8, "CONFIRMED"))
_STATE, _PROTOCOL, _STATUS, _EXPIRES, _DIRECTION, _ALIAS = 1, 2, 64, 128, 1 << 12, 1 << 13
_ADDRESS_OPTIONS = ((4, "--ctorigsrc"), (8, "--ctorigdst"), (16, "--ctreplsrc"), (32, "--ctrepldst"))
_PORT_OPTIONS = (
    (1 << 8, "--ctorigsrcport"),
    (1 << 9, "--ctorigdstport"),
    (1 << 10, "--ctreplsrcport"),
    (1 << 11, "--ctrepldstport"),
)
_PORTS = 0xF << 8
"""XT_CONNTRACK_*"""


def read_conntrack(draft: Draft, revision: int, data: bytes) -> bool:
    """Add the match; False where it cannot be read."""
    if revision not in {1, 2, 3}:
        return False
    sides = _ADDRESSES.unpack_from(data)
    low, high, protocol, *ports, wanted = _NUMBERS.unpack_from(data, _ADDRESSES.size)
    at = _ADDRESSES.size + _NUMBERS.size
    inverted, states, status = (_LAST1 if revision == 1 else _LAST2).unpack_from(data, at)
    ranged = revision == 3 and wanted & _PORTS  # noqa: PLR2004 - the revision with ranges of ports
    upper = _HIGH_PORTS.unpack_from(data, at + _LAST2.size) if ranged else ports
    terms = [
        *_state(wanted, states, inverted),
        *([Term("--ctproto", str(protocol), bool(inverted & _PROTOCOL))] if wanted & _PROTOCOL else []),
        *_addresses(wanted, sides, inverted, draft.family),
        *_ports(wanted, tuple(zip(ports, upper, strict=True)), inverted),
    ]
    if wanted & _STATUS:
        terms.append(Term("--ctstatus", names_of(status, _STATUSES) or "", bool(inverted & _STATUS)))
    if wanted & _EXPIRES:
        terms.append(Term("--ctexpire", span(low, high, ":"), bool(inverted & _EXPIRES)))
    if wanted & _DIRECTION:
        terms.append(Term("--ctdir", "REPLY" if inverted & _DIRECTION else "ORIGINAL"))
    if not all(term.value for term in terms):
        return False
    draft.add_match("state" if wanted & _ALIAS else "conntrack", *terms)
    return True


def _state(wanted: int, states: int, inverted: int) -> list[Term]:
    if not wanted & _STATE:
        return []
    option = "--state" if wanted & _ALIAS else "--ctstate"
    return [Term(option, names_of(states, CONNECTION_STATES) or "", bool(inverted & _STATE))]


def _addresses(wanted: int, sides: tuple[bytes, ...], inverted: int, family: Family) -> list[Term]:
    pairs = zip(sides[::2], sides[1::2], strict=True)
    return [
        Term(option, address(side, mask, family), bool(inverted & bit))
        for (bit, option), (side, mask) in zip(_ADDRESS_OPTIONS, pairs, strict=True)
        if wanted & bit
    ]


def _ports(wanted: int, ports: tuple[tuple[int, int], ...], inverted: int) -> list[Term]:
    return [
        Term(option, span(low, high, ":"), bool(inverted & bit))
        for (bit, option), (low, high) in zip(_PORT_OPTIONS, ports, strict=True)
        if wanted & bit
    ]
