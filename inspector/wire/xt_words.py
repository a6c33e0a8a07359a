"""Write what the readers of x_tables have in common, as `iptables-save` does."""

from collections.abc import Iterable

from inspector.model.text import safe
from inspector.wire.prefixes import prefix_text
from inspector.wire.rule_draft import Family, Term

_WHOLE = {4: "/32", 16: "/128"}
_ADDRESS_LENGTH = {Family.IPV4: 4, Family.IPV6: 16}


def names_of(bits: int, names: Iterable[tuple[int, str]]) -> str | None:
    """Write the names of the bits that are set; None where one has no name."""
    found = [(bit, name) for bit, name in names if bits & bit]
    known = sum(bit for bit, _ in found)
    return ",".join(name for _, name in found) if bits and known == bits else None


def quoted(raw: bytes) -> str:
    """Write a string of somebody's, harmless, in quotation marks where it is more than one plain word."""
    text = safe(raw.partition(b"\0")[0])
    if text and all(each.isascii() and (each.isalnum() or each in "_-") for each in text):
        return text
    return '"' + "".join(f"\\{each}" if each in "\"'\\" else each for each in text) + '"'


def masked(value: int, mask: int) -> str:
    """Write a mark with its mask, where it has one."""
    return f"{value:#x}" if mask == 0xFFFFFFFF else f"{value:#x}/{mask:#x}"  # noqa: PLR2004 - all 32 bits


def span(low: int, high: int, between: str) -> str:
    """Write one number, or a range of them."""
    return str(low) if low == high else f"{low}{between}{high}"


def address(raw: bytes, mask: bytes, family: Family) -> str:
    """Write a union nf_inet_addr, with its prefix length unless it is one address."""
    length = _ADDRESS_LENGTH.get(family, 16)
    return prefix_text(raw[:length], mask[:length]).removesuffix(_WHOLE[length])


def flag_terms(flags: int, inverted: int, known: Iterable[tuple[int, str, str]]) -> list[Term]:
    """Write one option for each bit that is set: (bit, option, value)."""
    return [Term(option, value, bool(inverted & bit)) for bit, option, value in known if flags & bit]
