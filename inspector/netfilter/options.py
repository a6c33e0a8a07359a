"""Ask by socket option: the legacy tables, and the names of sets.

Asking for a legacy table makes it, so /proc is asked first whether it is there. No kernel module is loaded by this.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.netfilter.asking import ATTEMPTS
from inspector.wire.ip_tables import INFO, TABLE_NAME_LENGTH, Info, read_info
from inspector.wire.rule_draft import Family, Names

_GET_INFO, _GET_ENTRIES = 64, 65
"""IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, and the same numbers for IPv6"""
_SOCKETS = {Family.IPV4: (socket.AF_INET, 0), Family.IPV6: (socket.AF_INET6, 41)}
"""SOL_IP, SOL_IPV6"""
_ENTRIES_AT = 40
"""struct ipt_get_entries: a name, a size, and entries that are aligned to 8 bytes"""
_LEGACY_MOST = 64 << 20

_SO_IP_SET, _BY_INDEX = 83, 7
_SET_NAME = struct.Struct("=II32s")
_SET_NUMBER = struct.Struct("=IIH30x")
_SET_VERSION = struct.Struct("=II")
_OP_VERSION = 0x100
"""linux/netfilter/ipset/ip_set.h: operation, version, then a name or an index (struct ip_set_req_get_set)"""


def legacy_tables(family: Family) -> tuple[str, ...]:
    """Name the legacy tables that this namespace has."""
    listed = Path(f"/proc/thread-self/net/{family}_tables_names")
    try:
        return tuple(listed.read_text(encoding="ascii", errors="replace").split())
    except FileNotFoundError:
        return ()


@contextmanager
def legacy_socket(family: Family) -> Iterator[socket.socket]:
    """Hold the socket open that a family's tables are asked by."""
    with socket.socket(_SOCKETS[family][0], socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        yield sock


def legacy_table(sock: socket.socket, family: Family, table: str) -> tuple[Info, bytes] | None:
    """Read a table that is there in two steps, and again where it changed between them. Raises OSError."""
    level = _SOCKETS[family][1]
    for _ in range(ATTEMPTS):
        name = table.encode().ljust(TABLE_NAME_LENGTH, b"\0")
        info = read_info(_option(sock, level, _GET_INFO, name.ljust(INFO.size, b"\0")))
        if info is None or info.size > _LEGACY_MOST:
            return None
        asked = name + info.size.to_bytes(4, sys.byteorder)
        try:
            return info, _option(sock, level, _GET_ENTRIES, asked.ljust(_ENTRIES_AT + info.size, b"\0"))[_ENTRIES_AT:]
        except BlockingIOError:
            continue
    return None


def kernel_names() -> Names:
    """Say how things are called that rules name by number."""
    return Names(ipset=_ipset_name, link=_link_name)


def _ipset_name(number: int) -> str | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW) as sock:
            asked = _SET_VERSION.pack(_OP_VERSION, 0)
            _, version = _SET_VERSION.unpack_from(_option(sock, 0, _SO_IP_SET, asked))
            answer = _option(sock, 0, _SO_IP_SET, _SET_NUMBER.pack(_BY_INDEX, version, number))
    except OSError:
        return None
    _, _, name = _SET_NAME.unpack_from(answer)
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape") or None


def _link_name(ifindex: int) -> str | None:
    try:
        return socket.if_indextoname(ifindex)
    except OSError:
        return None


def _option(sock: socket.socket, level: int, option: int, asked: bytes) -> bytes:
    """Do what `socket.getsockopt` cannot: hand something in, and take more than 1024 bytes out."""
    library = ctypes.CDLL(None, use_errno=True)
    answer = ctypes.create_string_buffer(asked, len(asked))
    length = ctypes.c_uint(len(asked))
    if library.getsockopt(sock.fileno(), level, option, answer, ctypes.byref(length)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer.raw[: length.value]
