"""Write what a rule of nf_tables does with a packet, as `nft list` does.

Each writer takes the attributes of its expression, and returns text, or None where it cannot be written.
"""

from collections.abc import Callable, Mapping

from inspector.model.text import safe
from inspector.wire.nfnetlink import number
from inspector.wire.nft_values import ICMP_CODES, ICMPV6_CODES, ICMPX_CODES
from inspector.wire.prefixes import address_text
from inspector.wire.rule_draft import Family

Found = Mapping[int, bytes]

_UNITS = {1: "second", 60: "minute", 3_600: "hour", 86_400: "day", 604_800: "week"}
_USUAL_BURST = 5
_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_USUAL_LEVEL = 4
_ALL_LOG_FLAGS = 0x2F
_LOG_FLAGS = ((4, "ip options"), (8, "skuid"), (32, "ether"))
_NAT_FLAGS = ((4, "random"), (16, "fully-random"), (8, "persistent"))
_KNOWN_NAT_FLAGS = 0x1F
"""NF_NAT_RANGE_*; those of 1 and 2 say that there are addresses and ports"""
_OBJECTS = {1: "counter", 2: "quota", 4: "limit"}
"""NFT_OBJECT_*"""
_RST, _ICMPX = 1, 2


def limit(found: Found, _family: Family) -> str | None:
    """Write a rate (NFTA_LIMIT_*: 1 rate, 2 unit in seconds, 3 burst, 4 type, 5 flags)."""
    rate, seconds, burst, kind, flags = (number(found.get(each)) or 0 for each in range(1, 6))
    if seconds not in _UNITS or flags & ~1:
        return None
    over = "over " if flags else ""
    if kind == 0:
        extra = "" if burst in {0, _USUAL_BURST} else f" burst {burst} packets"
        return f"limit rate {over}{rate}/{_UNITS[seconds]}{extra}"
    extra = f" burst {_bytes(burst)}" if burst else ""
    return f"limit rate {over}{_bytes(rate)}/{_UNITS[seconds]}{extra}"


def _bytes(count: int) -> str:
    words = ("bytes", "kbytes", "mbytes")
    step = 0
    while count and count % 1024 == 0 and step < len(words) - 1:
        count //= 1024
        step += 1
    return f"{count} {words[step]}"


def log(found: Found, _family: Family) -> str | None:
    """Write a log statement (NFTA_LOG_*: 1 group, 2 prefix, 3 length, 4 threshold, 5 level, 6 flags)."""
    words = ["log"]
    if found.get(2, b"").partition(b"\0")[0]:
        words.append(f'prefix "{safe(found[2].partition(bytes(1))[0])}"')
    if 1 in found:
        words.append(f"group {number(found[1])}")
        words += [f"snaplen {size}"] if (size := number(found.get(3))) else []
        words += [f"queue-threshold {many}"] if (many := number(found.get(4))) else []
        return " ".join(words)
    level, flags = number(found.get(5)), number(found.get(6)) or 0
    if level is not None and level != _USUAL_LEVEL:
        words.append(f"level {_LEVELS[level]}" if level < len(_LEVELS) else "level audit")
    if flags == _ALL_LOG_FLAGS:
        return " ".join([*words, "flags all"])
    if flags & 3:
        words.append(f"flags tcp {('', 'sequence', 'options', 'sequence,options')[flags & 3]}")
    return " ".join([*words, *(f"flags {name}" for bit, name in _LOG_FLAGS if flags & bit)])


def reject(found: Found, family: Family) -> str | None:
    """Write a rejection (NFTA_REJECT_*: 1 type, 2 code); the network protocol decides about ICMP's words."""
    kind, code = number(found.get(1)), number(found.get(2)) or 0
    if kind == _RST:
        return "reject with tcp reset"
    if kind == _ICMPX:
        word, names, usual = "icmpx", ICMPX_CODES, 1
    elif family is Family.IPV6:
        word, names, usual = "icmpv6", ICMPV6_CODES, 4
    elif family is Family.IPV4:
        word, names, usual = "icmp", ICMP_CODES, 3
    else:
        return None
    if code not in names:
        return None
    return "reject" if code == usual else f"reject with {word} {names[code]}"


def queue(found: Found, _family: Family) -> str | None:
    """Write where packets are queued (NFTA_QUEUE_*: 1 number, 2 how many, 3 flags)."""
    first, count, flags = number(found.get(1)), number(found.get(2)) or 1, number(found.get(3)) or 0
    if first is None:
        return None
    names = ",".join(name for bit, name in ((1, "bypass"), (2, "fanout")) if flags & bit)
    last = f"-{first + count - 1}" if count > 1 else ""
    return f"queue{f' flags {names}' if names else ''} to {first}{last}"


def connlimit(found: Found, _family: Family) -> str:
    """Write a number of connections (NFTA_CONNLIMIT_*: 1 count, 2 flags)."""
    return f"ct count {'over ' if number(found.get(2)) else ''}{number(found.get(1)) or 0}"


def objref(found: Found, _family: Family) -> str | None:
    """Write the name of an object (NFTA_OBJREF_IMM_*: 1 type, 2 name)."""
    word = _OBJECTS.get(number(found.get(1)) or 0)
    return f'{word} name "{safe(found[2].partition(bytes(1))[0])}"' if word and 2 in found else None  # noqa: PLR2004 - the name


def notrack(_found: Found, _family: Family) -> str:
    """Write that the packet is of no connection."""
    return "notrack"


WRITERS: Mapping[str, Callable[[Found, Family], str | None]] = {
    "limit": limit,
    "log": log,
    "reject": reject,
    "queue": queue,
    "connlimit": connlimit,
    "objref": objref,
    "notrack": notrack,
}
ENDS = {"reject": "REJECT", "queue": "QUEUE"}
"""Expressions that decide, and what they make of the packet."""


def nat_text(
    verb: str, addresses: tuple[bytes | None, bytes | None], ports: tuple[bytes | None, bytes | None], flags: int
) -> str | None:
    """Write a translation: the verb, `to` the first and last address and port where there are any, and how."""
    if flags & ~_KNOWN_NAT_FLAGS or any(each is not None and len(each) not in {4, 16} for each in addresses):
        return None
    if any(each is not None and len(each) != 2 for each in ports):  # noqa: PLR2004 - bytes of a port
        return None
    low, high = addresses
    where = _span(address_text(low), address_text(high) if high else None) if low else ""
    first, last = ports
    port = _span(str(number(first)), str(number(last)) if last else None) if first else ""
    if where and port and low and len(low) > 4:  # noqa: PLR2004 - an address of IPv6
        where = f"[{where}]"
    to = f"{where}:{port}" if port else where
    how = ",".join(name for bit, name in _NAT_FLAGS if flags & bit)
    return " ".join(each for each in (verb, f"to {to}" if to else "", how) if each)


def _span(low: str, high: str | None) -> str:
    return low if high in {None, low} else f"{low}-{high}"
