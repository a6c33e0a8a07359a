"""Read what the kernel says about a tracepoint: where its fields lie, and the names of their values.

The text is that of `events/GROUP/NAME/format` in tracefs (Documentation/trace/events.rst). Offsets, numbers of reasons
and the fields themselves differ between kernels, so nothing of them is taken for granted. Never raises; what is not
there is missing.
"""

import re
import sys
from collections.abc import Mapping

from msgspec import Struct, field

from inspector.model.text import safe

_ID = re.compile(r"^ID:\s*(\d+)$", re.MULTILINE)
_FIELD = re.compile(
    r"^\s*field:(?P<kind>[^;]*?)(?P<name>\w+)(?:\[\w*\])?;\s*offset:(?P<offset>\d+);\s*size:(?P<size>\d+);",
    re.MULTILINE,
)
_SYMBOLIC = re.compile(r"__print_symbolic\(REC->(\w+),\s*(.*?)\)", re.DOTALL)
_SYMBOL = re.compile(r'\{\s*(\d+)\s*,\s*"([^"]*)"\s*\}')
_LOCATION = "__data_loc"


class Field(Struct, frozen=True):
    """Where a field lies in a record, in bytes."""

    offset: int
    size: int
    elsewhere: bool = False
    """It holds the place of its bytes (length << 16 | offset), not the bytes."""


class Tracepoint(Struct, frozen=True):
    """One tracepoint of this kernel."""

    id: int
    fields: Mapping[str, Field] = field(default_factory=dict)
    symbols: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """By field: what a value of it is called."""

    def number(self, record: bytes, name: str) -> int | None:
        """Return an unsigned field of a record; None where the kernel has none, or the record ends before."""
        place = self.fields.get(name)
        if place is None or place.offset + place.size > len(record):
            return None
        return int.from_bytes(record[place.offset : place.offset + place.size], sys.byteorder)

    def text(self, record: bytes, name: str) -> str | None:
        """Return a string of a record, made harmless."""
        place = self.number(record, name)
        if place is None or not self.fields[name].elsewhere:
            return None
        offset, length = place & 0xFFFF, place >> 16
        return safe(record[offset : offset + length].split(b"\0")[0].decode("utf-8", "replace"))

    def symbol(self, record: bytes, name: str) -> str | None:
        """Return what the kernel calls a field's value; its number where it has no name."""
        value = self.number(record, name)
        return None if value is None else self.symbols.get(name, {}).get(value, str(value))


def read_tracepoint(text: str) -> Tracepoint | None:
    """Read a `format` file; None where it has no number."""
    number = _ID.search(text)
    if number is None:
        return None
    fields = {
        each["name"]: Field(int(each["offset"]), int(each["size"]), elsewhere=_LOCATION in each["kind"])
        for each in _FIELD.finditer(text)
    }
    symbols = {
        name: {int(value): safe(word) for value, word in _SYMBOL.findall(table)}
        for name, table in _SYMBOLIC.findall(text)
    }
    return Tracepoint(id=int(number[1]), fields=fields, symbols=symbols)
