"""Read matches and targets of x_tables, which the legacy tables and those of iptables-nft have in common.

Their data is the kernel's structs in host byte order; ports of the nat targets and addresses are big endian.
What has no reader here, or other data than its revision should have, is written as `[NAME]`.
"""

import struct
from collections.abc import Callable, Iterable, Mapping

from inspector.model.text import safe
from inspector.wire.nat_range import KNOWN_FLAGS, read_range, rewrite
from inspector.wire.rule_draft import ANY_PORT, Draft, Term, ports_text, unread

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

_CONNTRACK_FLAGS_AT = 146
_CONNTRACK1 = struct.Struct("=HHBB")
_CONNTRACK2 = struct.Struct("=HHHH")
"""linux/netfilter/xt_conntrack.h, behind addresses, expiry and ports: match_flags, invert_flags, state, status"""
_STATE, _STATE_ALIAS = 1, 1 << 13
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

_NEWEST = {"tcp": 0, "udp": 0, "addrtype": 1, "conntrack": 3, "comment": 0}
_NAT_TARGETS = {"DNAT": 2, "SNAT": 2, "MASQUERADE": 0, "REDIRECT": 0}
"""The newest revision of each that is known here."""


def read_match(draft: Draft, name: str, revision: int, data: bytes) -> None:
    """Add a match to the rule."""
    readers: Mapping[str, Callable[[Draft, int, bytes], bool]] = {
        "tcp": _read_tcp,
        "udp": _read_udp,
        "addrtype": _read_addrtype,
        "conntrack": _read_conntrack,
        "comment": _read_comment,
    }
    reader = readers.get(name)
    try:
        understood = reader is not None and revision <= _NEWEST[name] and reader(draft, revision, data)
    except struct.error:
        understood = False
    if not understood:
        draft.add_unread(name)


def read_target(draft: Draft, name: str, revision: int, data: bytes) -> None:
    """Set the rule's target."""
    draft.target = safe(name)
    try:
        known = revision <= _NAT_TARGETS.get(name, -1)
        to = read_range(revision, data, draft.family) if known else None
    except struct.error:
        to = None
    if to is None or to.flags & ~KNOWN_FLAGS:
        draft.target_words = [unread(name)]
    else:
        rewrite(draft, name, to)


def names_of(bits: int, names: Iterable[tuple[int, str]]) -> str | None:
    """Write the names of the bits that are set; None where one has no name."""
    found = [(bit, name) for bit, name in names if bits & bit]
    known = sum(bit for bit, _ in found)
    return ",".join(name for _, name in found) if bits and known == bits else None


def _read_tcp(draft: Draft, _revision: int, data: bytes) -> bool:
    low, high, dlow, dhigh, option, mask, wanted, inverted = _TCP.unpack_from(data)
    if (mask | wanted) & ~_ALL_TCP_FLAGS:
        return False
    terms = _ports((low, high), (dlow, dhigh), inverted)
    if option:
        terms.append(Term("--tcp-option", str(option), bool(inverted & _INVERTED_OPTION)))
    if mask or inverted & _INVERTED_FLAGS:
        flags = f"{_flags(mask)} {_flags(wanted)}"
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


def _flags(bits: int) -> str:
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


def _read_conntrack(draft: Draft, revision: int, data: bytes) -> bool:
    """Read the states alone; a match on addresses or ports of the connection is left unread."""
    layout = _CONNTRACK1 if revision == 1 else _CONNTRACK2
    wanted, inverted, states, _status = layout.unpack_from(data, _CONNTRACK_FLAGS_AT)
    names = names_of(states, CONNECTION_STATES)
    if revision == 0 or wanted & ~_STATE_ALIAS != _STATE or names is None:
        return False
    module, option = ("state", "--state") if wanted & _STATE_ALIAS else ("conntrack", "--ctstate")
    draft.add_match(module, Term(option, names, bool(inverted & _STATE)))
    return True


def _read_comment(draft: Draft, _revision: int, data: bytes) -> bool:
    text = safe(data.partition(b"\0")[0])
    if not text or not all(each.isascii() and (each.isalnum() or each in "_-") for each in text):
        quoted = "".join(f"\\{each}" if each in "\"'\\" else each for each in text)
        text = f'"{quoted}"'
    draft.add_match("comment", Term("--comment", text))
    return True
