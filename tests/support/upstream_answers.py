"""What the tests' DNS server says, as bytes: well formed, or broken on purpose (RFC 1035, 4)."""

import hashlib
import socket
import struct
from collections.abc import Mapping

from msgspec import Struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
OPT = TYPES["OPT"]
HOSTILE = ("loop", "counts", "cut", "short", "nonsense", "labels")
HOSTILE_NAME = "\x1b[31mred\x1b[0m.two\nlines.\u202egnp.example"
"""A terminal's escape, a line break, and an override of the direction of reading (U+202E)."""
FALSE_RECORDS = (("A", "203.0.113.66"), ("AAAA", "2001:db8::66"))
"""What the answer with a wrong identifier says."""
UDP_MOST, TCP_MOST = 65507, 65535


class Behaviour(Struct, frozen=True):
    """How one name, or one name and type, is answered."""

    records: tuple[tuple[str, str], ...] = ()
    """(type, data). The first one's owner is the name asked; after a CNAME it is the CNAME's target. None: no data."""
    rcode: str = "NOERROR"
    ttl: int = 60
    silent: bool = False
    delay_s: float = 0
    truncated: bool = False
    """Over UDP: TC and no record. Over TCP the full answer."""
    wrong_id_first: bool = False
    """A false answer with another identifier comes first, then the right one."""
    copies: int = 1
    hostile: str | None = None
    """One of HOSTILE."""


NXDOMAIN = Behaviour(rcode="NXDOMAIN")
SILENT = Behaviour(silent=True)
NO_DATA = Behaviour()


class Query(Struct, frozen=True):
    """What a client asked."""

    identifier: int
    name: str
    """Case as it came, without the trailing dot."""
    type: str
    edns_size: int | None
    """The UDP size of an OPT record (RFC 6891, 6.1.2); None where there is none."""
    question: bytes
    """The question section, to be sent back as it came."""


def behaviour_of(table: Mapping[str, Behaviour], query: Query) -> Behaviour:
    """Choose by `name TYPE`, then by `name`, then by `*`, without regard to case; what is in no row does not exist."""
    rows = {key.lower(): how for key, how in table.items()}
    for key in (f"{query.name} {query.type}", query.name, "*"):
        if key.lower() in rows:
            return rows[key.lower()]
    return NXDOMAIN


def read_query(message: bytes) -> Query | None:
    """Read a query with one question; None for anything else."""
    try:
        identifier, flags, questions, _, _, extra = struct.unpack_from("!6H", message)
        if flags & 0x8000 or questions != 1:
            return None
        name, end = _read_name(message, 12)
        number, _ = struct.unpack_from("!HH", message, end)
        size = None
        if extra and message[end + 4 : end + 7] == b"\0" + struct.pack("!H", OPT):
            (size,) = struct.unpack_from("!H", message, end + 7)
    except (struct.error, IndexError):
        return None
    words = {known: word for word, known in TYPES.items()}
    return Query(identifier, name, words.get(number, f"TYPE{number}"), size, message[12 : end + 4])


def answers(query: Query, how: Behaviour, *, tcp: bool) -> list[bytes]:
    """Return the messages to send, in order."""
    if how.silent:
        return []
    if how.hostile:
        return [_hostile(query, how, most=TCP_MOST if tcp else UDP_MOST)] * how.copies
    if how.truncated and not tcp:
        right = _head(query, 0, truncated=True) + query.question
    else:
        right = _message(query, how.records, rcode=how.rcode, ttl=how.ttl)
    wrong = struct.pack("!H", query.identifier ^ 0x5555) + _message(query, FALSE_RECORDS, ttl=how.ttl)[2:]
    return [*([wrong] if how.wrong_id_first else []), *[right] * how.copies]


def encode_name(name: str) -> bytes:
    """Write a name as labels, whatever is in them."""
    labels = [each.encode("utf-8", "surrogateescape") for each in name.rstrip(".").split(".") if each]
    if any(len(each) > 63 for each in labels):
        raise ValueError(f"a label of {name!r} is longer than 63 bytes")
    return b"".join(bytes([len(each)]) + each for each in labels) + b"\0"


def _read_name(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while size := message[at]:
        if size > 63:
            raise IndexError("a question of one message needs no compression")
        labels.append(message[at + 1 : at + 1 + size])
        at += 1 + size
    return b".".join(labels).decode("utf-8", "surrogateescape"), at + 1


def _head(query: Query, answered: int, *, rcode: str = "NOERROR", truncated: bool = False, others: int = 0) -> bytes:
    flags = 0x8180 | RCODES[rcode] | (0x0200 if truncated else 0)
    return struct.pack("!6H", query.identifier, flags, 1, answered, others, 0)


def _message(query: Query, records: tuple[tuple[str, str], ...], *, rcode: str = "NOERROR", ttl: int = 60) -> bytes:
    parts = [_head(query, len(records), rcode=rcode), query.question]
    owner = b"\xc0\x0c"
    for word, data in records:
        value = _data(word, data)
        parts.append(owner + struct.pack("!HHIH", TYPES[word], 1, ttl, len(value)) + value)
        owner = value if word == "CNAME" else owner
    return b"".join(parts)


def _data(word: str, text: str) -> bytes:
    match word:
        case "A":
            return socket.inet_pton(socket.AF_INET, text)
        case "AAAA":
            return socket.inet_pton(socket.AF_INET6, text)
        case "CNAME" | "PTR" | "NS":
            return encode_name(text)
        case "TXT":
            value = text.encode("utf-8", "surrogateescape")
            pieces = [value[start : start + 255] for start in range(0, len(value), 255)] or [b""]
            return b"".join(bytes([len(each)]) + each for each in pieces)
        case _:
            raise ValueError(f"no data of type {word} is written here")


def _hostile(query: Query, how: Behaviour, *, most: int) -> bytes:
    records = how.records or (("A", "192.0.2.66"),)
    whole = _message(query, records)
    match how.hostile:
        case "loop":
            itself = struct.pack("!H", 0xC000 | 12 + len(query.question))
            return _head(query, 1) + query.question + itself + struct.pack("!HHIH4s", 1, 1, 60, 4, b"\xc0\0\2\1")
        case "counts":
            return _head(query, 0xFFFF, others=0xFFFF) + whole[12:]
        case "cut":
            return whole[:-2]
        case "short":
            return whole[:5]
        case "nonsense":
            return whole[:4] + hashlib.shake_256(query.question).digest(most - 4)
        case "labels":
            bad = [("PTR", HOSTILE_NAME)] if query.type == "PTR" else [("CNAME", HOSTILE_NAME), *records]
            return _message(query, (*bad, ("TXT", HOSTILE_NAME)))
        case _:
            raise ValueError(f"not one of {HOSTILE}: {how.hostile}")
