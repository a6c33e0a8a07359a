"""The queries of a lookup as a person reads them: each question's way, what it became, and what came back. Pure.

1. Told in the order of time: the question, what the server asked on its behalf and was told, the answer.
2. A query that went the same way as an earlier one says so, and is told by its answer alone.
3. A frame on a loopback is captured twice, as it leaves and as it comes in; it is shown once.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from inspector.model.dns import Transport
from inspector.model.lookup import Replied, Silent, Unsent
from inspector.model.names import Exchange, Leg, LegKind, NameReport
from inspector.model.path import Seen
from inspector.model.question import Heading
from inspector.model.text import safe
from inspector.model.topology import HOST, SandboxId
from inspector.render.name_words import answer_words, elapsed_ns, last_seen, record_rows
from inspector.render.report_parts import changes, led
from inspector.render.text import Paint, Style, columns, duration, indented

MOST_HOPS = 32
"""Sightings shown of one message; JSON has them all."""
LEAST_CELL = 50
"""Columns that the words behind a hop need; where there are fewer, they stand on a line of their own."""
MARGIN, DEEPER = "    ", "      "

Row = tuple[str, ...]


def query_lines(names: NameReport, source: SandboxId | None, width: int, paint: Paint) -> Iterator[str]:
    """Write a block for each query."""
    known: dict[tuple[object, ...], int] = {}
    for exchange in names.exchanges:
        number = exchange.outcome.query.number
        way = _way(exchange)
        first = known.setdefault(way, number) if way else number
        if first == number:
            yield ""
        yield from _asked(exchange, width, paint)
        if first != number:
            yield paint(f"{MARGIN}took the same way as query {first}", Style.DIM)
        else:
            yield from _laid_out(_way_told(exchange, names, source), width)
        yield from _ending(exchange, width, paint)


def _asked(exchange: Exchange, width: int, paint: Paint) -> Iterator[str]:
    query = exchange.outcome.query
    again = f", attempt {query.attempt}" if query.attempt > 1 else ""
    what = f"{query.type} of {safe(query.name)}, to {query.server} over {query.transport.upper()}{again}"
    lead = f"query {query.number}"
    yield from led(what, width, lead, paint(lead, Style.STRONG), "  ")


def _way_told(exchange: Exchange, names: NameReport, source: SandboxId | None) -> Iterator[str | Row]:
    """Yield sentences and rows of hops, in the order of time."""
    asked = exchange.asked
    before: Seen | None = None
    for kind, leg, hops in _parts(exchange):
        if kind == "question" and leg.kind is LegKind.FORWARDED:
            yield f"{MARGIN}forwarded to {leg.server} over {leg.transport.upper()}{_whence(leg, source)}"
        if not hops:
            continue
        shown = _once(hops)
        yield _flow(exchange, leg, kind, shown[0])
        for hop in shown[:MOST_HOPS]:
            first = leg is asked and kind == "question" and hop is shown[0]
            yield _row(replace(hop, rewrites=()) if first else hop, before)
            before = hop
            if first:
                yield from _translation(exchange, names, hop)
        if len(shown) > MOST_HOPS:
            yield f"{DEEPER}and seen {len(shown) - MOST_HOPS} times more"
        if kind == "question" and leg.refusal:
            yield f"{MARGIN}ICMP error  {leg.refusal}"


def _parts(exchange: Exchange) -> Iterator[tuple[str, Leg, tuple[Seen, ...]]]:
    asked = exchange.asked
    if asked:
        yield "question", asked, asked.question
    for leg in exchange.forwarded:
        yield "question", leg, leg.question
        yield "answer", leg, leg.answer
    if asked:
        yield "answer", asked, asked.answer


def _flow(exchange: Exchange, leg: Leg, kind: str, hop: Seen) -> str:
    """Say from where to where a message goes; of an answer on the source's behalf, what it says."""
    bare = leg.transport is Transport.TCP and leg.message is None
    word = {"question": "TCP segments", "answer": "TCP segments back"}[kind] if bare else kind
    said = ""
    if kind == "answer" and leg.kind is LegKind.FORWARDED and leg.message:
        said = f": {answer_words(exchange.outcome.query, leg.message)}"
    return f"{MARGIN}{word}  {hop.source} > {hop.destination}{f'  ttl {hop.ttl}' if kind == 'question' else ''}{said}"


def _whence(leg: Leg, source: SandboxId | None) -> str:
    """Say whose namespace a forwarded question left from, where its first sighting tells."""
    first = next(iter(leg.question), None)
    if first is None:
        return ""
    if first.point.sandbox == source and source != HOST:
        return f", from {source}'s namespace"
    left_host = first.point.sandbox == HOST and first.heading is Heading.OUT
    return ", from the host's namespace" if left_host else f", first seen at {first.point}"


def _translation(exchange: Exchange, names: NameReport, hop: Seen) -> Iterator[str]:
    """Say what the namespace's own rules made of the question's destination, and which rule it was."""
    for each in hop.rewrites:
        rule = exchange.rule
        by = "no rule was found that says so"
        if rule:
            by = f"by rule {rule.table} {rule.chain}, position {rule.position}: {rule.text}"
        elif names.setup.rules_why:
            by = f"the rules could not be read: {names.setup.rules_why}"
        yield f"{DEEPER}  {each.field} {each.before} became {each.after}, {by}"


def _once(hops: tuple[Seen, ...]) -> list[Seen]:
    """Leave out the second sighting of a frame on a loopback."""
    shown: list[Seen] = []
    twin = False
    for hop in hops:
        last = shown[-1] if shown and not twin else None
        twin = last is not None and _is_twin(last, hop)
        if not twin:
            shown.append(hop)
    return shown


def _is_twin(left: Seen, came: Seen) -> bool:
    same = (left.point, left.source, left.destination) == (came.point, came.source, came.destination)
    return same and left.heading is Heading.OUT and came.heading is Heading.IN


def _row(hop: Seen, before: Seen | None) -> Row:
    since = hop.at_ns - before.at_ns if before else -1
    timed = replace(hop, delta_ns=since if before else None)
    passed = f"+{duration(since)}" if since >= 0 else ""
    return f"{DEEPER}{hop.point.sandbox}", hop.point.interface, hop.heading, passed, changes(timed)


def _laid_out(told: Iterable[str | Row], width: int) -> Iterator[str]:
    """Align the rows of hops among the sentences, each in lines that fit; a sentence brings its margin with it."""
    entries = list(told)
    aligned = iter(list(columns(each for each in entries if not isinstance(each, str))))
    for entry in entries:
        if isinstance(entry, str):
            margin = " " * (len(entry) - len(entry.lstrip()))
            yield from indented(entry.lstrip(), width, margin, f"{margin}  ")
        else:
            yield from _fitted(next(aligned), entry[-1], width)


def _fitted(line: str, words: str, width: int) -> Iterator[str]:
    """Fold the last cell of a row where it is too long, under itself if there is room."""
    if len(line) <= width:
        yield line
        return
    start = len(line) - len(words)
    if words and start <= width - LEAST_CELL:
        yield from indented(words, width, line[:start], " " * start)
        return
    yield from indented(line[:start].strip(), width, DEEPER, f"{DEEPER}  ")
    if words:
        yield from indented(words, width, f"{DEEPER}  ")


def _ending(exchange: Exchange, width: int, paint: Paint) -> Iterator[str]:
    match exchange.outcome:
        case Replied(query=query):
            message = exchange.message
            lead = f"answered in {duration(elapsed_ns(exchange) or 0)}:"
            failed = message is None or message.rcode != "NOERROR"
            style = Style.BAD if failed else Style.GOOD
            yield from led(answer_words(query, message), width, lead, paint(lead, style), MARGIN)
            if message is not None and len(message.answers) > 1:
                rows = columns((f"{DEEPER}{first}", *rest) for first, *rest in record_rows(query, message))
                for row in rows:
                    yield from indented(row.strip(), width, DEEPER, f"{DEEPER}  ")
        case Silent(waited_ns=waited_ns):
            lead = f"no answer within {duration(waited_ns)};"
            yield from led(_whereabouts(exchange), width, lead, paint(lead, Style.BAD), MARGIN)
        case Unsent(at_ns=at_ns, at_end_ns=at_end_ns, why=why):
            after = f" after {duration(at_end_ns - at_ns)}" if at_end_ns > at_ns else ""
            lead = f"refused{after}:"
            yield from led(f"{why}; {_whereabouts(exchange)}", width, lead, paint(lead, Style.BAD), MARGIN)


def _whereabouts(exchange: Exchange) -> str:
    """Say how far a question came that was not answered, and whether an answer got lost on its way back."""
    seen = last_seen(exchange)
    answers = [leg.answer[-1] for leg in exchange.legs if leg.answer and leg.message]
    back = f"; an answer was seen as far as {answers[-1].point}, and did not come back" if answers else ""
    if seen is None:
        return "the question was seen nowhere" + back
    return f"the question was last seen at {seen.point} ({seen.heading})" + back


def _way(exchange: Exchange) -> tuple[object, ...]:
    """Return what makes two queries' ways equal: the same places, and the same word from each server asked on."""
    ways = tuple(
        (
            leg.kind,
            leg.server,
            leg.transport,
            leg.message.rcode if leg.message and leg.kind is LegKind.FORWARDED else None,
            leg.refusal,
            *(
                tuple((hop.point, hop.heading, _fields(hop)) for hop in _once(hops))
                for hops in (leg.question, leg.answer)
            ),
        )
        for leg in exchange.legs
    )
    return (type(exchange.outcome), exchange.outcome.query.server, *ways) if ways else ()


def _fields(hop: Seen) -> tuple[str, ...]:
    return tuple(each.field for each in hop.rewrites)
