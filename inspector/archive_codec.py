"""Turn the vocabulary into JSON and back, driven by nothing but the types of its fields.

1. A Struct is an object of its fields; in a union of Structs it also has a `kind`, its name in kebab case.
2. A tuple is an array, bytes are hex, an address, a network or a StrEnum is its text, None is null.
3. Decoding is strict: a missing field without a default, another type, a number beyond 64 bits or one that is none is a
   MalformedInputError that says where. A missing field with a default takes it, so that an older recording stays
   readable; an unknown key is left out and told, so that a newer one does.
4. Text is made harmless on the way in (inspector.model.text): a recording may come from anyone.
"""

import re
import types
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin

from msgspec import Struct
from msgspec.structs import fields

from inspector.errors import MalformedInputError
from inspector.model.text import safe

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T")

KIND = "kind"
MAX_TEXT = 65_536
MAX_NUMBER = 2**64
"""Beyond any stamp, counter or inode of a kernel."""

_NATIVE: Mapping[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
}
_INDEX = re.compile(r"\[\d+\]")
_ADDRESSES = (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface, IPv4Network, IPv6Network)


def encode(kind: Any, value: object) -> Json:
    """Return the value as JSON; `kind` is the type it is declared with."""
    kind = _plain(kind)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [encode(get_args(_member(kind, tuple))[0], each) for each in value]
    if isinstance(value, _ADDRESSES):
        return str(value)
    if isinstance(value, Struct):
        written = {name: encode(hint, getattr(value, name)) for name, (hint, _) in _fields(type(value)).items()}
        return {KIND: _kebab(type(value)), **written} if len(_structs(kind)) > 1 else written
    raise TypeError(type(value).__name__)


def decode(kind: type[T], data: object, left_out: set[str] | None = None) -> T:
    """Return the value of this type that the JSON stands for; keys that it does not know are added to `left_out`."""
    return cast("T", _decode(kind, data, "", set() if left_out is None else left_out))


def _decode(kind: Any, data: object, where: str, left_out: set[str]) -> Any:
    kind = _plain(kind)
    if kind is type(None):
        return data if data is None else _refuse(where, "null", data)
    if get_origin(kind) in {Union, types.UnionType}:
        return _decode_union(kind, data, where, left_out)
    if get_origin(kind) is tuple:
        member = get_args(kind)[0]
        values = data if isinstance(data, list) else _refuse(where, "an array", data)
        return tuple(_decode(member, each, f"{where}[{index}]", left_out) for index, each in enumerate(values))
    if _is_struct(kind):
        return _decode_struct(kind, data, where, left_out)
    return _decode_scalar(kind, data, where)


def _decode_union(kind: Any, data: object, where: str, left_out: set[str]) -> Any:
    members = get_args(kind)
    if data is None and type(None) in members:
        return None
    tagged = {_kebab(each): each for each in _structs(kind)}
    if len(tagged) > 1:
        found = data.get(KIND) if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(found, str) or found not in tagged:
            return _refuse(where, f"an object whose kind is one of {', '.join(tagged)}", data)
        untagged = {key: each for key, each in data.items() if key != KIND}
        return _decode_struct(tagged[found], untagged, where, left_out)
    present = [each for each in members if each is not type(None)]
    for each in present[:-1]:
        try:
            return _decode(each, data, where, left_out)
        except MalformedInputError:
            continue
    return _decode(present[-1], data, where, left_out)


def _decode_struct(kind: Any, data: object, where: str, left_out: set[str]) -> Any:
    if not isinstance(data, dict):
        return _refuse(where, "an object", data)
    known = _fields(kind)
    prefix = f"{where}." if where else ""
    left_out.update(_INDEX.sub("[]", f"{prefix}{safe(str(key))}") for key in data if key not in known)
    missing = [name for name, (_, required) in known.items() if required and name not in data]
    if missing:
        raise MalformedInputError(f"{prefix}{missing[0]} is missing")
    given = {key: each for key, each in data.items() if key in known}
    return kind(**{key: _decode(known[key][0], each, f"{prefix}{key}", left_out) for key, each in given.items()})


def _decode_scalar(kind: Any, data: object, where: str) -> Any:
    accepted, expected = _NATIVE.get(kind, _NATIVE[str])
    if not isinstance(data, accepted) or (isinstance(data, bool) and kind is not bool):
        return _refuse(where, expected, data)
    if isinstance(data, int | float) and not -MAX_NUMBER < data < MAX_NUMBER:
        return _refuse(where, "a number of 64 bits", data)
    return _decode_text(kind, data, where) if isinstance(data, str) else data


def _decode_text(kind: Any, data: str, where: str) -> Any:
    if kind is str:
        return safe(data, limit=MAX_TEXT)
    try:
        return bytes.fromhex(data) if kind is bytes else kind(data)
    except ValueError:
        return _refuse(where, _described(kind), data)


def _refuse(where: str, expected: str, found: object) -> Any:
    shown = type(found).__name__ if isinstance(found, list | dict) else safe(repr(found), limit=40)
    raise MalformedInputError(f"{where or 'the document'} should be {expected}, not {shown}")


def _described(kind: Any) -> str:
    if kind is bytes:
        return "hexadecimal"
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return f"an {kind.__name__}"


@cache
def _fields(kind: Any) -> Mapping[str, tuple[Any, bool]]:
    """Return each field's type, and whether it has to be there."""
    return {each.name: (each.type, each.required) for each in fields(kind)}


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _plain(kind: Any) -> Any:
    return _plain(kind.__supertype__) if isinstance(kind, NewType) else kind


def _member(kind: Any, origin: type) -> Any:
    """Find the part of a union (or the type itself) that is a tuple."""
    return kind if get_origin(kind) is origin else next(each for each in get_args(kind) if get_origin(each) is origin)


def _structs(kind: Any) -> tuple[Any, ...]:
    return tuple(each for each in get_args(kind) if _is_struct(each))


def _kebab(kind: Any) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
