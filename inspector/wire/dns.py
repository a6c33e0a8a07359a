"""Read DNS messages (RFC 1035, 4), from anyone: within limits, and as far as they can be read.

1. No bytes raise. What was wrong is said once, by its first cause, and what was whole before it is kept.
2. Only question and answers are read. The rest is counted: a message that promises more than it holds is damaged.
3. EDNS (RFC 6891) is neither sent nor read: a query without it gets an answer without it (7).
"""

import struct
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from inspector.model.dns import Asked, Message, Record
from inspector.model.sentence import say
from inspector.wire import dns_words
from inspector.wire.dns_data import data_text, unknown_text
from inspector.wire.dns_name import (
    HEADER_LENGTH,
    DamagedError,
    InvalidNameError,
    Names,
    encode_name,
    name_text,
    reverse_name,
)
from inspector.wire.dns_words import type_number

__all__ = ["InvalidNameError", "encode_name", "read", "read_stream", "reverse_name", "type_number"]

MAX_MESSAGE = 0xFFFF
"""Bytes looked at; the length of a message over TCP has two bytes (RFC 1035, 4.2.2)."""
MAX_ANSWERS = 100
MAX_MESSAGES = 16
"""Read from one TCP segment."""

_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _RECURSION_AVAILABLE, _RCODE = 0x8000, 0x0400, 0x0200, 0x0080, 0x000F
_QUESTION_LENGTH = 5
_RECORD_LENGTH = 11
"""The shortest: a root name, then type, class and so on."""
_INTERNET = 1
_PREFIX_LENGTH = 2


class _Reading(Struct):
    names: Names
    at: int = HEADER_LENGTH
    place: str = say("question {number}", number=1)
    """What is being read, in words."""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Record] = field(default_factory=list)
    damage: str | None = None

    def note(self, damage: str) -> None:
        """Remember what was wrong, if nothing was before."""
        self.damage = self.damage or damage

    def take(self, layout: str) -> tuple[int, ...]:
        start, self.at = self.at, self.at + struct.calcsize(layout)
        if self.at > len(self.names.message):
            raise DamagedError(say("cut off"))
        return struct.unpack_from(layout, self.names.message, start)


def read(payload: bytes) -> Message | None:
    """Read one message, as a datagram carries it; None where its header is not whole, and never an exception."""
    if len(payload) < HEADER_LENGTH:
        return None
    identifier, flags, questions, answers, authorities, additional = struct.unpack_from("!6H", payload)
    reading = _Reading(Names(payload[:MAX_MESSAGE]))
    _read_sections(reading, questions, answers, authorities + additional)
    if len(payload) > MAX_MESSAGE:
        reading.note(say("more than {count} bytes", count=MAX_MESSAGE))
    return Message(
        identifier=identifier,
        response=bool(flags & _RESPONSE),
        rcode=dns_words.rcode_name(flags & _RCODE),
        truncated=bool(flags & _TRUNCATED),
        recursion_available=bool(flags & _RECURSION_AVAILABLE),
        authoritative=bool(flags & _AUTHORITATIVE),
        asked=reading.asked[0] if questions == 1 and reading.asked else None,
        answers=tuple(reading.answers),
        damage=reading.damage,
    )


def read_stream(payload: bytes) -> tuple[Message, ...]:
    """Read the messages at the start of a TCP segment, each behind its length (RFC 1035, 4.2.2); never raises.

    One that goes on in the next segment is read as far as it is here, and says so.
    """
    return tuple(_messages(payload))


def _messages(payload: bytes) -> Iterator[Message]:
    at = 0
    for _ in range(MAX_MESSAGES):
        start = at + _PREFIX_LENGTH
        length = int.from_bytes(payload[at:start], "big")
        whole = payload[start : start + length]
        message = read(whole)
        if message is not None and len(whole) < length:
            yield replace(
                message,
                damage=say("cut off: {count} of {length} bytes are in this segment", count=len(whole), length=length),
            )
        elif message is not None:
            yield message
        at = start + length


def _read_sections(reading: _Reading, questions: int, answers: int, others: int) -> None:
    _check_room(reading, questions, answers + others)
    try:
        for number in range(questions):
            reading.place = say("question {number}", number=number + 1)
            _read_question(reading)
        for number in range(min(answers, MAX_ANSWERS)):
            reading.place = say("answer {number}", number=number + 1)
            _read_answer(reading)
    except DamagedError as error:
        reading.note(say("{place}: {damage}", place=reading.place, damage=error.words))
        return
    if answers > MAX_ANSWERS:
        reading.note(say("{count} answers, of which {read} were read", count=answers, read=MAX_ANSWERS))
        return
    _check_room(reading, 0, others)
    left = len(reading.names.message) - reading.at
    if left and not others:
        reading.note(say("{count} bytes behind its end", count=left))


def _check_room(reading: _Reading, questions: int, records: int) -> None:
    left = len(reading.names.message) - reading.at
    if questions * _QUESTION_LENGTH + records * _RECORD_LENGTH > left:
        known = {"records": records, "left": left}
        promised = say("{records} more records in {left} bytes", **known)
        if questions:
            promised = say("{questions} questions and {records} records in {left} bytes", questions=questions, **known)
        reading.note(promised)


def _read_question(reading: _Reading) -> None:
    labels, reading.at = reading.names.read(reading.at)
    kind, _ = reading.take("!HH")
    if not reading.asked:
        reading.asked.append(Asked(name_text(labels), dns_words.type_name(kind)))


def _read_answer(reading: _Reading) -> None:
    labels, reading.at = reading.names.read(reading.at)
    kind, of_class, ttl, length = reading.take("!HHIH")
    start, end = reading.at, reading.at + length
    reading.at = end
    if end > len(reading.names.message):
        raise DamagedError(say("cut off"))
    if kind == dns_words.OPT:
        return
    data = unknown_text(reading.names.message[start:end])
    if of_class == _INTERNET:
        try:
            data = data_text(reading.names, kind, start, end)
        except DamagedError as error:
            reading.note(say("{place}: {damage}", place=reading.place, damage=error.words))
    reading.answers.append(Record(name_text(labels), dns_words.type_name(kind), data, ttl))
