"""Netlink messages and legacy tables, built as the kernel builds them, for the tests of their readers."""

import struct
from collections.abc import Iterable

Attributes = Iterable[tuple[int, bytes]]


def attribute(kind: int, value: bytes) -> bytes:
    """Build struct nlattr with its value, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def nested(values: Attributes) -> bytes:
    """Build attributes one behind the other."""
    return b"".join(attribute(kind, value) for kind, value in values)


def be32(value: int) -> bytes:
    """Build a number as nf_tables does."""
    return struct.pack(">i", value)


def data(value: bytes) -> bytes:
    """Build NFTA_DATA_VALUE."""
    return attribute(1, value)


def message(kind: int, family: int, values: Attributes, flags: int = 0) -> bytes:
    """Build one message of nf_tables."""
    payload = struct.pack(">BBH", family, 0, 0) + nested(values)
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, 0, 0) + payload


def rule(
    *expressions: tuple[str, Attributes],
    family: int = 2,
    table: bytes = b"nat",
    chain: bytes = b"OUTPUT",
    comment: bytes = b"",
) -> bytes:
    """Build NFT_MSG_NEWRULE."""
    elements = (attribute(1, nested([(1, name.encode() + b"\0"), (2, nested(values))])) for name, values in expressions)
    noted = [(7, bytes([0, len(comment) + 1]) + comment + b"\0")] if comment else []
    return message(0xA06, family, [(1, table + b"\0"), (2, chain + b"\0"), (4, b"".join(elements)), *noted])


def payload(base: int, offset: int, length: int, register: int = 1) -> tuple[str, Attributes]:
    return "payload", [(1, be32(register)), (2, be32(base)), (3, be32(offset)), (4, be32(length))]


def meta(key: int, register: int = 1) -> tuple[str, Attributes]:
    return "meta", [(1, be32(register)), (2, be32(key))]


def cmp(value: bytes, operation: int = 0, register: int = 1) -> tuple[str, Attributes]:
    return "cmp", [(1, be32(register)), (2, be32(operation)), (3, data(value))]


def bitwise(mask: bytes, xor: bytes | None = None, register: int = 1) -> tuple[str, Attributes]:
    values = [(1, be32(register)), (2, be32(register)), (3, be32(len(mask)))]
    return "bitwise", [*values, (4, data(mask)), (5, data(xor or bytes(len(mask))))]


def immediate(value: bytes, register: int) -> tuple[str, Attributes]:
    return "immediate", [(1, be32(register)), (2, data(value))]


def verdict(code: int, chain: bytes | None = None) -> tuple[str, Attributes]:
    found = [(1, be32(code))] + ([(2, chain + b"\0")] if chain is not None else [])
    return "immediate", [(1, be32(0)), (2, attribute(2, nested(found)))]


def xt(kind: str, name: str, revision: int, info: bytes) -> tuple[str, Attributes]:
    """Build a `match` or `target` of x_tables."""
    return kind, [(1, name.encode() + b"\0"), (2, be32(revision)), (3, info)]


def extension(name: bytes, revision: int, info: bytes) -> bytes:
    """Build struct xt_entry_match or xt_entry_target."""
    size = 32 + len(info) + -len(info) % 8
    return struct.pack("=H29sB", size, name, revision) + info.ljust(size - 32, b"\0")


def entry(target: bytes, matches: bytes = b"", ip: bytes = bytes(84)) -> bytes:
    """Build struct ipt_entry with its matches and target."""
    offset = 112 + len(matches)
    head = ip + bytes(4) + struct.pack("=HH", offset, offset + len(target)) + bytes(4) + bytes(16)
    return head + matches + target


def standard(verdict: int) -> bytes:
    """Build struct xt_standard_target."""
    return extension(b"", 0, struct.pack("=i", verdict))


def chain_head(name: bytes) -> bytes:
    """Build the entry that a user's chain begins with."""
    return entry(extension(b"ERROR", 0, name.ljust(30, b"\0")))
