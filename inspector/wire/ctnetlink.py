"""Write and read netlink messages of connection tracking (linux/netfilter/nfnetlink_conntrack.h).

No bytes raise: what is cut off or of another kind is None. Numbers are big endian, the flags of a filter aside.
"""

import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from inspector.model.conntrack import ConntrackEntry, Flow
from inspector.model.question import Protocol
from inspector.model.topology import SandboxId
from inspector.wire.nfnetlink import DUMP, REQUEST, Message, attributes, number

_SUBSYSTEM = 1 << 8
"""NFNL_SUBSYS_CTNETLINK"""
NEW, GET = _SUBSYSTEM | 0, _SUBSYSTEM | 1
"""IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_GET"""

_HEADER, _FAMILY, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct(">BBH"), struct.Struct("=HH")
"""struct nlmsghdr, struct nfgenmsg, struct nlattr"""
_NESTED = 0x8000
_ORIGINAL, _REPLY, _STATUS, _TIMEOUT, _FILTER = 1, 2, 3, 7, 25
"""CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_TIMEOUT, CTA_FILTER"""
_IP, _PROTOCOL = 1, 2
"""CTA_TUPLE_IP, CTA_TUPLE_PROTO"""
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
"""CTA_PROTO_NUM and so on; of ICMP three more numbers: identifier, type, code."""
_ORIGINAL_FLAGS, _BY_NUMBER, _BY_DESTINATION_PORT = 1, 1 << 3, 1 << 5
"""CTA_FILTER_ORIG_FLAGS (Linux 5.8): which parts of CTA_TUPLE_ORIG have to be the same."""
_STATES = ((1 << 1, "seen-reply"), (1 << 2, "assured"), (1 << 4, "snat"), (1 << 5, "dnat"))
"""enum ip_conntrack_status (linux/netfilter/nf_conntrack_common.h)"""


class _Family(NamedTuple):
    number: int
    addresses: tuple[int, int]
    icmp: int
    echo: tuple[int, int, int]
    length: int


_FAMILIES = {
    4: _Family(int(socket.AF_INET), (1, 2), 1, (4, 5, 6), 4),
    6: _Family(int(socket.AF_INET6), (3, 4), 58, (7, 8, 9), 16),
}
_PORTS = {Protocol.TCP: 6, Protocol.UDP: 17}


def entry_of(protocol: Protocol, flow: Flow) -> bytes:
    """Write a request for the entry that has this flow as its original or its reply."""
    family = _FAMILIES[ip_address(flow.source).version]
    return _message(family, REQUEST, _tuple(family, protocol, flow))


def entries_to_port(family: int, protocol: Protocol, port: int) -> bytes:
    """Write a request for all entries whose first packet went to a port; before Linux 5.8 the kernel lists all."""
    known = _FAMILIES[family]
    flags = _attribute(_ORIGINAL_FLAGS, struct.pack("=I", _BY_NUMBER | _BY_DESTINATION_PORT))
    wanted = _nested(_PROTOCOL, _attribute(_NUMBER, bytes([_PORTS[protocol]])) + _port(_DESTINATION_PORT, port))
    return _message(known, REQUEST | DUMP, _nested(_ORIGINAL, wanted) + _nested(_FILTER, flags))


def read_entry(sandbox: SandboxId, message: Message) -> ConntrackEntry | None:
    """Read an entry; None where it is none, or not of TCP, UDP or an echo."""
    if message.type != NEW:
        return None
    found = attributes(message.payload[_FAMILY.size :])
    original, reply = _read_flow(found.get(_ORIGINAL, b"")), _read_flow(found.get(_REPLY, b""))
    if original is None or reply is None:
        return None
    status = number(found.get(_STATUS)) or 0
    return ConntrackEntry(
        sandbox=sandbox,
        protocol=original[0],
        original=original[1],
        reply=reply[1],
        status=tuple(word for bit, word in _STATES if status & bit),
        timeout_s=number(found.get(_TIMEOUT)),
    )


def _message(family: _Family, flags: int, wanted: bytes) -> bytes:
    payload = _FAMILY.pack(family.number, 0, 0) + wanted
    return _HEADER.pack(_HEADER.size + len(payload), GET, flags, 0, 0) + payload


def _tuple(family: _Family, protocol: Protocol, flow: Flow) -> bytes:
    ends = zip(family.addresses, (flow.source, flow.destination), strict=True)
    addresses = b"".join(_attribute(kind, ip_address(each).packed) for kind, each in ends)
    if flow.echo is None:
        words = _attribute(_NUMBER, bytes([_PORTS[protocol]]))
        words += _port(_SOURCE_PORT, flow.source_port or 0) + _port(_DESTINATION_PORT, flow.destination_port or 0)
    else:
        identifier, kind, code = family.echo
        words = _attribute(_NUMBER, bytes([family.icmp])) + _port(identifier, flow.echo)
        words += _attribute(kind, bytes([flow.type or 0])) + _attribute(code, b"\0")
    return _nested(_ORIGINAL, _nested(_IP, addresses) + _nested(_PROTOCOL, words))


def _read_flow(data: bytes) -> tuple[Protocol, Flow] | None:
    found = attributes(data)
    addresses, words = attributes(found.get(_IP, b"")), attributes(found.get(_PROTOCOL, b""))
    for family in _FAMILIES.values():
        source, destination = (addresses.get(each, b"") for each in family.addresses)
        if len(source) == len(destination) == family.length:
            return _flow_of(family, str(ip_address(source)), str(ip_address(destination)), words.get)
    return None


def _flow_of(
    family: _Family, source: str, destination: str, told: Callable[[int], bytes | None]
) -> tuple[Protocol, Flow] | None:
    protocol = number(told(_NUMBER))
    if protocol == family.icmp:
        identifier, kind, _ = (number(told(each)) for each in family.echo)
        return Protocol.ICMP, Flow(source, destination, echo=identifier, type=kind)
    ports = number(told(_SOURCE_PORT)), number(told(_DESTINATION_PORT))
    known = next((each for each, its in _PORTS.items() if its == protocol), None)
    return (known, Flow(source, destination, *ports)) if known else None


def _port(kind: int, value: int) -> bytes:
    return _attribute(kind, value.to_bytes(2, "big"))


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + b"\0" * (-len(value) % 4)
