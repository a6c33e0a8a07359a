"""What of dnetsniff is in one network stack: its tables, its sockets, and where they made an interface promiscuous."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from inspector.netfilter.asking import explained, listed, nf_tables_link
from inspector.wire import owned_tables, packet_diag
from inspector.wire.nfnetlink import Message
from inspector.wire.owned_tables import Table
from inspector.wire.packet_diag import PacketSocket
from inspector.wire.proc_net import read_inodes, read_netlink_ports

_NETLINK_SOCK_DIAG = 4
_PATIENCE_S = 5
SOCKETS = ("raw", "raw6", "icmp", "icmp6", "udp", "udp6")
"""Not tcp: the kernel goes through those of all stacks for each (8 ms), and they are told with their process."""
T = TypeVar("T")


class InStack(Struct, frozen=True):
    """What a network stack has, whoever it is of."""

    tables: tuple[Table, ...]
    ports: dict[int, int]
    """Inodes by the port of a netlink socket."""
    packet_sockets: tuple[PacketSocket, ...]
    others: dict[int, str]
    """Kinds by the inode of another socket."""
    interfaces: dict[int, str]


def look_here(*, sockets: bool) -> InStack:
    """Look into the stack that the calling thread is in; at sockets that are neither packet nor netlink, if wanted.

    Raises InspectorError.
    """
    tables = tuple(_tables())
    ports = read_netlink_ports(_table("netlink")) if sockets or any(each.owner for each in tables) else {}
    others = dict.fromkeys(ports.values(), "netlink")
    others |= {inode: name for name in SOCKETS for inode in read_inodes(_table(name))} if sockets else {}
    return InStack(
        tables=tables,
        ports=ports,
        packet_sockets=tuple(_packet_sockets()),
        others=others,
        interfaces=dict(socket.if_nameindex()),
    )


def _tables() -> Iterator[Table]:
    with explained("tables"), nf_tables_link() as link:
        yield from _read(listed(link, owned_tables.request()), owned_tables.read) if link else ()


def _packet_sockets() -> Iterator[PacketSocket]:
    with (
        explained("packet sockets"),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as link,
    ):
        link.settimeout(_PATIENCE_S)
        yield from _read(listed(link, packet_diag.request()), packet_diag.read)


def _read(messages: list[Message], read: Callable[[Message], T | None]) -> Iterator[T]:
    return (each for message in messages if (each := read(message)) is not None)


def _table(name: str) -> str:
    # /proc/net is the main thread's (proc(5)).
    with suppress(OSError):
        return Path("/proc/thread-self/net", name).read_text(encoding="ascii")
    return ""
