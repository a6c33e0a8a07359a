"""Read the nat rules of the namespace the calling thread is in, without any tool, and changing nothing.

1. Two kinds of tables can be there at once: those of nf_tables (iptables-nft writes them too) and the legacy ones.
2. Asking for a legacy table makes it, so /proc is asked first whether it is there.
3. Call `read_nat_rules` by `inspector.netns.enter`; it needs CAP_NET_ADMIN there.
"""

import ctypes
import errno
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from inspector.errors import InspectorError, PrivilegeError
from inspector.model.lookup import TranslationRule
from inspector.wire import nf_tables
from inspector.wire.ip_tables import INFO, TABLE_NAME_LENGTH, Info, read_info, read_table
from inspector.wire.nfnetlink import (
    DONE,
    DUMP_INTERRUPTED,
    ERROR,
    GET_CHAIN,
    GET_RULE,
    Chain,
    Message,
    Rule,
    error_number,
    messages,
    read_chain,
    read_rule,
    request,
)
from inspector.wire.rule_draft import Family, Placed

NF_TABLES, LEGACY = "nf_tables", "legacy"
_NAT = "nat"
_NETLINK_NETFILTER = 12
_RECEIVED = 65_536
_PATIENCE_S = 5
_ATTEMPTS = 4
"""A list is asked for again where something changed meanwhile."""
_GET_INFO, _GET_ENTRIES = 64, 65
"""IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, and the same numbers for IPv6"""
_SOCKETS = {Family.IPV4: (socket.AF_INET, 0), Family.IPV6: (socket.AF_INET6, 41)}
"""SOL_IP, SOL_IPV6"""
_ENTRIES_AT = 40
"""struct ipt_get_entries: a name, a size, and entries that are aligned to 8 bytes"""
_LEGACY_MOST = 64 << 20
_ABSENT = frozenset({errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT})
"""What a kernel answers that has no such thing."""


def read_nat_rules() -> tuple[TranslationRule, ...]:
    """List the rules of all nat chains, for IPv4 and IPv6. Raises PrivilegeError, or InspectorError with the reason."""
    try:
        return (*_nf_tables(), *_legacy(Family.IPV4), *_legacy(Family.IPV6))
    except PermissionError as error:
        raise PrivilegeError(
            "the kernel did not let us read the nat rules: CAP_NET_ADMIN is missing there",
            "run it with sudo, or as a user that has this capability",
        ) from error
    except OSError as error:
        raise InspectorError(f"the nat rules cannot be read: {os.strerror(error.errno or 0).lower()}") from error


def _nf_tables() -> Iterator[TranslationRule]:
    try:
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    except OSError as error:
        if error.errno in _ABSENT:
            return
        raise
    with link:
        link.settimeout(_PATIENCE_S)
        chains: dict[tuple[Family, bytes], list[Chain]] = {}
        for message in _listed(link, request(GET_CHAIN)):
            if chain := read_chain(message):
                chains.setdefault((chain.family, chain.raw_table), []).append(chain)
        for (family, table), members in chains.items():
            hooked = [each.name for each in members if each.kind == _NAT]
            if hooked or table == _NAT.encode():
                rules = [rule for each in _listed(link, request(GET_RULE, family, table)) if (rule := read_rule(each))]
                placed = tuple(_placed(rules))
                # In a table of another name are chains that have nothing to do with nat.
                wanted = {each.name for each in members} if table == _NAT.encode() else _reached(hooked, placed)
                yield from (_translation(each, NF_TABLES) for each in placed if each.chain in wanted)


def _placed(rules: Iterable[Rule]) -> Iterator[Placed]:
    positions: Counter[str] = Counter()
    for rule in rules:
        positions[rule.chain] += 1
        draft = nf_tables.decode(rule)
        yield Placed(table=rule.table, chain=rule.chain, position=positions[rule.chain], draft=draft)


def _reached(chains: Iterable[str], placed: Iterable[Placed]) -> set[str]:
    """Name the chains that a packet may come to from these."""
    jumps: dict[str, set[str]] = {}
    for each in placed:
        if each.draft.target:
            jumps.setdefault(each.chain, set()).add(each.draft.target)
    found: set[str] = set()
    waiting = list(chains)
    while waiting:
        chain = waiting.pop()
        if chain not in found:
            found.add(chain)
            waiting.extend(jumps.get(chain, ()))
    return found


def _listed(link: socket.socket, asked: bytes) -> list[Message]:
    """Ask for a list, and again where something changed while it was read."""
    found: list[Message] = []
    for _ in range(_ATTEMPTS):
        link.sendto(asked, (0, 0))
        found, whole = _received(link)
        if whole:
            break
    return found


def _received(link: socket.socket) -> tuple[list[Message], bool]:
    """Receive a list until its end, and say whether nothing changed meanwhile."""
    found: list[Message] = []
    whole = True
    while True:
        for message in messages(link.recv(_RECEIVED)):
            whole = whole and not message.flags & DUMP_INTERRUPTED
            if message.type in {DONE, ERROR}:
                if (number := error_number(message)) and number not in _ABSENT:
                    raise OSError(number, os.strerror(number))
                return found, whole
            found.append(message)


def _legacy(family: Family) -> Iterator[TranslationRule]:
    """Read the legacy nat table, if this namespace has one."""
    listed = Path(f"/proc/thread-self/net/{family}_tables_names")
    try:
        there = _NAT in listed.read_text(encoding="ascii", errors="replace").split()
    except FileNotFoundError:
        return
    if not there:
        return
    domain, level = _SOCKETS[family]
    with socket.socket(domain, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        found = _table(sock, level)
    if found is not None:
        info, block = found
        yield from (_translation(each, LEGACY) for each in read_table(_NAT, family, info, block))


def _table(sock: socket.socket, level: int) -> tuple[Info, bytes] | None:
    """Read the table in two steps, and again where it changed between them."""
    for _ in range(_ATTEMPTS):
        name = _NAT.encode().ljust(TABLE_NAME_LENGTH, b"\0")
        info = read_info(_option(sock, level, _GET_INFO, name.ljust(INFO.size, b"\0")))
        if info is None or info.size > _LEGACY_MOST:
            return None
        asked = name + info.size.to_bytes(4, sys.byteorder)
        try:
            return info, _option(sock, level, _GET_ENTRIES, asked.ljust(_ENTRIES_AT + info.size, b"\0"))[_ENTRIES_AT:]
        except BlockingIOError:
            continue
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


def _translation(placed: Placed, backend: str) -> TranslationRule:
    draft = placed.draft
    return TranslationRule(
        table=placed.table,
        chain=placed.chain,
        position=placed.position,
        text=draft.text(placed.chain),
        backend=backend,
        family=draft.family.value,
        target=draft.target,
        source=_bare(draft.plain("-s")),
        destination=_bare(draft.plain("-d")),
        protocol=draft.plain("-p"),
        source_port=_port(draft.plain("--sport")),
        port=_port(draft.plain("--dport")),
        to_address=draft.to_address,
        to_port=draft.to_port,
    )


def _bare(prefix: str | None) -> str | None:
    """Return the address alone where the prefix is one address."""
    if prefix is None:
        return None
    address, _, length = prefix.partition("/")
    return address if length == ("128" if ":" in address else "32") else prefix


def _port(ports: str | None) -> int | None:
    return int(ports) if ports is not None and ports.isdecimal() else None
