"""Write values that nf_tables compares with, as `nft list` does: one writer for each kind of value."""

import sys
from collections.abc import Callable, Mapping

from inspector.model.text import safe
from inspector.wire.prefixes import address_text, prefix_length
from inspector.wire.rule_draft import Names, protocol_name
from inspector.wire.xt import ADDRESS_TYPES

Named = Mapping[int, str]

_ICMP_TYPES: Named = {
    0: "echo-reply",
    3: "destination-unreachable",
    4: "source-quench",
    5: "redirect",
    8: "echo-request",
    9: "router-advertisement",
    10: "router-solicitation",
    11: "time-exceeded",
    12: "parameter-problem",
    13: "timestamp-request",
    14: "timestamp-reply",
    15: "info-request",
    16: "info-reply",
    17: "address-mask-request",
    18: "address-mask-reply",
}
_ICMPV6_TYPES: Named = {
    1: "destination-unreachable",
    2: "packet-too-big",
    3: "time-exceeded",
    4: "parameter-problem",
    128: "echo-request",
    129: "echo-reply",
    130: "mld-listener-query",
    131: "mld-listener-report",
    132: "mld-listener-done",
    133: "nd-router-solicit",
    134: "nd-router-advert",
    135: "nd-neighbor-solicit",
    136: "nd-neighbor-advert",
    137: "nd-redirect",
    138: "router-renumbering",
    141: "ind-neighbor-solicit",
    142: "ind-neighbor-advert",
    143: "mld2-listener-report",
}
ICMP_CODES: Named = {
    0: "net-unreachable",
    1: "host-unreachable",
    2: "prot-unreachable",
    3: "port-unreachable",
    4: "frag-needed",
    9: "net-prohibited",
    10: "host-prohibited",
    13: "admin-prohibited",
}
ICMPV6_CODES: Named = {
    0: "no-route",
    1: "admin-prohibited",
    3: "addr-unreachable",
    4: "port-unreachable",
    5: "policy-fail",
    6: "reject-route",
}
ICMPX_CODES: Named = {0: "no-route", 1: "port-unreachable", 2: "host-unreachable", 3: "admin-prohibited"}
"""enum nft_reject_inet_code"""
_DSCP: Named = {
    **{each * 8: f"cs{each}" for each in range(8)},
    **{(8 * first + 2 * second): f"af{first}{second}" for first in range(1, 5) for second in range(1, 4)},
    46: "ef",
}
_NAMED: Mapping[str, Named] = {
    "nfproto": {2: "ipv4", 10: "ipv6"},
    "icmp-type": _ICMP_TYPES,
    "icmpv6-type": _ICMPV6_TYPES,
    "icmp-code": ICMP_CODES,
    "icmpv6-code": ICMPV6_CODES,
    "ethertype": {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "8021q", 0x88A8: "8021ad"},
    "arp-op": {1: "request", 2: "reply"},
    "dscp": _DSCP,
}
_NAMED_NATIVE: Mapping[str, Named] = {
    "direction": {0: "original", 1: "reply"},
    "pkttype": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
    "addrtype": {at: name.lower() for at, name in enumerate(ADDRESS_TYPES)},
    "linktype": {1: "ether", 772: "loopback"},
    "exists": {0: "missing", 1: "exists"},
}
"""Numbers in the processor's byte order."""
FLAGS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "ct-state": ((1, "invalid"), (8, "new"), (2, "established"), (4, "related"), (64, "untracked")),
    "ct-status": (
        (1, "expected"),
        (2, "seen-reply"),
        (4, "assured"),
        (8, "confirmed"),
        (16, "snat"),
        (32, "dnat"),
        (512, "dying"),
    ),
    "tcp-flags": (
        (1, "fin"),
        (2, "syn"),
        (4, "rst"),
        (8, "psh"),
        (16, "ack"),
        (32, "urg"),
        (64, "ecn"),
        (128, "cwr"),
    ),
}
"""Kinds whose value is a sum of bits (NF_CT_STATE_BIT, enum ip_conntrack_status, RFC 9293, 3.1), in nft's order."""
_NAME_LENGTH = 16
_NATIVE = {"mark", "ct-state", "ct-status", "link", "number-native", *_NAMED_NATIVE}


def big_endian(kind: str) -> bool:
    """Say whether the kernel holds values of this kind as they are in packets."""
    return kind not in _NATIVE and kind != "name"


def number_of(kind: str, data: bytes) -> int:
    """Read a value as a number, by which nft sorts."""
    return int.from_bytes(data, "big" if big_endian(kind) else sys.byteorder)


def value_text(kind: str, data: bytes, names: Names) -> str | None:
    """Write one value; None where it cannot be written."""
    if not data:
        return None
    number = number_of(kind, data)
    if kind in FLAGS:
        return flags_text(kind, number)
    if kind in _NAMED:
        return _NAMED[kind].get(number, str(number) if kind != "dscp" else f"0x{number:02x}")
    if kind in _NAMED_NATIVE:
        return _NAMED_NATIVE[kind].get(number)
    writers: Mapping[str, Callable[[], str | None]] = {
        "address": lambda: address_text(data) if len(data) in {4, 16} else None,
        "name": lambda: _name(data),
        "link": lambda: _link(number, names),
        "protocol": lambda: protocol_name(number),
        "mark": lambda: f"0x{number:08x}",
        "mac": lambda: ":".join(f"{each:02x}" for each in data),
    }
    return writers.get(kind, lambda: str(number))()


def flags_text(kind: str, number: int) -> str | None:
    """Write a sum of bits; None where one has no name."""
    found = [(bit, name) for bit, name in FLAGS[kind] if number & bit]
    return ",".join(name for _, name in found) if number and sum(bit for bit, _ in found) == number else None


def range_text(kind: str, low: bytes, high: bytes, names: Names) -> str | None:
    """Write the values from one to the other, both included: one, a prefix of addresses, or a range."""
    if low == high:
        return value_text(kind, low, names)
    if kind == "address" and (length := _prefix(low, high)) is not None:
        return f"{address_text(low)}/{length}"
    first, last = value_text(kind, low, names), value_text(kind, high, names)
    return f"{first}-{last}" if first and last else None


def _prefix(low: bytes, high: bytes) -> int | None:
    first, last = int.from_bytes(low, "big"), int.from_bytes(high, "big")
    differing = first ^ last
    mask = ((1 << len(low) * 8) - 1) ^ differing
    whole = first & differing == 0 and last & differing == differing
    return prefix_length(mask.to_bytes(len(low), "big")) if whole else None


def _name(data: bytes) -> str:
    """Write a name; where the comparison ends before a zero byte, all that begin like this are meant."""
    name, zero, _ = data.partition(b"\0")
    return f'"{safe(name)}"' if zero or len(data) >= _NAME_LENGTH else f'"{safe(name)}*"'


def _link(number: int, names: Names) -> str:
    found = names.link(number)
    return str(number) if found is None else f'"{safe(found)}"'
