"""Name what nf_tables can look at, as nft does: fields of headers, facts of a packet, its connection and its routes."""

from collections.abc import Mapping
from typing import NamedTuple

from inspector.wire.nfnetlink import number
from inspector.wire.rule_draft import PROTOCOLS, Family


class Key(NamedTuple):
    """One thing to compare: its words, the kind of its values, its length in bytes."""

    words: str
    kind: str
    length: int
    network: int | None = None
    """NFPROTO_* of the header it lies in; the words say so, too."""
    transport: int | None = None
    """IPPROTO_* of the header it lies in; the words say so, too."""
    mask: bytes | None = None
    whole: int = 0
    """Length of the field where only its first bytes were loaded; 0 where it is whole."""


IPV4, IPV6, ARP = 2, 10, 3
"""NFPROTO_*"""
ETHERNET = -1
"""Stands where a network protocol would: what comes before an Ethernet header's fields asks for that header."""
_LINK, _NETWORK, _TRANSPORT = 0, 1, 2
"""enum nft_payload_bases"""
_ICMP, _TCP, _ICMPV6 = 1, 6, 58
_WITH_PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}

Fields = tuple[tuple[str, str, int, int], ...]
_ETHER: Fields = (("ether daddr", "mac", 0, 6), ("ether saddr", "mac", 6, 6), ("ether type", "ethertype", 12, 2))
_NETWORK_FIELDS: Mapping[int, Fields] = {
    IPV4: (
        ("ip length", "number", 2, 2),
        ("ip id", "number", 4, 2),
        ("ip frag-off", "number", 6, 2),
        ("ip ttl", "number", 8, 1),
        ("ip protocol", "protocol", 9, 1),
        ("ip checksum", "number", 10, 2),
        ("ip saddr", "address", 12, 4),
        ("ip daddr", "address", 16, 4),
    ),
    IPV6: (
        ("ip6 length", "number", 4, 2),
        ("ip6 nexthdr", "protocol", 6, 1),
        ("ip6 hoplimit", "number", 7, 1),
        ("ip6 saddr", "address", 8, 16),
        ("ip6 daddr", "address", 24, 16),
    ),
    ARP: (("arp operation", "arp-op", 6, 2),),
}
_PORTS: Fields = (("sport", "number", 0, 2), ("dport", "number", 2, 2))
_TRANSPORT_FIELDS: Mapping[int, Fields] = {
    _TCP: (("tcp sequence", "number", 4, 4), ("tcp flags", "tcp-flags", 13, 1), ("tcp window", "number", 14, 2)),
    17: (("udp length", "number", 4, 2), ("udp checksum", "number", 6, 2)),
    _ICMP: (("icmp type", "icmp-type", 0, 1), ("icmp code", "icmp-code", 1, 1)),
    _ICMPV6: (("icmpv6 type", "icmpv6-type", 0, 1), ("icmpv6 code", "icmpv6-code", 1, 1)),
}
"""Words, kind, offset and length (RFC 791, 826, 792, 4443, 768, 8200, 9293)."""

_META: Mapping[int, tuple[str, str, int]] = {
    0: ("meta length", "number-native", 4),
    1: ("meta protocol", "ethertype", 2),
    3: ("meta mark", "mark", 4),
    4: ("iif", "link", 4),
    5: ("oif", "link", 4),
    6: ("iifname", "name", 16),
    7: ("oifname", "name", 16),
    8: ("meta iiftype", "linktype", 2),
    9: ("meta oiftype", "linktype", 2),
    10: ("meta skuid", "number-native", 4),
    11: ("meta skgid", "number-native", 4),
    15: ("meta nfproto", "nfproto", 1),
    16: ("meta l4proto", "protocol", 1),
    17: ("meta ibrname", "name", 16),
    18: ("meta obrname", "name", 16),
    19: ("meta pkttype", "pkttype", 1),
    20: ("meta cpu", "number-native", 4),
    21: ("iifgroup", "number-native", 4),
    22: ("oifgroup", "number-native", 4),
    23: ("meta cgroup", "number-native", 4),
}
"""enum nft_meta_keys"""
_CT: Mapping[int, tuple[str, str, int]] = {
    0: ("state", "ct-state", 4),
    1: ("direction", "direction", 1),
    2: ("status", "ct-status", 4),
    3: ("mark", "mark", 4),
    8: ("saddr", "address", 16),
    9: ("daddr", "address", 16),
    10: ("protocol", "protocol", 1),
    11: ("proto-src", "number", 2),
    12: ("proto-dst", "number", 2),
    19: ("ip saddr", "address", 4),
    20: ("ip daddr", "address", 4),
    21: ("ip6 saddr", "address", 16),
    22: ("ip6 daddr", "address", 16),
}
"""enum nft_ct_keys"""
_DIRECTIONS: Mapping[int | None, str] = {0: "original ", 1: "reply ", None: ""}
_FIB_RESULTS = {1: ("oif", "link", 4), 2: ("oifname", "name", 16), 3: ("type", "addrtype", 4)}
_FIB_FLAGS = ((1, "saddr"), (2, "daddr"), (4, "mark"), (8, "iif"), (16, "oif"))
_FIB_PRESENT = 32
"""NFTA_FIB_F_*"""


def header_keys(found: Mapping[int, bytes], network: int | None, transport: int | None) -> tuple[Key, ...]:
    """Name the fields that a `payload` loads (NFTA_PAYLOAD_*: 2 base, 3 offset, 4 length); none where one is unknown.

    `network` and `transport` are the protocols that the rule has asked for so far.
    """
    base, offset, length = (number(found.get(each)) or 0 for each in (2, 3, 4))
    match base:
        case 0:
            return _covered(_ETHER, offset, length, ETHERNET, None)
        case 1 if network is not None:
            special = _differentiated(network, offset, length)
            return special or _covered(_NETWORK_FIELDS.get(network, ()), offset, length, network, None)
        case 2:
            return _covered(_transport_fields(transport), offset, length, None, transport)
    return ()


def meta_key(found: Mapping[int, bytes]) -> Key | None:
    """Name what a `meta` loads (NFTA_META_KEY: 2)."""
    known = _META.get(number(found.get(2)) or 0)
    return Key(*known) if known else None


def ct_key(found: Mapping[int, bytes], family: Family) -> Key | None:
    """Name what a `ct` loads (NFTA_CT_*: 2 key, 3 direction)."""
    known = _CT.get(number(found.get(2)) or 0)
    if known is None:
        return None
    words, kind, length = known
    if words in {"saddr", "daddr"} and family is Family.IPV4:
        length = 4
    return Key(f"ct {_DIRECTIONS.get(number(found.get(3)) if 3 in found else None, '')}{words}", kind, length)  # noqa: PLR2004 - NFTA_CT_DIRECTION


def fib_key(found: Mapping[int, bytes]) -> Key | None:
    """Name what a `fib` asks of the routes (NFTA_FIB_*: 2 result, 3 flags)."""
    flags = number(found.get(3)) or 0
    known = _FIB_RESULTS.get(number(found.get(2)) or 0)
    if known is None:
        return None
    words, kind, length = known
    if flags & _FIB_PRESENT:
        kind, length = "exists", 1
    asked = " . ".join(name for bit, name in _FIB_FLAGS if flags & bit)
    return Key(f"fib {asked} {words}", kind, length)


def _transport_fields(transport: int | None) -> Fields:
    word = _WITH_PORTS.get(transport or 0)
    own = _TRANSPORT_FIELDS.get(transport or 0, ())
    if word is None and transport is not None:
        return own
    return (*((f"{word or 'th'} {name}", kind, at, length) for name, kind, at, length in _PORTS), *own)


def _differentiated(network: int, offset: int, length: int) -> tuple[Key, ...]:
    """Name the byte whose upper six bits, known by a mask, are the differentiated services (RFC 2474, 3)."""
    if (network, offset, length) == (IPV4, 1, 1):
        return (Key("ip dscp", "dscp-byte", 1, network=network),)
    return ()


def _covered(known: Fields, offset: int, length: int, network: int | None, transport: int | None) -> tuple[Key, ...]:
    """Say which fields a load covers, from the beginning of the first; of an address maybe only the first bytes."""
    keys: list[Key] = []
    end = offset + length
    while offset < end:
        field = next((each for each in known if each[2] == offset), None)
        if field is None:
            return ()
        words, kind, _, whole = field
        taken = min(whole, end - offset)
        if taken < whole and kind != "address":
            return ()
        short = whole if taken < whole else 0
        keys.append(Key(words, kind, taken, network=network, transport=transport, whole=short))
        offset += taken
    return tuple(keys)


def protocol_of(key: Key, data: bytes) -> tuple[int | None, int | None]:
    """Say which network and transport protocol a packet has of which this key is equal to this."""
    value = int.from_bytes(data, "big")
    if key.kind == "nfproto":
        return value, None
    if key.kind == "linktype":
        return ETHERNET, None
    if key.kind == "ethertype":
        return {0x0800: IPV4, 0x86DD: IPV6, 0x0806: ARP}.get(value), None
    if key.kind == "protocol" and not key.words.startswith("ct "):
        return None, value if value in PROTOCOLS else None
    return None, None
