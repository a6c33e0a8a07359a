"""A DNS message with other names and addresses in it (RFC 1035, 4.1), its counts, numbers and flags as they were.

1. A name has a pointer to an earlier one where it had one (4.1.4); as labels keep their lengths, so does the message,
   but for the names of IPv4 addresses.
2. Text records, options and data of other kinds are blanked, in their length.
3. What cannot be read is blanked from there on.
"""

import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from msgspec import Struct, field

from inspector.wire.dns_name import HEADER_LENGTH, DamagedError, Names, name_text
from inspector.withhold.addresses import Addresses
from inspector.withhold.words import Words

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME = 1, 2, 5, 6, 12, 15, 16, 28, 33, 39
_NAMES_AT = {NS: (0, 1), CNAME: (0, 1), PTR: (0, 1), DNAME: (0, 1), MX: (2, 1), SRV: (6, 1), SOA: (0, 2)}
"""By type: bytes before the names of its data, and how many names (RFC 1035, 3.3; RFC 2782; RFC 6672)."""
_REVERSED = (b"in-addr", b"ip6")
_POINTER, _POINTER_END = 0xC000, 0x4000
_MOST = 400
"""Records rewritten; those behind are blanked."""


class _Rewriting(Struct):
    names: Names
    change: Callable[[list[bytes]], list[bytes]]
    addresses: Addresses
    out: bytearray
    at: int = HEADER_LENGTH
    places: dict[tuple[bytes, ...], int] = field(default_factory=dict)

    def name(self) -> None:
        """Write the next name, with a pointer where it had one."""
        labels, behind = self.names.read(self.at)
        inline = _inline(labels, behind - self.at)
        self.at = behind
        rest = tuple(self.change(labels))
        for count in range(len(rest)):
            if count >= inline and rest[count:] in self.places:
                self.out += struct.pack("!H", _POINTER | self.places[rest[count:]])
                return
            if len(self.out) < _POINTER_END:
                self.places.setdefault(rest[count:], len(self.out))
            self.out += bytes((len(rest[count]),)) + rest[count]
        self.out += b"\0"

    def take(self, length: int) -> bytes:
        taken = self.names.message[self.at : self.at + length]
        if len(taken) < length:
            raise DamagedError("cut off")
        self.at += length
        return taken


def rewrite(message: bytes, words: Words, addresses: Addresses) -> bytes:
    """Return the message with everything that tells something replaced."""
    if len(message) < HEADER_LENGTH:
        return bytes(len(message))
    _, _, questions, *others = struct.unpack_from("!6H", message)

    def change(labels: list[bytes]) -> list[bytes]:
        if len(labels) > 2 and labels[-2].lower() in _REVERSED:  # noqa: PLR2004 - `in-addr.arpa` itself tells nothing
            text = words.text(name_text(labels))
            return [each.encode() for each in text.split(".")]
        return [words.label(each) for each in labels]

    state = _Rewriting(Names(message), change, addresses, bytearray(message[:HEADER_LENGTH]))
    try:
        for _ in range(min(questions, _MOST)):
            state.name()
            state.out += state.take(4)
        for _ in range(min(sum(others), _MOST)):
            _record(state)
    except DamagedError:
        pass
    return bytes(state.out) + bytes(max(len(message) - state.at, 0))


def _record(state: _Rewriting) -> None:
    state.name()
    state.out += (fixed := state.take(8))
    kind = int.from_bytes(fixed[:2], "big")
    length = int.from_bytes(state.take(2), "big")
    end = state.at + length
    length_at = len(state.out)
    state.out += b"\0\0"
    if end > len(state.names.message):
        raise DamagedError("cut off")
    if kind in _NAMES_AT:
        ahead, count = _NAMES_AT[kind]
        state.out += state.take(min(ahead, length))
        for _ in range(count):
            state.name()
        state.out += state.names.message[state.at : end]
    else:
        state.out += _data(kind, state.take(length), state.addresses)
    state.at = end
    state.out[length_at : length_at + 2] = struct.pack("!H", len(state.out) - length_at - 2)


def _inline(labels: list[bytes], length: int) -> int:
    """Return how many labels stand in these bytes; those behind them are where a pointer leads."""
    count = 0
    for label in labels:
        length -= 1 + len(label)
        if length < 1:
            break
        count += 1
    return count


def _data(kind: int, data: bytes, addresses: Addresses) -> bytes:
    if kind == A and len(data) == 4:  # noqa: PLR2004 - an IPv4 address
        return addresses.address(IPv4Address(data)).packed
    if kind == AAAA and len(data) == 16:  # noqa: PLR2004 - an IPv6 address
        return addresses.address(IPv6Address(data)).packed
    if kind == TXT:
        return _blank_strings(data)
    return bytes(len(data))


def _blank_strings(data: bytes) -> bytes:
    """Keep the lengths of character strings (RFC 1035, 3.3), and write x for each character."""
    out, at = bytearray(), 0
    while at < len(data):
        length = min(data[at], len(data) - at - 1)
        out += data[at : at + 1] + b"x" * length
        at += 1 + length
    return bytes(out)
