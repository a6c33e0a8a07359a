"""Read the targets of x_tables that do not translate (linux/netfilter/xt_*.h, linux/netfilter_ipv?/ip*t_REJECT.h).

Each reader takes the family and the data, and returns the words behind `-j NAME`, or None where it cannot be written.
"""

import struct
from collections.abc import Callable, Mapping

from inspector.wire.rule_draft import Family
from inspector.wire.xt_words import quoted

Reader = Callable[[Family, bytes], list[str] | None]

_REJECTIONS = {
    Family.IPV4: {
        0: "icmp-net-unreachable",
        1: "icmp-host-unreachable",
        2: "icmp-proto-unreachable",
        3: "icmp-port-unreachable",
        5: "icmp-net-prohibited",
        6: "icmp-host-prohibited",
        7: "tcp-reset",
        8: "icmp-admin-prohibited",
    },
    Family.IPV6: {
        0: "icmp6-no-route",
        1: "icmp6-adm-prohibited",
        3: "icmp6-addr-unreachable",
        4: "icmp6-port-unreachable",
        6: "tcp-reset",
        7: "icmp6-policy-fail",
        8: "icmp6-reject-route",
    },
}
_LOG = struct.Struct("=BB30s")
_LOG_FLAGS = (
    (1, "--log-tcp-sequence"),
    (2, "--log-tcp-options"),
    (4, "--log-ip-options"),
    (8, "--log-uid"),
    (32, "--log-macdecode"),
)
_USUAL_LEVEL = 4
_NFLOG = struct.Struct("=IHHHH64s")
_CONNMARK1 = struct.Struct("=IIIB")
_CONNMARK2 = struct.Struct("=IIIBBB")
NOTRACK = "NOTRACK"
"""A name of its own for `CT --notrack` (XT_CT_NOTRACK_ALIAS)."""
_CLAMP = 0xFFFF
_CT = struct.Struct("=HHII16s32s")
_QUEUE = struct.Struct("=HHH")
_KNOWN_QUEUE_FLAGS = 3


def _reject(family: Family, data: bytes) -> list[str] | None:
    (kind,) = struct.unpack_from("=I", data)
    word = _REJECTIONS.get(family, {}).get(kind)
    return ["--reject-with", word] if word else None


def log_words(prefix: bytes, level: int, flags: int) -> list[str]:
    """Write the options of LOG; those that are as usual are left out."""
    words = ["--log-prefix", quoted(prefix)] if prefix.partition(b"\0")[0] else []
    words += ["--log-level", str(level)] if level != _USUAL_LEVEL else []
    return words + [option for bit, option in _LOG_FLAGS if flags & bit]


def nflog_words(prefix: bytes, group: int, size: int, threshold: int) -> list[str]:
    """Write the options of NFLOG."""
    words = ["--nflog-prefix", quoted(prefix)] if prefix.partition(b"\0")[0] else []
    words += ["--nflog-group", str(group)] if group else []
    words += ["--nflog-size", str(size)] if size else []
    return words + (["--nflog-threshold", str(threshold)] if threshold else [])


def _log(_family: Family, data: bytes) -> list[str]:
    level, flags, prefix = _LOG.unpack_from(data)
    return log_words(prefix, level, flags)


def _nflog(_family: Family, data: bytes) -> list[str] | None:
    size, group, threshold, flags, _pad, prefix = _NFLOG.unpack_from(data)
    counted = bool(flags & 1)
    if size and not counted:
        return None
    return nflog_words(prefix, group, size, threshold if threshold > 1 else 0)


def _mark(_family: Family, data: bytes) -> list[str]:
    mark, mask = struct.unpack_from("=II", data)
    return ["--set-xmark", f"{mark:#x}/{mask:#x}"]


def _connmark1(_family: Family, data: bytes) -> list[str] | None:
    return _connmark(*_CONNMARK1.unpack_from(data))


def _connmark2(_family: Family, data: bytes) -> list[str] | None:
    mark, mask, packet_mask, _direction, bits, mode = _CONNMARK2.unpack_from(data)
    return None if bits else _connmark(mark, mask, packet_mask, mode)


def _connmark(mark: int, mask: int, packet_mask: int, mode: int) -> list[str] | None:
    masks = ["--nfmask", f"{packet_mask:#x}", "--ctmask", f"{mask:#x}"]
    match mode:
        case 0:
            return ["--set-xmark", f"{mark:#x}/{mask:#x}"]
        case 1:
            return ["--save-mark", *masks]
        case 2:
            return ["--restore-mark", *masks]
    return None


def _tcpmss(_family: Family, data: bytes) -> list[str]:
    (size,) = struct.unpack_from("=H", data)
    return ["--clamp-mss-to-pmtu"] if size == _CLAMP else ["--set-mss", str(size)]


def _checksum(_family: Family, data: bytes) -> list[str] | None:
    return ["--checksum-fill"] if data[:1] == b"\1" else None


def _ct(_family: Family, data: bytes) -> list[str] | None:
    flags, zone, events, expected, helper, timeout = _CT.unpack_from(data)
    if events or expected or flags & ~3 or timeout.partition(b"\0")[0]:
        return None
    if flags & 1:
        return [NOTRACK] if flags & 2 else ["--notrack"]
    words = ["--helper", quoted(helper)] if helper.partition(b"\0")[0] else []
    return [*words, *(["--zone", str(zone)] if zone else [])]


def _queue(_family: Family, data: bytes) -> list[str] | None:
    first, count, flags = _QUEUE.unpack_from(data)
    if flags & ~_KNOWN_QUEUE_FLAGS:
        return None
    words = ["--queue-balance", f"{first}:{first + count - 1}"] if count > 1 else ["--queue-num", str(first)]
    return [*words, *(["--queue-bypass"] if flags & 1 else []), *(["--queue-cpu-fanout"] if flags & 2 else [])]


def _lifetime(word: str) -> Reader:
    def read(_family: Family, data: bytes) -> list[str] | None:
        mode, value = struct.unpack_from("=BB", data)
        verbs = ("set", "inc", "dec")
        return [f"--{word}-{verbs[mode]}", str(value)] if mode < len(verbs) else None

    return read


def _dscp(_family: Family, data: bytes) -> list[str]:
    return ["--set-dscp", f"0x{data[0]:02x}"] if data else []


def _classify(_family: Family, data: bytes) -> list[str]:
    (priority,) = struct.unpack_from("=I", data)
    return ["--set-class", f"{priority >> 16:04x}:{priority & 0xFFFF:04x}"]


def _nothing(_family: Family, _data: bytes) -> list[str]:
    return []


READERS: Mapping[tuple[str, int], Reader] = {
    ("REJECT", 0): _reject,
    ("LOG", 0): _log,
    ("NFLOG", 0): _nflog,
    ("MARK", 2): _mark,
    ("CONNMARK", 1): _connmark1,
    ("CONNMARK", 2): _connmark2,
    ("TCPMSS", 0): _tcpmss,
    ("CHECKSUM", 0): _checksum,
    ("CT", 1): _ct,
    ("CT", 2): _ct,
    ("NFQUEUE", 3): _queue,
    ("TTL", 0): _lifetime("ttl"),
    ("HL", 0): _lifetime("hl"),
    ("DSCP", 0): _dscp,
    ("CLASSIFY", 0): _classify,
    ("NOTRACK", 0): _nothing,
    ("TRACE", 0): _nothing,
}
"""By name and revision: another revision has another layout, and is not read."""
