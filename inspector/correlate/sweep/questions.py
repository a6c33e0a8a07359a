"""Match DNS questions with their answers, at each interface; retransmissions and rewritten ports included. Pure.

1. A question is known by its identifier, its own bytes without regard to case, and who asks; not by the server's port:
   a rule inside a container rewrites port 53 of the engine's server there, and only in one direction that is seen.
2. It is told from the interface that saw it first.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from inspector.correlate.sweep.keys import destination, source, turned
from inspector.correlate.sweep.table import Table
from inspector.model.capture import DnsExchange, Endpoint
from inspector.wire import dns, dns_words

MAX_QUESTIONS = 10_000
MOST_KEPT = 1_000
"""Answers whose records are read."""
MOST_RECORDS = 4
AGAIN_NS = 10_000_000
"""The same question this much later was asked again; before that, it is on its way through the same interface."""

_HEADER = 12
_LONGEST_LABEL, _LONGEST_NAME = 63, 255
_ONE_QUESTION = b"\x00\x01"

QuestionKey = tuple[int, bytes, bytes, bytes]
"""Number of the interface, identifier, question, who asks (address and port)."""


class _Question:
    __slots__ = ("answer", "answered_ns", "asked", "at_ns", "by", "ends", "flags", "last_ns", "message", "transport")

    def __init__(self, at_ns: int, ends: bytes, message: bytes, transport: str) -> None:
        self.at_ns = self.last_ns = at_ns
        self.ends = ends
        self.message = message
        self.transport = transport
        self.asked = 1
        self.answered_ns: int | None = None
        self.by = b""
        self.flags = 0
        self.answer = b""


class Questions:
    """All DNS of a capture."""

    def __init__(self) -> None:
        """Start with none."""
        self._questions: Table[QuestionKey, _Question] = Table(MAX_QUESTIONS)
        self._kept = 0
        self.unasked = 0
        """Answers whose question is not in the file, counted at each interface."""
        self.unreadable = 0
        """Messages whose question could not be read."""

    @property
    def too_many(self) -> int:
        """Questions that were forgotten, counted at each interface."""
        return self._questions.gone

    def feed(self, number: int, at_ns: int, ends: bytes, message: bytes, transport: str) -> None:
        """Take in one message that came past an interface."""
        end = question_end(message)
        if end is None:
            self.unreadable += 1
            return
        question = message[_HEADER : end - 4].lower() + message[end - 4 : end]
        half = (len(ends) - 4) // 2
        if message[2] & 0x80:
            self._answer(number, at_ns, ends, message, question)
            return
        client = ends[:half] + ends[-4:-2]
        key = (number, message[:2], question, client)
        known = self._questions.entries.get(key)
        if known is None:
            self._questions.put(key, _Question(at_ns, ends, message[:end], transport))
        elif at_ns - known.last_ns >= AGAIN_NS:
            known.asked += 1
            known.last_ns = at_ns

    def _answer(self, number: int, at_ns: int, ends: bytes, message: bytes, question: bytes) -> None:
        half = (len(ends) - 4) // 2
        client = ends[half : 2 * half] + ends[-2:]
        asked = self._questions.entries.get((number, message[:2], question, client))
        if asked is None:
            self.unasked += 1
        elif asked.answered_ns is None:
            asked.answered_ns = at_ns
            asked.by = ends
            asked.flags = int.from_bytes(message[2:4], "big")
            if self._kept < MOST_KEPT:
                self._kept += 1
                asked.answer = bytes(message[:1232])

    def exchanges(self, names: list[str], refusals: dict[tuple[Endpoint, Endpoint], str]) -> tuple[DnsExchange, ...]:
        """Return each question once, in the order of time; `refusals` by who asked and whom."""
        groups: dict[tuple[bytes, bytes, bytes], list[tuple[int, _Question]]] = {}
        for (number, identifier, question, client), asked in self._questions.entries.items():
            groups.setdefault((identifier, question, client), []).append((number, asked))
        for group in groups.values():
            group.sort(key=lambda each: (each[1].at_ns, each[0]))
        told = []
        waiting: dict[tuple[bytes, bytes], _Question] = {}
        for key, group in sorted(groups.items(), key=lambda each: each[1][0][1].at_ns):
            first, before = group[0][1], waiting.get(key[:2])
            onward = before is not None and (before.answered_ns is None or first.at_ns < before.answered_ns)
            if not onward:
                waiting[key[:2]] = first
            told.append(_refused(_told(group, names, onward=onward), refusals))
        return tuple(told)


def question_end(message: bytes) -> int | None:
    """Return where the question of a message with exactly one ends; None where it cannot be read."""
    size = len(message)
    if size < _HEADER or message[4:6] != _ONE_QUESTION:
        return None
    at = _HEADER
    while at < size and (length := message[at]):
        at += length + 1
        if length > _LONGEST_LABEL or at > _HEADER + _LONGEST_NAME:
            return None
    return at + 5 if at + 5 <= size else None


def _told(group: list[tuple[int, _Question]], names: list[str], *, onward: bool) -> DnsExchange:
    number, asked = group[0]
    read = dns.read(asked.message)
    about = read.asked if read else None
    server = destination(asked.ends)
    answered = asked.answered_ns is not None
    by = destination(turned(asked.by)) if asked.by else None
    return DnsExchange(
        name=about.name if about else "?",
        type=about.type if about else "?",
        client=source(asked.ends),
        server=server,
        transport=asked.transport,
        interface=names[number],
        at_ns=asked.at_ns,
        asked=asked.asked,
        rcode=dns_words.rcode_name(asked.flags & 0x0F) if answered else None,
        elapsed_ns=asked.answered_ns - asked.at_ns if asked.answered_ns is not None else None,
        answers=tuple(_records(asked.answer)),
        truncated=bool(asked.flags & 0x0200),
        answered_by=by if by != server else None,
        seen_at=tuple(dict.fromkeys(names[each] for each, _ in group)),
        onward=onward,
    )


def _records(answer: bytes) -> Iterator[str]:
    read = dns.read(answer) if answer else None
    for record in (read.answers if read else ())[:MOST_RECORDS]:
        yield f"{record.type} {record.data}"


def _refused(told: DnsExchange, refusals: dict[tuple[Endpoint, Endpoint], str]) -> DnsExchange:

    said = refusals.get((told.client, told.server)) if told.rcode is None else None
    return replace(told, refusal=said) if said else told
