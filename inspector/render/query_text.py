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
from inspector.model.sentence import join, say
from inspector.model.text import safe
from inspector.model.topology import HOST, SandboxId
from inspector.render.language import cells, spoken
from inspector.render.name_words import answer_words, elapsed_ns, last_seen, record_rows
from inspector.render.report_parts import changes, field_word, led
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
            yield paint(MARGIN + spoken(say("took the same way as query {number}", number=first)), Style.DIM)
        else:
            yield from _laid_out(_way_told(exchange, names, source), width)
        yield from _ending(exchange, width, paint)


def _asked(exchange: Exchange, width: int, paint: Paint) -> Iterator[str]:
    query = exchange.outcome.query
    what = say(
        "{type} of {name}, to {server} over {transport}",
        type=query.type,
        name=safe(query.name),
        server=query.server,
        transport=query.transport.upper(),
    )
    if query.attempt > 1:
        what = say("{said}, attempt {number}", said=what, number=query.attempt)
    lead = say("query {number}", number=query.number)
    yield from led(what, width, lead, paint(lead, Style.STRONG), "  ")


def _way_told(exchange: Exchange, names: NameReport, source: SandboxId | None) -> Iterator[str | Row]:
    """Yield sentences and rows of hops, in the order of time."""
    asked = exchange.asked
    before: Seen | None = None
    for kind, leg, hops in _parts(exchange):
        if kind == "question" and leg.kind is LegKind.FORWARDED:
            yield MARGIN + spoken(_forwarded(leg, source))
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
            yield DEEPER + spoken(say("and seen {count} times more", count=len(shown) - MOST_HOPS))
        if kind == "question" and leg.refusal:
            yield MARGIN + spoken(say("ICMP error  {said}", said=leg.refusal))


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
    word = say("question") if kind == "question" else say("answer")
    if bare:
        word = say("TCP segments") if kind == "question" else say("TCP segments back")
    flow = f"{hop.source} > {hop.destination}{f'  ttl {hop.ttl}' if kind == 'question' else ''}"
    said = say("{word}  {flow}", word=word, flow=flow)
    if kind == "answer" and leg.kind is LegKind.FORWARDED and leg.message:
        said = say("{said}: {answer}", said=said, answer=answer_words(exchange.outcome.query, leg.message))
    return MARGIN + spoken(said)


def _forwarded(leg: Leg, source: SandboxId | None) -> str:
    """Say whom a question was forwarded to, and whose namespace it left from, where its first sighting tells."""
    said = say("forwarded to {server} over {transport}", server=leg.server, transport=leg.transport.upper())
    first = next(iter(leg.question), None)
    if first is None:
        return said
    if first.point.sandbox == source and source != HOST:
        return say("{said}, from {source}'s namespace", said=said, source=source)
    if first.point.sandbox == HOST and first.heading is Heading.OUT:
        return say("{said}, from the host's namespace", said=said)
    return say("{said}, first seen at {point}", said=said, point=first.point)


def _translation(exchange: Exchange, names: NameReport, hop: Seen) -> Iterator[str]:
    """Say what the namespace's own rules made of the question's destination, and which rule it was."""
    for each in hop.rewrites:
        rule = exchange.rule
        by = say("no rule was found that says so")
        if rule:
            by = say(
                "by rule {chain}, position {position}: {text}",
                chain=f"{rule.table} {rule.chain}",
                position=rule.position,
                text=rule.text,
            )
        elif names.setup.rules_why:
            by = say("the rules could not be read: {why}", why=names.setup.rules_why)
        field = field_word(each.field)
        told = say("{field} {before} became {after}, {by}", field=field, before=each.before, after=each.after, by=by)
        yield f"{DEEPER}  {spoken(told)}"


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
    if cells(line) <= width:
        yield line
        return
    words = spoken(words)
    lead = line[: len(line) - len(words)]
    start = cells(lead)
    if words and start <= width - LEAST_CELL:
        yield from indented(words, width, lead, " " * start)
        return
    yield from indented(lead.strip(), width, DEEPER, f"{DEEPER}  ")
    if words:
        yield from indented(words, width, f"{DEEPER}  ")


def _ending(exchange: Exchange, width: int, paint: Paint) -> Iterator[str]:
    match exchange.outcome:
        case Replied(query=query):
            message = exchange.message
            lead = say("answered in {time}:", time=duration(elapsed_ns(exchange) or 0))
            failed = message is None or message.rcode != "NOERROR"
            style = Style.BAD if failed else Style.GOOD
            yield from led(answer_words(query, message), width, lead, paint(lead, style), MARGIN)
            if message is not None and len(message.answers) > 1:
                rows = columns((f"{DEEPER}{first}", *rest) for first, *rest in record_rows(query, message))
                for row in rows:
                    yield from indented(row.strip(), width, DEEPER, f"{DEEPER}  ")
        case Silent(waited_ns=waited_ns):
            lead = say("no answer within {time};", time=duration(waited_ns))
            yield from led(_whereabouts(exchange), width, lead, paint(lead, Style.BAD), MARGIN)
        case Unsent(at_ns=at_ns, at_end_ns=at_end_ns, why=why):
            lead = say("refused:")
            if at_end_ns > at_ns:
                lead = say("refused after {time}:", time=duration(at_end_ns - at_ns))
            yield from led(join("; ", (why, _whereabouts(exchange))), width, lead, paint(lead, Style.BAD), MARGIN)


def _whereabouts(exchange: Exchange) -> str:
    """Say how far a question came that was not answered, and whether an answer got lost on its way back."""
    seen = last_seen(exchange)
    answers = [leg.answer[-1] for leg in exchange.legs if leg.answer and leg.message]
    told = say("the question was seen nowhere")
    if seen is not None:
        told = say("the question was last seen at {point} ({heading})", point=seen.point, heading=seen.heading)
    if not answers:
        return told
    point = answers[-1].point
    return say("{said}; an answer was seen as far as {point}, and did not come back", said=told, point=point)


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
