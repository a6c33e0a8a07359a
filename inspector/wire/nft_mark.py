"""Write the netlink messages that make a table of ours, which asks for rule tracing of the probe and nothing else.

    table FAMILY NAME { flags owner
        chain prerouting { type filter hook prerouting priority -350; policy accept
                           PACKETS jump ours; ERRORS jump quoted; DISCOVERY jump neighbours }
        chain output     { type filter hook output priority -350; the same }
        chain ours       { an address of the probe's: meta nftrace set 1 accept }
        chain quoted     { the same, of the packet that an ICMP error quotes }
        chain neighbours { IPv6 alone: neighbour discovery about an address of the trace's, the same }
        chain carried    { the same, of the packet that a VXLAN datagram carries; where there is a tunnel }
    }

Sources: linux/netfilter/nfnetlink.h (batches), linux/netfilter/nf_tables.h (attributes), RFC 791, 792, 8200, 4443,
7348.
"""

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from inspector.wire.discovery import ADVERTISEMENT, SOLICITATION
from inspector.wire.probe_flow import ICMP, ICMPV6, UDP, ProbeFlow

OWN_TABLES = "dnetsniff-"
"""What the names of our tables begin with; a few random characters keep two runs apart."""
OWNER = 0x2
"""NFT_TABLE_F_OWNER (Linux 5.12): the table goes when the socket that made it closes."""
PRIORITY = -350
"""Ahead of what iptables calls raw (-300), behind the reassembly of fragments (-400)."""
MOST_SINGLE = 16
"""More identifiers than these are matched as one range; who reads the traces sorts out what slips through."""

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_REQUEST, _ACK, _CREATE, _EXCLUSIVE, _APPEND = 0x1, 0x4, 0x400, 0x200, 0x800
_NESTED = 0x8000
_BATCH_BEGIN, _BATCH_END, _TABLES = 0x10, 0x11, 10
"""NFNL_MSG_BATCH_BEGIN and _END, NFNL_SUBSYS_NFTABLES"""
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE = (_TABLES << 8 | each for each in (0, 3, 6))
_PROTOCOLS = {4: 2, 6: 10}
"""NFPROTO_IPV4, NFPROTO_IPV6"""
_HOOKS = (("prerouting", 0), ("output", 3))
"""NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT"""
_OURS, _QUOTED, _NEIGHBOURS, _CARRIED = "ours", "quoted", "neighbours", "carried"
_NETWORK, _TRANSPORT = 1, 2
_L4PROTO, _NFTRACE = 16, 12
"""NFT_META_L4PROTO, NFT_META_NFTRACE"""
_ACCEPT, _JUMP = 1, -3
_REGISTER = 1
_EQUAL = 0

_ADDRESSES = {4: (12, 16, 4), 6: (8, 24, 16)}
"""Where source and destination stand in an IP header, and how long they are."""
_IP_LENGTH = {4: 20, 6: 40}
_NEXT = {4: 9, 6: 6}
_ICMP_LENGTH = 8
_ECHO = {4: (0xF7, 0x00), 6: (0xFE, 0x80)}
"""Echo request and reply differ in one bit of the type: 8 and 0, 128 and 129. Mask, and what is left."""
_ECHO_IDENTIFIER = 4
_PORTS = (0, 2)
_TARGET = 8
"""Where the address stands that a message of neighbour discovery is about (RFC 4861, 4.3 and 4.4)."""
_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
_INSIDE = 8 + 8 + 14
"""Bytes of UDP, VXLAN and Ethernet in front of a packet that a tunnel carries (RFC 7348, 5)."""


def batch(flow: ProbeFlow, table: str) -> bytes:
    """Return the whole batch; the kernel acknowledges each of its `messages_in` messages, or refuses one."""
    return _batch(flow.family, _contents(flow, table))


def trial(table: str) -> bytes:
    """Return a batch that makes an owned table with nothing in it: one acknowledgement says that the kernel can."""
    return _batch(4, [next(_contents(ProbeFlow(4, ICMP, (), ()), table))])


def _batch(family: int, contents: Iterable[tuple[int, int, bytes]]) -> bytes:
    parts = [_message(_BATCH_BEGIN, _REQUEST, 0, _FAMILY.pack(0, 0, _TABLES))]
    protocol = _FAMILY.pack(_PROTOCOLS[family], 0, 0)
    for sequence, (kind, flags, body) in enumerate(contents, start=1):
        parts.append(_message(kind, _REQUEST | _ACK | flags, sequence, protocol + body))
    parts.append(_message(_BATCH_END, _REQUEST, 0, _FAMILY.pack(0, 0, _TABLES)))
    return b"".join(parts)


def messages_in(flow: ProbeFlow) -> int:
    """Return how many acknowledgements a batch for the flow gets."""
    return sum(1 for _ in _contents(flow, ""))


def _contents(flow: ProbeFlow, table: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, flags and attributes of each message, in an order in which each finds what it refers to."""
    name = _text(1, table)
    yield _NEW_TABLE, _CREATE | _EXCLUSIVE, name + _number(2, OWNER)
    for chain in (_OURS, _QUOTED, *([_NEIGHBOURS] if flow.neighbours else []), *([_CARRIED] if flow.tunnel else [])):
        yield _NEW_CHAIN, _CREATE | _EXCLUSIVE, name + _text(3, chain)
    for chain, hook in _HOOKS:
        where = _nested(4, _number(1, hook) + _number(2, PRIORITY))
        yield (
            _NEW_CHAIN,
            _CREATE | _EXCLUSIVE,
            name + _text(3, chain) + where + _number(5, _ACCEPT) + _text(7, "filter"),
        )
    for chain, rule in _rules(flow):
        yield _NEW_RULE, _CREATE | _APPEND, name + _text(2, chain) + _nested(4, b"".join(rule))


def _rules(flow: ProbeFlow) -> Iterator[tuple[str, list[bytes]]]:
    for match in _packets(flow):
        for chain, _ in _HOOKS:
            yield chain, [*match, _verdict(_JUMP, _OURS)]
    for match in _errors(flow):
        for chain, _ in _HOOKS:
            yield chain, [*match, _verdict(_JUMP, _QUOTED)]
    for match in _tunnelled(flow):
        for chain, _ in _HOOKS:
            yield chain, [*match, _verdict(_JUMP, _CARRIED)]
    source, destination, length = _ADDRESSES[flow.family]
    for address in _packed(flow.family, flow.addresses):
        for at in (source, destination):
            yield _OURS, [*_equals(_NETWORK, at, address), *_trace()]
            yield _QUOTED, [*_equals(_TRANSPORT, _ICMP_LENGTH + at, address[:length]), *_trace()]
            if flow.tunnel:
                yield _CARRIED, [*_equals(_TRANSPORT, _INSIDE + at, address[:length]), *_trace()]
    yield from _discovery(flow)


def _packets(flow: ProbeFlow) -> Iterator[list[bytes]]:
    """Yield what the probe's own packets and their answers have in common, addresses apart."""
    if flow.echo:
        mask, left = _ECHO[flow.family]
        kind = [_load(_TRANSPORT, 0, 1), _mask(bytes((mask,))), _compare(bytes((left,)))]
        for identifier in _ranges(flow.identifiers):
            yield [*_within(_ECHO_IDENTIFIER, identifier), *_protocol(flow.protocol), *kind]
        return
    for ports in _ranges(flow.identifiers):
        for at in _PORTS:
            yield [*_within(at, ports), *_protocol(flow.protocol)]


def _errors(flow: ProbeFlow) -> Iterator[list[bytes]]:
    """Yield what the ICMP errors about the probe have in common: what they quote."""
    about = _ICMP_LENGTH + _IP_LENGTH[flow.family]
    kind = [*_protocol(ICMP if flow.family == 4 else ICMPV6)]  # noqa: PLR2004
    kind += _equals(_TRANSPORT, _ICMP_LENGTH + _NEXT[flow.family], bytes((flow.protocol,)))
    for identifiers in _ranges(flow.identifiers):
        for at in (_ECHO_IDENTIFIER,) if flow.echo else _PORTS:
            yield [*_within(about + at, identifiers), *kind]


def _discovery(flow: ProbeFlow) -> Iterator[tuple[str, list[bytes]]]:
    """Yield what matches solicitations and advertisements about the flow's neighbours."""
    addresses = _packed(flow.family, flow.neighbours)
    kind = [*_protocol(ICMPV6), *_between(0, bytes((SOLICITATION,)), bytes((ADVERTISEMENT,)))]
    for chain, _ in _HOOKS if addresses else ():
        yield chain, [*kind, _verdict(_JUMP, _NEIGHBOURS)]
    for address in addresses:
        yield _NEIGHBOURS, [*_equals(_TRANSPORT, _TARGET, address), *_trace()]


def _tunnelled(flow: ProbeFlow) -> Iterator[list[bytes]]:
    """Yield what the datagrams have in common that carry the probe's packets: the tunnel's port, and what is inside."""
    if flow.tunnel is None:
        return
    kind = [*_equals(_TRANSPORT, _PORTS[1], flow.tunnel.to_bytes(2, "big")), *_protocol(UDP)]
    kind += _equals(_TRANSPORT, _INSIDE - 2, _ETHERTYPES[flow.family])
    kind += _equals(_TRANSPORT, _INSIDE + _NEXT[flow.family], bytes((flow.protocol,)))
    for identifiers in _ranges(flow.identifiers):
        for at in (_ECHO_IDENTIFIER,) if flow.echo else _PORTS:
            yield [*kind, *_within(_INSIDE + _IP_LENGTH[flow.family] + at, identifiers)]


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    known = sorted(set(numbers))
    if len(known) > MOST_SINGLE:
        return ((known[0], known[-1]),)
    return tuple((each, each) for each in known)


def _packed(family: int, addresses: Iterable[str]) -> tuple[bytes, ...]:
    """Return those of the family as bytes; a zone (RFC 4007) is not part of them."""
    known = (ip_address(each.partition("%")[0]) for each in addresses)
    return tuple(dict.fromkeys(each.packed for each in known if each.version == family))


def _protocol(number: int) -> list[bytes]:
    return [_expression("meta", _number(1, _REGISTER) + _number(2, _L4PROTO)), _compare(bytes((number,)))]


def _equals(base: int, offset: int, value: bytes) -> list[bytes]:
    return [_load(base, offset, len(value)), _compare(value)]


def _within(offset: int, numbers: tuple[int, int]) -> list[bytes]:
    low, high = (each.to_bytes(2, "big") for each in numbers)
    if low == high:
        return _equals(_TRANSPORT, offset, low)
    return _between(offset, low, high)


def _between(offset: int, low: bytes, high: bytes) -> list[bytes]:
    ends = _nested(3, _data(low)) + _nested(4, _data(high))
    load = _load(_TRANSPORT, offset, len(low))
    return [load, _expression("range", _number(1, _REGISTER) + _number(2, _EQUAL) + ends)]


def _load(base: int, offset: int, length: int) -> bytes:
    body = _number(1, _REGISTER) + _number(2, base) + _number(3, offset) + _number(4, length)
    return _expression("payload", body)


def _mask(mask: bytes) -> bytes:
    ends = _nested(4, _data(mask)) + _nested(5, _data(bytes(len(mask))))
    return _expression("bitwise", _number(1, _REGISTER) + _number(2, _REGISTER) + _number(3, len(mask)) + ends)


def _compare(value: bytes) -> bytes:
    return _expression("cmp", _number(1, _REGISTER) + _number(2, _EQUAL) + _nested(3, _data(value)))


def _trace() -> list[bytes]:
    """Ask for tracing from here on, and leave: the rest of our own table has nothing to say."""
    one = _expression("immediate", _number(1, _REGISTER) + _nested(2, _data(b"\x01")))
    return [one, _expression("meta", _number(2, _NFTRACE) + _number(3, _REGISTER)), _verdict(_ACCEPT)]


def _verdict(code: int, chain: str | None = None) -> bytes:
    said = _number(1, code) + (_text(2, chain) if chain else b"")
    return _expression("immediate", _number(1, 0) + _nested(2, _nested(2, said)))


def _expression(name: str, body: bytes) -> bytes:
    return _nested(1, _text(1, name) + _nested(2, body))


def _data(value: bytes) -> bytes:
    return _attribute(1, value)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack(">I", value & 0xFFFFFFFF))


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(payload), kind, flags, sequence, 0) + payload
