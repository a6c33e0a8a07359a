"""Read what a nat target rewrites to (linux/netfilter/nf_nat.h), and write it as `iptables-save` does."""

import struct
from typing import NamedTuple

from inspector.wire.prefixes import address_text
from inspector.wire.rule_draft import Draft, Family

MAP_IPS, PROTO_SPECIFIED, RANDOM, PERSISTENT, RANDOM_FULLY, OFFSET = 1, 2, 4, 8, 16, 32
"""NF_NAT_RANGE_*"""
KNOWN_FLAGS = MAP_IPS | PROTO_SPECIFIED | RANDOM | PERSISTENT | RANDOM_FULLY | OFFSET

_COMPAT = struct.Struct("=II4s4s2s2s")
"""nf_nat_ipv4_multi_range_compat: rangesize, then of the one range flags, min_ip, max_ip, min, max"""
_RANGE = struct.Struct("=I16s16s2s2s")
"""nf_nat_range: flags, min_addr, max_addr, min_proto, max_proto"""
_RANGE2 = struct.Struct("=I16s16s2s2s2s")
"""nf_nat_range2: the same, and base_proto"""
_V4_LENGTH = 4


class NatRange(NamedTuple):
    """Addresses and ports to choose from; None where the packet's own, or the kernel's choice, is kept."""

    low: bytes | None = None
    high: bytes | None = None
    low_port: int | None = None
    high_port: int | None = None
    base_port: int | None = None
    flags: int = 0


def read_range(revision: int, data: bytes, family: Family) -> NatRange:
    """Read the range of a DNAT, SNAT, MASQUERADE or REDIRECT of x_tables; raises struct.error where it is cut."""
    if revision == 0 and family is Family.IPV4:
        _size, flags, low, high, low_port, high_port = _COMPAT.unpack_from(data)
        base = b""
    elif revision == 2:  # noqa: PLR2004 - the revision with a base
        flags, low, high, low_port, high_port, base = _RANGE2.unpack_from(data)
    else:
        flags, low, high, low_port, high_port = _RANGE.unpack_from(data)
        base = b""
    if family is Family.IPV4:
        low, high = low[:_V4_LENGTH], high[:_V4_LENGTH]
    mapped, ports = flags & MAP_IPS, flags & PROTO_SPECIFIED
    return NatRange(
        low=low if mapped else None,
        high=high if mapped else None,
        low_port=_port(low_port) if ports else None,
        high_port=_port(high_port) if ports else None,
        base_port=_port(base) if flags & OFFSET else None,
        flags=flags,
    )


def rewrite(draft: Draft, target: str, to: NatRange) -> None:
    """Make it the rule's target."""
    draft.target = target
    draft.to_address = address_text(to.low) if to.low is not None and to.low == to.high else None
    draft.to_port = to.low_port if to.low_port == to.high_port and to.base_port is None else None
    draft.target_words = [*_where(target, to), *_how(target, to.flags)]


def _where(target: str, to: NatRange) -> list[str]:
    ports = _ports(to)
    option = {"DNAT": "--to-destination", "SNAT": "--to-source"}.get(target, "--to-ports")
    if option == "--to-ports":
        return [option, ports] if ports else []
    addresses = _addresses(to, bracketed=bool(ports))
    where = f"{addresses}:{ports}" if ports else addresses
    return [option, where] if where else []


def _addresses(to: NatRange, *, bracketed: bool) -> str:
    if to.low is None or to.high is None:
        return ""
    text = address_text(to.low)
    if to.high != to.low:
        text += f"-{address_text(to.high)}"
    return f"[{text}]" if bracketed and len(to.low) > _V4_LENGTH else text


def _ports(to: NatRange) -> str:
    if to.low_port is None:
        return ""
    text = str(to.low_port)
    if to.high_port != to.low_port:
        text += f"-{to.high_port}"
    return text if to.base_port is None else f"{text}/{to.base_port}"


def _how(target: str, flags: int) -> list[str]:
    words = ((RANDOM, "--random"), (RANDOM_FULLY, "--random-fully"), (PERSISTENT, "--persistent"))
    return [word for flag, word in words if flags & flag and (target != "REDIRECT" or flag == RANDOM)]


def _port(raw: bytes) -> int:
    return int.from_bytes(raw, "big")
