"""Write one comparison of a rule of nf_tables, as `nft list` does."""

from inspector.wire.nft_keys import Key
from inspector.wire.nft_values import FLAGS, flags_text, number_of, range_text, value_text
from inspector.wire.prefixes import address_text, prefix_length, prefix_mask
from inspector.wire.rule_draft import Names

EQUAL, NOT_EQUAL, LESS_EQUAL, GREATER_EQUAL = 0, 1, 3, 5
_OPERATORS = ("", "!= ", "< ", "<= ", "> ", ">= ")
"""By enum nft_cmp_ops."""
_DSCP_MASK, _DSCP_SHIFT = b"\xfc", 2


def comparison(key: Key, operation: int | None, data: bytes, names: Names) -> str | None:
    """Write that a key compares so with a value; None where it cannot be written."""
    if operation is None or operation >= len(_OPERATORS) or (len(data) < key.length and key.kind != "name"):
        return None
    if key.mask is not None:
        return _masked(key, key.mask, operation, data[: key.length], names) if operation <= NOT_EQUAL else None
    if key.kind == "name":
        text = value_text(key.kind, data, names)
    elif key.whole:
        text = _beginning(data, key) if operation <= NOT_EQUAL else None
    elif key.kind in FLAGS:
        text = value_text(key.kind, data, names)
        return f"{key.words} {'==' if operation == EQUAL else _OPERATORS[operation].strip()} {text}" if text else None
    else:
        text = value_text(key.kind, data, names)
    return f"{key.words} {_OPERATORS[operation]}{text}" if text else None


def range_comparison(key: Key, low: bytes, high: bytes, names: Names, *, negated: bool = False) -> str | None:
    """Write that a key is between two values, or not."""
    if key.mask is not None or key.whole or not len(low) == len(high) == key.length:
        return None
    text = range_text(key.kind, low, high, names)
    return f"{key.words} {'!= ' if negated else ''}{text}" if text else None


def _beginning(data: bytes, key: Key) -> str:
    """Write an address of which only the first bytes are compared."""
    return f"{address_text(data[: key.length].ljust(key.whole, bytes(1)))}/{key.length * 8}"


def _masked(key: Key, mask: bytes, operation: int, data: bytes, names: Names) -> str | None:
    negation = _OPERATORS[operation]
    if len(mask) != len(data):
        return None
    if key.kind in FLAGS:
        return _flags(key, number_of(key.kind, mask), number_of(key.kind, data), operation)
    if key.kind == "dscp-byte":
        text = value_text("dscp", bytes([data[0] >> _DSCP_SHIFT]), names)
        return f"{key.words} {negation}{text}" if mask == _DSCP_MASK else None
    if key.kind == "address":
        return _address(key, mask, data, operation)
    if key.kind not in {"mark", "number", "number-native"}:
        return None
    values = value_text(key.kind, mask, names), value_text(key.kind, data, names)
    return f"{key.words} & {values[0]} {'!=' if operation else '=='} {values[1]}" if all(values) else None


def _flags(key: Key, mask: int, wanted: int, operation: int) -> str | None:
    """Any of the bits, none of them, or these among those."""
    among = flags_text(key.kind, mask)
    if among is None:
        return None
    if not wanted:
        return f"{key.words} {'' if operation == NOT_EQUAL else '! '}{among}"
    text = flags_text(key.kind, wanted)
    return f"{key.words} {_OPERATORS[operation]}{text} / {among}" if text else None


def _address(key: Key, mask: bytes, data: bytes, operation: int) -> str | None:
    whole = key.whole or key.length
    data, mask = data.ljust(whole, b"\0"), mask.ljust(whole, b"\0")
    length = prefix_length(mask)
    if length is None:
        sign = "!=" if operation else "=="
        return f"{key.words} & {address_text(mask)} {sign} {address_text(data)}"
    bare = mask == prefix_mask(length, whole) and length == whole * 8
    return f"{key.words} {_OPERATORS[operation]}{address_text(data)}{'' if bare else f'/{length}'}"
