"""Write and read netlink messages of nf_tables (linux/netlink.h, linux/netfilter/nfnetlink.h and nf_tables.h).

No bytes raise: what is cut off is left out. Numbers in attributes of nf_tables are big endian.
"""

import struct
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inspector.model.text import safe
from inspector.wire.rule_draft import Family

DONE, ERROR = 3, 2
"""NLMSG_DONE, NLMSG_ERROR"""
REQUEST, DUMP = 0x01, 0x300
DUMP_INTERRUPTED = 0x10
"""NLM_F_DUMP_INTR: something changed while it was listed."""
_SUBSYSTEM = 10 << 8
"""NFNL_SUBSYS_NFTABLES"""
NEW_CHAIN, GET_CHAIN, NEW_RULE, GET_RULE, NEW_SET, GET_SET, NEW_ELEMENTS, GET_ELEMENTS = (
    _SUBSYSTEM | each for each in (3, 4, 6, 7, 9, 10, 12, 13)
)
_NAMES = {GET_CHAIN: (1, 3), GET_RULE: (1, 2), GET_SET: (1, 2), GET_ELEMENTS: (1, 2)}
"""Attributes that hold the names of a table and of what is in it."""

FAMILIES = {
    1: Family.INET,
    2: Family.IPV4,
    3: Family.ARP,
    5: Family.NETDEV,
    7: Family.BRIDGE,
    10: Family.IPV6,
}
"""NFPROTO_*"""

_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port"""
_FAMILY = struct.Struct(">BBH")
"""struct nfgenmsg: family, version, resource"""
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
"""NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER"""

_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY, _CHAIN_TYPE = 1, 3, 4, 5, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_HANDLE, _RULE_EXPRESSIONS, _RULE_USERDATA = 1, 2, 3, 4, 7
_LONGEST_NUMBER = 8
_COMMENT = 0
"""NFTNL_UDATA_RULE_COMMENT (libnftnl): type, length and value, one byte each for the first two"""
_LIST_ELEMENT, _EXPRESSION_NAME, _EXPRESSION_DATA = 1, 1, 2


class Message(NamedTuple):
    """One netlink message."""

    type: int
    flags: int
    payload: bytes


class Chain(NamedTuple):
    """A chain of nf_tables."""

    family: Family
    table: str
    name: str
    kind: str | None
    """`nat`, `filter` or `route`; None where no hook leads to it."""
    raw_table: bytes = b""
    """The table's name as the kernel knows it."""
    hook: int | None = None
    """NF_INET_*; None where no hook leads to it."""
    priority: int = 0
    drops: bool = False
    """Its policy is to drop."""


class Expression(NamedTuple):
    """One step of a rule: what it is called, and its attributes."""

    name: str
    attributes: Mapping[int, bytes]


class Rule(NamedTuple):
    """A rule of nf_tables, its expressions not yet understood."""

    family: Family
    table: str
    chain: str
    expressions: tuple[Expression, ...]
    handle: int = 0
    comment: bytes = b""
    """What its owner noted (NFTNL_UDATA_RULE_COMMENT)."""


def request(kind: int, family: Family | None = None, *names: bytes, listed: bool = True) -> bytes:
    """Write a request for all of a kind, or those of a table, a chain or a set of it; or not `listed`, for one."""
    protocol = next((each for each, known in FAMILIES.items() if known is family), 0)
    payload = _FAMILY.pack(protocol, 0, 0)
    for number_of, name in zip(_NAMES[kind], names, strict=False):
        value = name + b"\0"
        payload += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), number_of) + value + b"\0" * (-len(value) % 4)
    flags = REQUEST | DUMP if listed else REQUEST
    return _HEADER.pack(_HEADER.size + len(payload), kind, flags, 0, 0) + payload


def messages(data: bytes) -> Iterator[Message]:
    """Part what one read gave into messages."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, flags, _sequence, _port = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            return
        yield Message(type=kind, flags=flags, payload=data[at + _HEADER.size : at + length])
        at += length + -length % 4


def error_number(message: Message) -> int:
    """Return the error that NLMSG_ERROR carries, or NLMSG_DONE at the end of a list; 0 where there is none."""
    return -int.from_bytes(message.payload[:4].ljust(4, b"\0"), sys.byteorder, signed=True)


def read_chain(message: Message) -> Chain | None:
    """Read a chain; None where it is none, or of a family unknown here."""
    family = FAMILIES.get(message.payload[0]) if message.type == NEW_CHAIN and message.payload else None
    if family is None:
        return None
    found = attributes(message.payload[_FAMILY.size :])
    kind, hook = found.get(_CHAIN_TYPE), attributes(found.get(_CHAIN_HOOK, b""))
    return Chain(
        family=family,
        table=text(found.get(_CHAIN_TABLE, b"")),
        name=text(found.get(_CHAIN_NAME, b"")),
        kind=text(kind) if kind is not None and _CHAIN_HOOK in found else None,
        raw_table=found.get(_CHAIN_TABLE, b"").partition(b"\0")[0],
        hook=number(hook.get(_HOOK_NUMBER)),
        priority=int.from_bytes(hook.get(_HOOK_PRIORITY, b""), "big", signed=True),
        drops=_CHAIN_POLICY in found and number(found[_CHAIN_POLICY]) == 0,
    )


def read_rule(message: Message) -> Rule | None:
    """Read a rule; None where it is none, or of a family unknown here."""
    family = FAMILIES.get(message.payload[0]) if message.type == NEW_RULE and message.payload else None
    if family is None:
        return None
    found = attributes(message.payload[_FAMILY.size :])
    return Rule(
        family=family,
        table=text(found.get(_RULE_TABLE, b"")),
        chain=text(found.get(_RULE_CHAIN, b"")),
        expressions=tuple(_expressions(found.get(_RULE_EXPRESSIONS, b""))),
        handle=number(found.get(_RULE_HANDLE)) or 0,
        comment=_comment(found.get(_RULE_USERDATA, b"")),
    )


def rule_handle(message: Message) -> int:
    """Read the handle of a rule alone, which is fast; 0 where there is none."""
    payload = message.payload
    at = _FAMILY.size
    while at + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if length < _ATTRIBUTE.size:
            return 0
        if kind & _TYPE_MASK == _RULE_HANDLE:
            return number(payload[at + _ATTRIBUTE.size : at + length]) or 0
        at += length + -length % 4
    return 0


def attributes(data: bytes) -> dict[int, bytes]:
    """Read attributes, of which each type is there once."""
    return dict(_attributes(data))


def attribute_list(data: bytes) -> Iterator[bytes]:
    """Read the elements of a list (NFTA_LIST_ELEM)."""
    return (value for kind, value in _attributes(data) if kind == _LIST_ELEMENT)


def set_elements(message: Message) -> bytes:
    """Return the list of elements that a message about a set holds (NFTA_SET_ELEM_LIST_ELEMENTS)."""
    return attributes(message.payload[_FAMILY.size :]).get(3, b"")


def number(raw: bytes | None) -> int | None:
    """Read a number; None where there is none."""
    return int.from_bytes(raw[:_LONGEST_NUMBER], "big") if raw else None


def text(raw: bytes) -> str:
    """Read a string, and make it harmless."""
    return safe(raw.partition(b"\0")[0])


def _comment(userdata: bytes) -> bytes:
    at = 0
    while at + 2 <= len(userdata):
        kind, length = userdata[at], userdata[at + 1]
        if kind == _COMMENT:
            return userdata[at + 2 : at + 2 + length].partition(b"\0")[0]
        at += 2 + length
    return b""


def _expressions(data: bytes) -> Iterator[Expression]:
    for kind, element in _attributes(data):
        if kind == _LIST_ELEMENT:
            found = attributes(element)
            name = text(found.get(_EXPRESSION_NAME, b""))
            yield Expression(name=name, attributes=attributes(found.get(_EXPRESSION_DATA, b"")))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size or at + length > len(data):
            return
        yield kind & _TYPE_MASK, data[at + _ATTRIBUTE.size : at + length]
        at += length + -length % 4
