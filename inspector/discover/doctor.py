"""Find out whether a trace can run here: privileges, engine, kernel features, and the settings that decide.

Every feature is tried, not looked up by version.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from inspector import netns, privileges, tracing
from inspector.discover.engine import connect
from inspector.discover.kernel import SETTINGS, read_settings
from inspector.discover.rule_tracing import try_rule_tracing
from inspector.discover.survey import host_namespace
from inspector.errors import EngineUnreachableError, InspectorError
from inspector.model.engine_choice import EngineChoice
from inspector.model.topology import Setting

REQUIRED = frozenset({privileges.NET_RAW, privileges.SYS_ADMIN, privileges.SYS_PTRACE})
"""A trace runs without any other: tried one by one. Promiscuity by PACKET_ADD_MEMBERSHIP asks for no capability."""

MEANINGS = {
    "net.ipv4.ip_forward": "1: the host routes IPv4",
    "net.ipv6.conf.all.forwarding": "1: the host routes IPv6",
    "net.ipv4.conf.all.rp_filter": "1: a way back elsewhere is dropped",
    "net.bridge.bridge-nf-call-iptables": "1: bridged IPv4 is firewalled",
    "net.bridge.bridge-nf-call-ip6tables": "1: bridged IPv6 is firewalled",
}
SOL_PACKET, PACKET_VERSION, TPACKET_V3 = 263, 10, 2
"""linux/socket.h, linux/if_packet.h"""
SO_ATTACH_FILTER = 26
NETLINK_NETFILTER, NLMSG_ERROR = 12, 2
GET_GENERATION = struct.pack("=IHHIIBBH", 20, 10 << 8 | 16, 1, 1, 0, 0, 0, 0)
"""struct nlmsghdr (NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN; NLM_F_REQUEST) and nfgenmsg: linux/netfilter/nf_tables.h"""


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    MISSING = "missing"
    NOTE = "note"


class Area(StrEnum):
    """What a check is about."""

    PRIVILEGE = "privileges"
    ENGINE = "engine"
    KERNEL = "kernel"
    SETTING = "settings"


class Check(Struct, frozen=True):
    """One thing looked at."""

    area: Area
    name: str
    state: State
    value: str
    purpose: str


def examine(choice: EngineChoice) -> tuple[Check, ...]:
    """Look at everything. Raises nothing: what is missing is a check that says so."""
    engine, settings = _engine(choice)
    return (*_capabilities(), engine, *_features(), *_settings(settings))


def _capabilities() -> Iterator[Check]:
    held = privileges.held()
    for each in privileges.OF_OWNER:
        has = bool(held >> each.bit & 1)
        state = State.OK if has else State.MISSING if each in REQUIRED else State.NOTE
        yield Check(Area.PRIVILEGE, each.name, state, "held" if has else "missing", each.purpose)


def _engine(choice: EngineChoice) -> tuple[Check, tuple[Setting, ...]]:
    purpose = "names of networks and containers"
    try:
        engine = connect(choice)
    except InspectorError as error:
        return Check(Area.ENGINE, "engine", State.MISSING, _said(error), purpose), _local_settings()
    try:
        identity = engine.identity()
        check = Check(Area.ENGINE, "engine", State.OK, f"{identity.name} {identity.version}", purpose)
        namespace = host_namespace(engine)
    except InspectorError as error:
        return Check(Area.ENGINE, "engine", State.MISSING, _said(error), purpose), _local_settings()
    finally:
        engine.close()
    try:
        return check, netns.enter(namespace.fd, _local_settings)
    except InspectorError:
        return check, _local_settings()
    finally:
        namespace.close()


def _said(error: InspectorError) -> str:
    """Leave out the way out where it leads here."""
    return error.message if isinstance(error, EngineUnreachableError) else str(error)


def _local_settings() -> tuple[Setting, ...]:
    return read_settings(SETTINGS)


def _features() -> Iterator[Check]:
    trials: tuple[tuple[str, Callable[[], object], str], ...] = (
        ("packet ring", _try_ring, "capture without loss (TPACKET_V3, Linux 3.2)"),
        ("kernel filter", _try_filter, "keep other traffic away from a trace"),
        ("network namespaces", _try_namespace, "look and send inside a container's stack"),
        ("pidfd", _try_pidfd, "notice that a container ends (Linux 5.3)"),
    )
    for name, trial, purpose in trials:
        try:
            trial()
        except (OSError, InspectorError) as error:
            why = error.message if isinstance(error, InspectorError) else error.strerror or str(error)
            yield Check(Area.KERNEL, name, State.MISSING, why, purpose)
        else:
            yield Check(Area.KERNEL, name, State.OK, "works", purpose)
    value = _drop_reasons()
    state = State.OK if value == "works" else State.NOTE
    yield Check(Area.KERNEL, "drop reasons", state, value, "say why the kernel drops a probe (Linux 5.17)")
    loaded = Path("/proc/sys/net/bridge").is_dir()
    value = "loaded" if loaded else "not loaded"
    yield Check(Area.KERNEL, "br_netfilter", State.OK if loaded else State.NOTE, value, "firewall bridged traffic")
    value = _nf_tables()
    yield Check(
        Area.KERNEL,
        "nf_tables",
        State.OK if value == "works" else State.NOTE,
        value,
        "firewall rules (no trace needs it)",
    )
    try:
        try_rule_tracing()
    except OSError as error:
        value = error.strerror or str(error)
        yield Check(Area.KERNEL, "rule tracing", State.NOTE, value, "name the rule that drops (Linux 5.12)")
    else:
        yield Check(Area.KERNEL, "rule tracing", State.OK, "works", "name the rule that drops (Linux 5.12)")


def _try_ring() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)


def _try_filter() -> None:
    # One instruction, BPF_RET|BPF_K 0: accept nothing (linux/filter.h, struct sock_filter and sock_fprog).
    program = ctypes.create_string_buffer(b"\x06\x00\x00\x00\x00\x00\x00\x00", 8)
    head = (1).to_bytes(8, "little") + ctypes.addressof(program).to_bytes(8, "little")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)


def _try_namespace() -> None:
    namespace = netns.own()
    try:
        netns.enter(namespace.fd, lambda: None)
    finally:
        namespace.close()


def _nf_tables() -> str:
    """Ask nf_tables for its generation, which changes nothing; say what came of it."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
            sock.settimeout(1)
            sock.send(GET_GENERATION)
            (kind,) = struct.unpack_from("=H", sock.recv(4096), 4)
    except OSError as error:
        return error.strerror or str(error)
    return "works" if kind != NLMSG_ERROR else "no answer: the module is missing, or CAP_NET_ADMIN"


def _drop_reasons() -> str:
    """Have the kernel tell why it drops packets, for a moment; say what came of it."""
    try:
        freed, _received = tracing.drop_tracepoints()
        tracing.TraceEvent(freed.id, tracing.online_cpus()[0]).close()
    except OSError as error:
        return error.strerror or str(error)
    return "works"


def _try_pidfd() -> None:
    os.close(os.pidfd_open(os.getpid()))


def _settings(settings: tuple[Setting, ...]) -> Iterator[Check]:
    for each in settings:
        yield Check(Area.SETTING, each.name, State.NOTE, each.value or "not there", MEANINGS.get(each.name, ""))
