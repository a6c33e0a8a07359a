"""Write sets and maps that belong to one rule, as `nft list` does."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from inspector.model.text import safe
from inspector.wire.nfnetlink import attribute_list, attributes, number
from inspector.wire.nft_keys import Key
from inspector.wire.nft_values import big_endian, number_of, range_text, value_text
from inspector.wire.rule_draft import Names

MOST_SHOWN = 64
"""Elements written of one set; then it is said how many more there are."""
_END, _CATCH_ALL = 1, 2
"""NFT_SET_ELEM_INTERVAL_END, NFT_SET_ELEM_CATCHALL"""
_VERDICTS: Mapping[int, str] = {0: "drop", 1: "accept", -1: "continue", -5: "return"}
_JUMPS = {-3: "jump", -4: "goto"}


class Element(NamedTuple):
    """One element of a set: where it begins, where a range of several fields ends, and what a map answers."""

    key: bytes
    end: bytes
    closes: bool
    """It is no element: the one before ends below it."""
    catches_all: bool
    verdict: str | None


def read_elements(data: bytes) -> Iterator[Element]:
    """Read NFTA_SET_ELEM_LIST_ELEMENTS (elements: 1 key, 2 data, 3 flags, 10 end of the key)."""
    for element in attribute_list(data):
        found = attributes(element)
        flags = number(found.get(3)) or 0
        yield Element(
            key=attributes(found.get(1, b"")).get(1, b""),
            end=attributes(found.get(10, b"")).get(1, b""),
            closes=bool(flags & _END),
            catches_all=bool(flags & _CATCH_ALL),
            verdict=verdict_text(attributes(attributes(found.get(2, b"")).get(2, b""))),
        )


def verdict_text(found: Mapping[int, bytes]) -> str | None:
    """Write a verdict (NFTA_VERDICT_*: 1 code, 2 chain); None where there is none."""
    if 1 not in found:
        return None
    code = int.from_bytes(found[1], "big", signed=True)
    if code in _JUMPS:
        return f"{_JUMPS[code]} {safe(found.get(2, b'').partition(bytes(1))[0])}"
    return _VERDICTS.get(code)


def set_text(keys: Sequence[Key], elements: Sequence[Element], names: Names, *, mapping: bool) -> str | None:
    """Write all elements, sorted as nft does; None where one cannot be written."""
    members: list[str] = []
    ranges = any(each.closes for each in elements)
    ordered = sorted(elements, key=lambda each: (_order(keys, each), not each.closes))
    for at, element in enumerate(ordered):
        if element.closes:
            continue
        after = ordered[at + 1] if at + 1 < len(ordered) else None
        text = "*" if element.catches_all else _member(keys, element, after if ranges else element, names)
        if text is None or (mapping and element.verdict is None):
            return None
        members.append(f"{text} : {element.verdict}" if mapping else text)
    shown = members[:MOST_SHOWN]
    if len(members) > MOST_SHOWN:
        shown.append(f"… {len(members) - MOST_SHOWN} more")
    return "{ " + ", ".join(shown) + " }" if shown else None


def _order(keys: Sequence[Key], element: Element) -> int:
    return number_of(keys[0].kind if len(keys) == 1 else "concatenated", element.key)


def _member(keys: Sequence[Key], element: Element, after: Element | None, names: Names) -> str | None:
    if len(keys) > 1:
        return _concatenated(keys, element, names)
    (key,) = keys
    data = element.key[: key.length]
    if len(data) != key.length:
        return None
    if after is element:
        return value_text(key.kind, data, names)
    # A range that nothing closes goes on to the highest value.
    last = number_of(key.kind, after.key[: key.length]) - 1 if after and after.closes else (1 << 8 * key.length) - 1
    order: Literal["little", "big"] = "big" if big_endian(key.kind) else sys.byteorder
    return range_text(key.kind, data, last.to_bytes(key.length, order), names) if last >= 0 else None


def _concatenated(keys: Sequence[Key], element: Element, names: Names) -> str | None:
    """Write a member of several fields: each begins at a multiple of four bytes."""
    parts: list[str] = []
    at = 0
    for key in keys:
        low = element.key[at : at + key.length]
        high = element.end[at : at + key.length] if element.end else low
        text = range_text(key.kind, low, high, names) if len(low) == len(high) == key.length else None
        if text is None:
            return None
        parts.append(text)
        at += key.length + -key.length % 4
    return " . ".join(parts)
