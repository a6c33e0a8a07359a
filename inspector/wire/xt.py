"""Read matches and targets of x_tables, which the legacy tables and those of iptables-nft have in common.

Their data is the kernel's structs in host byte order; ports of the nat targets and addresses are big endian.
What has no reader here, or other data than its revision should have, is written as `[NAME]`.
"""

import struct
from collections.abc import Callable, Mapping
from contextlib import suppress

from inspector.model.text import safe
from inspector.wire.nat_range import KNOWN_FLAGS, read_range, rewrite
from inspector.wire.rule_draft import ANY_PORT, Draft, Term, ports_text, unread
from inspector.wire.xt_conntrack import read_conntrack
from inspector.wire.xt_matches import READERS as MATCHES
from inspector.wire.xt_targets import NOTRACK
from inspector.wire.xt_targets import READERS as TARGETS
from inspector.wire.xt_words import names_of, quoted

_TCP = struct.Struct("=HHHHBBBB")
_UDP = struct.Struct("=HHHHB")
"""linux/netfilter/xt_tcpudp.h: source ports, destination ports; for TCP option, flags' mask, flags; inversions"""
_INVERTED_SPORT, _INVERTED_DPORT, _INVERTED_FLAGS, _INVERTED_OPTION = 1, 2, 4, 8
_TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
"""By bit (RFC 9293, 3.1)."""
_ALL_TCP_FLAGS = 0x3F

_ADDRTYPE0 = struct.Struct("=HHII")
_ADDRTYPE1 = struct.Struct("=HHI")
"""linux/netfilter/xt_addrtype.h: source types, destination types, flags (of revision 0: two inversions)"""
_LIMIT_IN, _LIMIT_OUT = 4, 8
ADDRESS_TYPES = (
    "UNSPEC",
    "UNICAST",
    "LOCAL",
    "BROADCAST",
    "ANYCAST",
    "MULTICAST",
    "BLACKHOLE",
    "UNREACHABLE",
    "PROHIBIT",
    "THROW",
    "NAT",
    "XRESOLVE",
)
"""By RTN_* (linux/rtnetlink.h), and by bit."""

_SET = struct.Struct("=HBB")
"""linux/netfilter/xt_set.h: index, dim, flags (bit 0 inverts, bit N says that dimension N is a source)"""
_MOST_DIMENSIONS = 6

_NEWEST = {"tcp": 0, "udp": 0, "addrtype": 1, "conntrack": 3, "comment": 0, "set": 4}
_NAT_TARGETS = {"DNAT": 2, "SNAT": 2, "MASQUERADE": 0, "REDIRECT": 0}
"""The newest revision of each that is known here."""


def read_match(draft: Draft, name: str, revision: int, data: bytes) -> None:
    """Add a match to the rule."""
    readers: Mapping[str, Callable[[Draft, int, bytes], bool]] = {
        "tcp": _read_tcp,
        "udp": _read_udp,
        "addrtype": _read_addrtype,
        "conntrack": read_conntrack,
        "comment": _read_comment,
        "set": _read_set,
    }
    reader = readers.get(name)
    try:
        if reader is None:
            understood = _read_small(draft, name, revision, data)
        else:
            understood = revision <= _NEWEST[name] and reader(draft, revision, data)
    except struct.error:
        understood = False
    if not understood:
        draft.add_unread(name)


def read_target(draft: Draft, name: str, revision: int, data: bytes) -> None:
    """Set the rule's target."""
    draft.target = safe(name)
    words: list[str] | None = None
    to = None
    # A struct that is cut off is not read.
    with suppress(struct.error):
        if (reader := TARGETS.get((name, revision))) is not None:
            words = reader(draft.family, data)
        elif revision <= _NAT_TARGETS.get(name, -1):
            to = read_range(revision, data, draft.family)
    if words == [NOTRACK]:
        draft.target, words = NOTRACK, []
    if to is not None and not to.flags & ~KNOWN_FLAGS:
        rewrite(draft, name, to)
    else:
        draft.target_words = [unread(name)] if words is None else words


def _read_small(draft: Draft, name: str, revision: int, data: bytes) -> bool:
    reader = MATCHES.get((name, revision))
    terms = reader(draft.family, data) if reader else None
    if terms is None:
        return False
    draft.add_match(name, *terms)
    return True


def _read_tcp(draft: Draft, _revision: int, data: bytes) -> bool:
    low, high, dlow, dhigh, option, mask, wanted, inverted = _TCP.unpack_from(data)
    if (mask | wanted) & ~_ALL_TCP_FLAGS:
        return False
    terms = _ports((low, high), (dlow, dhigh), inverted)
    if option:
        terms.append(Term("--tcp-option", str(option), bool(inverted & _INVERTED_OPTION)))
    if mask or inverted & _INVERTED_FLAGS:
        flags = f"{tcp_flags_text(mask)} {tcp_flags_text(wanted)}"
        terms.append(Term("--tcp-flags", flags, bool(inverted & _INVERTED_FLAGS)))
    draft.add_match("tcp", *terms)
    return True


def _read_udp(draft: Draft, _revision: int, data: bytes) -> bool:
    low, high, dlow, dhigh, inverted = _UDP.unpack_from(data)
    draft.add_match("udp", *_ports((low, high), (dlow, dhigh), inverted))
    return True


def _ports(source: tuple[int, int], destination: tuple[int, int], inverted: int) -> list[Term]:
    terms: list[Term] = []
    for option, ports, bit in (
        ("--sport", source, _INVERTED_SPORT),
        ("--dport", destination, _INVERTED_DPORT),
    ):
        negated = bool(inverted & bit)
        if ports != ANY_PORT or negated:
            terms.append(Term(option, ports_text(*ports), negated))
    return terms


def tcp_flags_text(bits: int) -> str:
    """Name the bits of TCP's flags."""
    return ",".join(name for at, name in enumerate(_TCP_FLAGS) if bits >> at & 1) or "NONE"


def _read_addrtype(draft: Draft, revision: int, data: bytes) -> bool:
    if revision == 0:
        source, destination, not_source, not_destination = _ADDRTYPE0.unpack_from(data)
        flags = bool(not_source) | bool(not_destination) << 1
    else:
        source, destination, flags = _ADDRTYPE1.unpack_from(data)
    terms: list[Term] = []
    for option, types, bit in (("--src-type", source, 1), ("--dst-type", destination, 2)):
        if types:
            names = names_of(types, ((1 << at, name) for at, name in enumerate(ADDRESS_TYPES)))
            if names is None:
                return False
            terms.append(Term(option, names, bool(flags & bit)))
    for option, bit in (("--limit-iface-in", _LIMIT_IN), ("--limit-iface-out", _LIMIT_OUT)):
        if flags & bit:
            terms.append(Term(option, ""))
    draft.add_match("addrtype", *terms)
    return True


def _read_set(draft: Draft, revision: int, data: bytes) -> bool:
    """Read which set is asked, by its number: its name is known to the kernel alone."""
    number, dimensions, flags = _SET.unpack_from(data)
    further = data[_SET.size :].rstrip(b"\0")
    if revision == 0 or further or not 0 < dimensions <= _MOST_DIMENSIONS:
        return False
    sides = ",".join("src" if flags >> at & 1 else "dst" for at in range(1, dimensions + 1))
    name = draft.ipset(number)
    draft.add_match("set", Term("--match-set", f"{name} {sides}", bool(flags & 1)))
    return True


def _read_comment(draft: Draft, _revision: int, data: bytes) -> bool:
    draft.add_match("comment", Term("--comment", quoted(data)))
    return True
