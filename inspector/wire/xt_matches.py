"""Read the smaller matches of x_tables (linux/netfilter/xt_*.h), and write them as `iptables-save` does.

Each reader takes the family and the data, and returns the options, or None where it cannot be written.
"""

import struct
from collections.abc import Callable, Mapping, Sequence

from inspector.model.text import safe
from inspector.wire.prefixes import address_text, prefix_length
from inspector.wire.rule_draft import Family, Term
from inspector.wire.xt_words import flag_terms, masked, quoted, span

Reader = Callable[[Family, bytes], Sequence[Term] | None]

_MARK = struct.Struct("=II?")
"""mark, mask, invert; connmark alike"""
_LIMIT = struct.Struct("=II")
"""A tick of 1/10000 s for each packet; burst"""
_MULTIPORT = struct.Struct("=BB15H15B?")
"""flags (which side), count, ports, whether a port begins a range, invert"""
_PHYSDEV = struct.Struct("=16s16s16s16sBB")
_STATISTIC = struct.Struct("=HHIII")
"""mode, flags, then for random a probability of 2^31, for nth every and packet"""
_ICMP = struct.Struct("=BBBB")
"""type, codes from and to, invert"""
_OWNER = struct.Struct("=IIIIBB")
_RANGE = struct.Struct("=16s16s16s16sB")
_RECENT = struct.Struct("=IIBB200sBx16s")
_RT = struct.Struct("=IIIIBB")

LIMIT_SCALE = 10_000
"""Ticks in a second (XT_LIMIT_SCALE)."""
_PERIODS = (("day", 86_400), ("hour", 3_600), ("min", 60), ("sec", 1))
_USUAL_BURST = 5
_ANY_ICMP = 0xFF
_SIDES = ("--sports", "--dports", "--ports")


def limit_terms(tick: int, burst: int) -> list[Term] | None:
    """Write a rate: one packet in `tick` / 10000 seconds, and how many at once."""
    if not tick:
        return None
    name, seconds = _PERIODS[0]
    for finer, length in _PERIODS[1:]:
        scale = length * LIMIT_SCALE
        if tick > scale or scale // tick < scale % tick:
            break
        name, seconds = finer, length
    terms = [Term("--limit", f"{seconds * LIMIT_SCALE // tick}/{name}")]
    return terms if burst == _USUAL_BURST else [*terms, Term("--limit-burst", str(burst))]


def _mark(_family: Family, data: bytes) -> list[Term]:
    mark, mask, inverted = _MARK.unpack_from(data)
    return [Term("--mark", masked(mark, mask), inverted)]


def _limit(_family: Family, data: bytes) -> list[Term] | None:
    return limit_terms(*_LIMIT.unpack_from(data))


def _multiport(_family: Family, data: bytes) -> list[Term] | None:
    side, count, *numbers, inverted = _MULTIPORT.unpack_from(data)
    ports, begins = numbers[:15], numbers[15:]
    if side >= len(_SIDES) or count > len(ports):
        return None
    text = ""
    for at in range(count):
        text += f"{ports[at]}{':' if begins[at] else ',' if at + 1 < count else ''}"
    return [Term(_SIDES[side], text, bool(inverted))]


def _physdev(_family: Family, data: bytes) -> list[Term]:
    came, came_mask, left, left_mask, inverted, wanted = _PHYSDEV.unpack_from(data)
    known = (
        (8, "--physdev-is-in", ""),
        (1, "--physdev-in", interface_text(came, came_mask)),
        (16, "--physdev-is-out", ""),
        (2, "--physdev-out", interface_text(left, left_mask)),
        (4, "--physdev-is-bridged", ""),
    )
    return flag_terms(wanted, inverted, known)


def interface_text(name: bytes, mask: bytes) -> str:
    """Write an interface's name: a mask that ends before the name's zero byte means all that begin like this."""
    name = name.partition(b"\0")[0]
    compared = len(mask.partition(b"\0")[0])
    return safe(name) if compared > len(name) else f"{safe(name[:compared])}+"


def _statistic(_family: Family, data: bytes) -> list[Term] | None:
    mode, inverted, every, packet, _ = _STATISTIC.unpack_from(data)
    match mode:
        case 0:
            return [Term("--mode", "random"), Term("--probability", f"{every / (1 << 31):.11f}", bool(inverted))]
        case 1:
            return [
                Term("--mode", "nth"),
                Term("--every", str(every + 1), bool(inverted)),
                Term("--packet", str(packet)),
            ]
    return None


def _icmp(_family: Family, data: bytes) -> list[Term]:
    return _icmp_terms("--icmp-type", data)


def _icmp6(_family: Family, data: bytes) -> list[Term]:
    return _icmp_terms("--icmpv6-type", data)


def _icmp_terms(option: str, data: bytes) -> list[Term]:
    kind, low, high, inverted = _ICMP.unpack_from(data)
    whole = (low, high) == (0, 0xFF)
    text = str(kind) if whole else f"{kind}/{low}"
    if kind == _ANY_ICMP and whole and option == "--icmp-type":
        text = "any"
    return [Term(option, text, bool(inverted & 1))]


def _mac(_family: Family, data: bytes) -> list[Term]:
    (inverted,) = struct.unpack_from("=i", data, 8)
    return [Term("--mac-source", ":".join(f"{each:02x}" for each in data[:6]), bool(inverted))]


def _pkttype(_family: Family, data: bytes) -> list[Term] | None:
    kind, inverted = struct.unpack_from("=ii", data)
    names = {0: "unicast", 1: "broadcast", 2: "multicast"}
    return [Term("--pkt-type", names[kind], bool(inverted))] if kind in names else None


def _owner(_family: Family, data: bytes) -> list[Term] | None:
    low, high, group_low, group_high, wanted, inverted = _OWNER.unpack_from(data)
    known = (
        (4, "--socket-exists", ""),
        (1, "--uid-owner", span(low, high, "-")),
        (2, "--gid-owner", span(group_low, group_high, "-")),
        (8, "--suppl-groups", ""),
    )
    return flag_terms(wanted, inverted, known)


def _length(_family: Family, data: bytes) -> list[Term]:
    low, high, inverted = struct.unpack_from("=HH?", data)
    return [Term("--length", span(low, high, ":"), inverted)]


def _tcpmss(_family: Family, data: bytes) -> list[Term]:
    low, high, inverted = struct.unpack_from("=HH?", data)
    return [Term("--mss", span(low, high, ":"), inverted)]


def _iprange(family: Family, data: bytes) -> list[Term]:
    *ends, flags = _RANGE.unpack_from(data)
    length = 4 if family is Family.IPV4 else 16
    low, high, to_low, to_high = (address_text(each[:length]) for each in ends)
    known = ((1, "--src-range", f"{low}-{high}"), (2, "--dst-range", f"{to_low}-{to_high}"))
    return flag_terms(flags, flags >> 4, known)


def _ttl(_family: Family, data: bytes) -> list[Term] | None:
    return _lifetime("--ttl", data)


def _hl(_family: Family, data: bytes) -> list[Term] | None:
    return _lifetime("--hl", data)


def _lifetime(option: str, data: bytes) -> list[Term] | None:
    mode, value = struct.unpack_from("=BB", data)
    words = {0: ("eq", False), 1: ("eq", True), 2: ("lt", False), 3: ("gt", False)}
    if mode not in words:
        return None
    word, inverted = words[mode]
    return [Term(f"{option}-{word}", str(value), inverted)]


def _recent(family: Family, data: bytes) -> list[Term] | None:
    seconds, hits, check, inverted, name, side, mask = _RECENT.unpack_from(data)
    known = ((2, "--set"), (1, "--rcheck"), (4, "--update"), (8, "--remove"))
    verbs = [option for bit, option in known if check & bit]
    if len(verbs) != 1 or check & ~0x3F:
        return None
    return [
        Term(verbs[0], "", bool(inverted)),
        *([Term("--seconds", str(seconds))] if seconds else []),
        *([Term("--reap", "")] if check & 32 else []),
        *([Term("--hitcount", str(hits))] if hits else []),
        *([Term("--rttl", "")] if check & 16 else []),
        Term("--name", quoted(name).strip('"')),
        Term("--mask", address_text(mask[: 4 if family is Family.IPV4 else 16])),
        Term("--rdest" if side else "--rsource", ""),
    ]


def _rt(_family: Family, data: bytes) -> list[Term] | None:
    kind, _low, _high, _length, wanted, inverted = _RT.unpack_from(data)
    return [Term("--rt-type", str(kind), bool(inverted & 1))] if wanted == 1 else None


def _dscp(_family: Family, data: bytes) -> list[Term]:
    value, inverted = struct.unpack_from("=B?", data)
    return [Term("--dscp", f"0x{value:02x}", inverted)]


def _helper(_family: Family, data: bytes) -> list[Term]:
    (inverted,) = struct.unpack_from("=i", data)
    return [Term("--helper", quoted(data[4:34]), bool(inverted))]


def _connlimit(family: Family, data: bytes) -> list[Term]:
    limit, flags = struct.unpack_from("=II", data, 16)
    length = prefix_length(data[: 4 if family is Family.IPV4 else 16])
    return [
        Term("--connlimit-upto" if flags & 1 else "--connlimit-above", str(limit)),
        Term("--connlimit-mask", str(length)),
        Term("--connlimit-daddr" if flags & 2 else "--connlimit-saddr", ""),
    ]


def _rpfilter(_family: Family, data: bytes) -> list[Term] | None:
    known = ((1, "--loose", ""), (2, "--validmark", ""), (4, "--accept-local", ""), (8, "--invert", ""))
    return flag_terms(data[0], 0, known) if data and not data[0] & ~15 else None


def _socket(_family: Family, data: bytes) -> list[Term] | None:
    known = ((1, "--transparent", ""), (2, "--nowildcard", ""), (4, "--restore-skmark", ""))
    return flag_terms(data[0], 0, known) if data and not data[0] & ~7 else None


READERS: Mapping[tuple[str, int], Reader] = {
    ("mark", 1): _mark,
    ("connmark", 1): _mark,
    ("limit", 0): _limit,
    ("multiport", 1): _multiport,
    ("physdev", 0): _physdev,
    ("statistic", 0): _statistic,
    ("icmp", 0): _icmp,
    ("icmp6", 0): _icmp6,
    ("mac", 0): _mac,
    ("pkttype", 0): _pkttype,
    ("owner", 1): _owner,
    ("length", 0): _length,
    ("tcpmss", 0): _tcpmss,
    ("iprange", 1): _iprange,
    ("ttl", 0): _ttl,
    ("hl", 0): _hl,
    ("recent", 1): _recent,
    ("rt", 0): _rt,
    ("dscp", 0): _dscp,
    ("helper", 0): _helper,
    ("connlimit", 1): _connlimit,
    ("rpfilter", 0): _rpfilter,
    ("socket", 3): _socket,
}
"""By name and revision: another revision has another layout, and is not read."""
