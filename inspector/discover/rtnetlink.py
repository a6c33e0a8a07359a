"""Ask rtnetlink (rtnetlink(7)), by a plain socket. The one door to pyroute2.

What there are many of (links, addresses, routes, neighbours) is read by `wire.stack_messages`; what is asked for once,
a route's answer and policy rules, by pyroute2.

`import pyroute2` loads databases, nftables, ethtool and an event loop before anything is asked: measured 118 ms, where
its message classes take 14, and its own socket twice the time for each dump. So the package's `__init__` is put off
(whoever imports it later gets it whole), and the few requests that a survey needs are written here.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import Any, Self

from inspector.wire import stack_messages
from inspector.wire.stack_messages import read_message

AF_BRIDGE = 7
"""linux/socket.h"""
RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE = 18, 22, 26, 30, 34
RTM_GETNETCONF, RTM_GETNSID = 82, 90
RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF = 1, 2, 3, 4
"""linux/rtnetlink.h"""
NETCONFA_IFINDEX, NETCONFA_IFINDEX_ALL = 1, -1
"""linux/netconf.h"""
NETNSA_NSID, NETNSA_FD = 1, 3
"""linux/net_namespace.h"""
IFLA_MASTER, IFLA_EXT_MASK, IFLA_TARGET_NETNSID = 10, 29, 46
"""linux/if_link.h; the last since Linux 4.15"""
NO_MASTER = -1
"""What `ip link show nomaster` asks by (link_master_filtered in net/core/rtnetlink.c)."""
RTEXT_FILTER_SKIP_STATS = 0x8
"""linux/rtnetlink.h, Linux 4.4: leave out what each device has counted, a fifth of its message."""

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _DUMP, _INTERRUPTED = 0x1, 0x300, 0x10
_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr (linux/netlink.h): length, type, flags, sequence, port id"""
_ERROR = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HHi")
"""struct nlattr with a 32-bit value"""
_NO_STATISTICS = _ATTRIBUTE.pack(_ATTRIBUTE.size, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
_ATTRIBUTE_HEAD = struct.Struct("=HH")
_LOOKUP_TABLE = 0x1000
"""RTM_F_LOOKUP_TABLE (linux/rtnetlink.h): say which table the answer is from."""
_LINK, _ADDRESS, _ROUTE, _NEIGHBOUR, _GENERIC = "=BxHiII", "=BBBBI", "=8BI", "=BxxxiHBB", "=Bxxx"
"""struct ifinfomsg, ifaddrmsg, rtmsg (and fib_rule_hdr), ndmsg, rtgenmsg (linux/rtnetlink.h, if_addr.h, neighbour.h)"""
_CUT = int(socket.MSG_TRUNC)
_ROOM = 1 << 15
"""A part of a dump is never longer (netlink_dump); to ask Python for more costs more than the dump itself."""
_ATTEMPTS = 5
"""More, of a dump that something changed under (NLM_F_DUMP_INTR): it may have holes."""

Message = Any
"""A message of pyroute2: `message["table"]` is a field, `message.get("gateway")` an attribute."""


class Rtnetlink:
    """A socket to rtnetlink, in the namespace of the thread that made it. What the kernel refuses is an OSError."""

    def __init__(self) -> None:
        """Open it."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def __enter__(self) -> Self:
        """Have it until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self._socket.close()

    def links(self, master: int | None = None) -> list[stack_messages.Message]:
        """Return every device, or those under a master: its ifindex, or NO_MASTER (RTM_NEWLINK).

        Before Linux 5.16 nothing is under NO_MASTER, not even the loopback.
        """
        body = struct.pack(_LINK, 0, 0, 0, 0, 0) + _NO_STATISTICS
        body += b"" if master is None else _ATTRIBUTE.pack(_ATTRIBUTE.size, IFLA_MASTER, master)
        return self._dump(RTM_GETLINK, body, stack_messages.LINK)

    def link(self, ifindex: int) -> stack_messages.Message:
        """Return one device."""
        (answer,) = self._ask(RTM_GETLINK, _REQUEST, struct.pack(_LINK, 0, 0, ifindex, 0, 0) + _NO_STATISTICS)
        return read_message(stack_messages.LINK, answer)

    def addresses(self) -> list[stack_messages.Message]:
        """Return every address (RTM_NEWADDR)."""
        return self._dump(RTM_GETADDR, struct.pack(_ADDRESS, 0, 0, 0, 0, 0), stack_messages.ADDRESS)

    def routes(self) -> list[stack_messages.Message]:
        """Return every route of every table (RTM_NEWROUTE)."""
        return self._dump(RTM_GETROUTE, struct.pack(_ROUTE, *(0,) * 9), stack_messages.ROUTE)

    def route_to(
        self, destination: IPv4Address | IPv6Address, source: str | None, inbound: int | None, outbound: int | None
    ) -> Message:
        """Return the way that a packet would take (RTM_NEWROUTE), as `ip route get` does; a refusal is an OSError.

        `inbound` and `outbound` are ifindexes: the interface the packet came in by, the only one it may leave by.
        """
        bits = destination.max_prefixlen
        family = socket.AF_INET if destination.version == 4 else socket.AF_INET6  # noqa: PLR2004
        body = struct.pack(_ROUTE, family, bits, bits if source else 0, 0, 0, 0, 0, 0, _LOOKUP_TABLE)
        body += _ATTRIBUTE_HEAD.pack(_ATTRIBUTE_HEAD.size + bits // 8, RTA_DST) + destination.packed
        if source:
            body += _ATTRIBUTE_HEAD.pack(_ATTRIBUTE_HEAD.size + bits // 8, RTA_SRC) + socket.inet_pton(family, source)
        for kind, ifindex in ((RTA_IIF, inbound), (RTA_OIF, outbound)):
            body += _ATTRIBUTE.pack(_ATTRIBUTE.size, kind, ifindex) if ifindex else b""
        (answer,) = self._ask(RTM_GETROUTE, _REQUEST, body)
        return _read("rtmsg", answer)

    def rules(self, family: int) -> list[stack_messages.Message]:
        """Return the policy rules of one address family (RTM_NEWRULE), in their order."""
        return self._dump(RTM_GETRULE, struct.pack(_ROUTE, family, *(0,) * 8), stack_messages.ROUTE)

    def neighbours(self) -> list[stack_messages.Message]:
        """Return the ARP and ND caches (RTM_NEWNEIGH)."""
        return self._dump(RTM_GETNEIGH, struct.pack(_NEIGHBOUR, 0, 0, 0, 0, 0), stack_messages.NEIGHBOUR)

    def forwarding(self, bridge: int | None = None) -> list[stack_messages.Message]:
        """Return what the bridges, or one of them, have learned and were told (RTM_NEWNEIGH of AF_BRIDGE)."""
        if bridge is None:
            body = struct.pack(_NEIGHBOUR, AF_BRIDGE, 0, 0, 0, 0)
        else:
            # `bridge fdb show br` asks by a link's message (valid_fdb_dump_legacy): so every kernel understands it.
            body = struct.pack(_LINK, AF_BRIDGE, 0, 0, 0, 0) + _ATTRIBUTE.pack(_ATTRIBUTE.size, IFLA_MASTER, bridge)
        return self._dump(RTM_GETNEIGH, body, stack_messages.NEIGHBOUR)

    def settings(self, family: int) -> stack_messages.Attributes:
        """Return what holds for all interfaces of an address family (RTM_NEWNETCONF, Linux 3.7)."""
        body = struct.pack(_GENERIC, family) + _ATTRIBUTE.pack(_ATTRIBUTE.size, NETCONFA_IFINDEX, NETCONFA_IFINDEX_ALL)
        (answer,) = self._ask(RTM_GETNETCONF, _REQUEST, body)
        return read_message(stack_messages.SETTINGS, answer).attributes

    def namespace_number(self, descriptor: int) -> int | None:
        """Return the number that this namespace has for another one; None where it has none."""
        body = struct.pack(_GENERIC, 0) + _ATTRIBUTE.pack(_ATTRIBUTE.size, NETNSA_FD, descriptor)
        (answer,) = self._ask(RTM_GETNSID, _REQUEST, body)
        # Behind nlmsghdr and rtgenmsg stands NETNSA_NSID, -1 where there is none.
        _, kind, number = _ATTRIBUTE.unpack_from(answer, _HEADER.size + 4)
        return int(number) if kind == NETNSA_NSID and number >= 0 else None

    def link_elsewhere(self, ifindex: int, number: int) -> stack_messages.Message:
        """Return a device of another namespace, known here by this number, without entering it."""
        body = struct.pack(_LINK, 0, 0, ifindex, 0, 0) + _ATTRIBUTE.pack(_ATTRIBUTE.size, IFLA_TARGET_NETNSID, number)
        (answer,) = self._ask(RTM_GETLINK, _REQUEST, body)
        return read_message(stack_messages.LINK, answer)

    def _dump(self, kind: int, body: bytes, layout: struct.Struct) -> list[stack_messages.Message]:
        return [read_message(layout, each) for each in self._listed(kind, body)]

    def _listed(self, kind: int, body: bytes) -> list[bytes]:
        answers = self._ask(kind, _REQUEST | _DUMP, body)
        for _ in range(_ATTEMPTS):
            if not any(_HEADER.unpack_from(each)[2] & _INTERRUPTED for each in answers):
                break
            answers = self._ask(kind, _REQUEST | _DUMP, body)
        return answers

    def _ask(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        """Return the messages that answer a request, each with its header."""
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)
        answers: list[bytes] = []
        while True:
            data, _, flags_of_part, _ = self._socket.recvmsg(_ROOM)
            if flags_of_part & _CUT:
                raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
            for message in _messages(data):
                _, answer, _, sequence, _ = _HEADER.unpack_from(message)
                if sequence != self._sequence:
                    continue
                if answer == _NLMSG_ERROR:
                    (number,) = _ERROR.unpack_from(message, _HEADER.size)
                    raise OSError(-number, os.strerror(-number))
                if answer == _NLMSG_DONE:
                    return answers
                answers.append(message)
                if not flags & _DUMP:
                    return answers


def load() -> None:
    """Load the readers."""
    _reader("rtmsg")


def _messages(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER.size <= len(data):
        length = max(_HEADER.unpack_from(data, at)[0], _HEADER.size)
        yield data[at : at + length]
        at += (length + 3) & ~3


def _read(reader: str, message: bytes) -> Message:
    read = _reader(reader)(message)
    read.decode()
    return read


def _reader(name: str) -> Any:
    path = f"pyroute2.netlink.rtnl.{name}"
    module = sys.modules.get(path)
    if module is None:
        with _without_the_rest("pyroute2"):
            module = import_module(path)
    return getattr(module, name)


@contextmanager
def _without_the_rest(package: str) -> Iterator[None]:
    """Let modules of a package be imported without its `__init__`, unless that has run already."""
    spec = find_spec(package) if package not in sys.modules else None
    if spec is None:
        yield
        return
    sys.modules[package] = module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[package]
