"""Write the data of a resource record as `dig` does, printable whatever it holds."""

import struct

from inspector.model.sentence import say
from inspector.wire import dns_words
from inspector.wire.dns_name import DamagedError, Names, absolute_text
from inspector.wire.ip import ipv4_text, ipv6_text

MAX_SHOWN = 512
"""Bytes of data written out, of a type that is not all names; the rest is one `…`."""

_IPV4_LENGTH = 4
_IPV6_LENGTH = 16
_LAYOUTS = {
    dns_words.NS: ("!", 1, "!"),
    dns_words.CNAME: ("!", 1, "!"),
    dns_words.PTR: ("!", 1, "!"),
    dns_words.DNAME: ("!", 1, "!"),
    dns_words.MX: ("!H", 1, "!"),
    dns_words.SRV: ("!HHH", 1, "!"),
    dns_words.SOA: ("!", 2, "!IIIII"),
}
"""Numbers, names, numbers: RFC 1035, 3.3; RFC 2782; RFC 6672, 2.1."""


def data_text(names: Names, kind: int, start: int, end: int) -> str:
    """Write the data of a record of class IN, a name in it with its trailing dot.

    Raise DamagedError where the bytes from start to end are no data of this type.
    """
    data = names.message[start:end]
    if kind in _LAYOUTS:
        return _fields(names, kind, start, end)
    if kind == dns_words.TXT:
        return _strings(data)
    if kind == dns_words.A:
        return ipv4_text(_exactly(data, _IPV4_LENGTH, kind))
    if kind == dns_words.AAAA:
        return ipv6_text(_exactly(data, _IPV6_LENGTH, kind))
    return unknown_text(data)


def unknown_text(data: bytes) -> str:
    r"""Write data of a type that is not known here: `\# LENGTH HEX` (RFC 3597, 5)."""
    mark = "…" if len(data) > MAX_SHOWN else ""
    return f"\\# {len(data)} {data[:MAX_SHOWN].hex().upper()}{mark}".rstrip()


def _exactly(data: bytes, length: int, kind: int) -> bytes:
    if len(data) != length:
        raise _misfit(kind, len(data))
    return data


def _fields(names: Names, kind: int, start: int, end: int) -> str:
    before, count, after = _LAYOUTS[kind]
    at = start + struct.calcsize(before)
    words = [str(number) for number in _numbers(names.message[start:at], before, kind)]
    for _ in range(count):
        labels, at = names.read(at)
        words.append(absolute_text(labels))
    if at > end:
        raise _misfit(kind, end - start)
    words += [str(number) for number in _numbers(names.message[at:end], after, kind)]
    return " ".join(words)


def _numbers(data: bytes, layout: str, kind: int) -> tuple[int, ...]:
    return struct.unpack(layout, _exactly(data, struct.calcsize(layout), kind))


def _strings(data: bytes) -> str:
    """Write the strings of a TXT record (RFC 1035, 3.3.14), each in quotes."""
    if not data:
        raise _misfit(dns_words.TXT, 0)
    words, at = [], 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise _misfit(dns_words.TXT, len(data))
        if at < MAX_SHOWN:
            words.append(f'"{_string_text(data[at + 1 : end])}"')
        elif words[-1] != "…":
            words.append("…")
        at = end
    return " ".join(words)


def _string_text(raw: bytes) -> str:
    """Escape what is not printable ASCII, and what ends a string (RFC 1035, 5.1)."""
    text = ""
    for byte in raw:
        character = chr(byte)
        if character in '"\\':
            text += f"\\{character}"
        else:
            text += character if " " <= character <= "~" else f"\\{byte:03}"
    return text


def _misfit(kind: int, length: int) -> DamagedError:
    return DamagedError(say("{length} bytes that are no {type} data", length=length, type=dns_words.type_name(kind)))
