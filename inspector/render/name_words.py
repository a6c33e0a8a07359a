"""Say in words what came of a lookup: who answered, what was answered, where a question ended. Pure.

A name may stand as the user wrote it: whatever of one is printed went through `safe`.
"""

from collections.abc import Iterable, Sequence

from inspector.model.dns import Message, Record
from inspector.model.lookup import EMBEDDED_DNS, Query, Replied, Silent, Unsent
from inspector.model.names import Exchange, Mechanism, NameReport
from inspector.model.path import Seen
from inspector.model.sentence import say
from inspector.model.text import safe
from inspector.render.text import duration

MOST_SHOWN = 12
"""Records, addresses or lines written out; JSON has them all."""
RCODES = {
    "NXDOMAIN": say("no such name"),
    "SERVFAIL": say("the server failed"),
    "REFUSED": say("the server refuses"),
    "NOTIMP": say("the server does not do that"),
    "FORMERR": say("the server could not read the question"),
}
"""RFC 1035, 4.1.1."""


def elapsed_ns(exchange: Exchange) -> int | None:
    """Return the time from the question to its answer; None where there is none."""
    outcome = exchange.outcome
    return outcome.answered_ns - outcome.at_ns if isinstance(outcome, Replied) else None


def last_seen(exchange: Exchange) -> Seen | None:
    """Return the last sighting of the question, on its own way or on the way it was forwarded."""
    hops = [hop for leg in exchange.legs for hop in leg.question]
    return max(reversed(hops), key=lambda hop: hop.at_ns, default=None)


def answer_words(query: Query, message: Message | None) -> str:
    """Say what an answer says, without its records where it has several."""
    if message is None:
        return say("this is no DNS message")
    said = _said(query, message)
    return say("{said}; damaged: {damage}", said=said, damage=message.damage) if message.damage else said


def _said(query: Query, message: Message) -> str:
    if message.rcode != "NOERROR":
        word = RCODES.get(message.rcode)
        return say("{rcode}, {meaning}", rcode=message.rcode, meaning=word) if word else message.rcode
    if message.truncated:
        return say("cut off: the whole answer has to be asked for over TCP")
    if not message.answers:
        return say("no data: no {type} record of that name", type=query.type)
    if len(message.answers) == 1:
        return record_words(query, message.answers[0])
    return say("{count} records", count=len(message.answers))


def record_words(query: Query, record: Record) -> str:
    """Say one record; its owner only where that is not the name that was asked for."""
    return say("{record}, {rest}", record=f"{record.type} {record.data}", rest=_ttl(query, record))


def record_rows(query: Query, message: Message) -> Iterable[tuple[str, ...]]:
    """Return a row for each of several records."""
    for record in message.answers[:MOST_SHOWN]:
        yield record.type, record.data, _ttl(query, record)
    if len(message.answers) > MOST_SHOWN:
        yield (say("and {count} more", count=len(message.answers) - MOST_SHOWN),)


def failure_words(exchange: Exchange) -> str:
    """Say in a few words why one query gave nothing: `NXDOMAIN`, `no answer within 5.00 s`."""
    match exchange.outcome:
        case Replied(query=query):
            message = exchange.message
            known = message is not None and message.rcode != "NOERROR"
            return message.rcode if message and known else answer_words(query, message)
        case Silent(waited_ns=waited_ns):
            return say("no answer within {time}", time=duration(waited_ns))
        case Unsent(why=why):
            return why


def names_asked(names: NameReport) -> tuple[str, ...]:
    """Return the names that were asked for, in order: with and without the search domains."""
    queries = (each.outcome.query for each in names.exchanges)
    return tuple(dict.fromkeys(safe(each.name) for each in queries if each.type in names.types))


def found(names: NameReport) -> tuple[str, ...]:
    """Return what was asked for: addresses, or the name of an address, or the data of another type."""
    if names.mechanism is Mechanism.HOSTS_FILE and "PTR" in names.types:
        return (safe(names.canonical),) if names.canonical else ()
    return names.addresses or tuple(_bare(each) for each in names.answers)


def listed(words: Sequence[str], between: str = ", ") -> str:
    """Write a list, cut where it is long."""
    shown, more = between.join(words[:MOST_SHOWN]), len(words) - MOST_SHOWN
    return say("{said} and {count} more", said=shown, count=more) if more > 0 else shown


def answering(names: NameReport) -> Exchange | None:
    """Return the first exchange that brought what was asked for."""
    for each in names.exchanges:
        query, message = each.outcome.query, each.message
        wanted = query.type in names.types and query.name == names.canonical
        if wanted and message and any(record.type in names.types for record in message.answers):
            return each
    return None


def upstream(names: NameReport) -> str:
    """Return the server that knew: the last that was asked on the source's behalf, else the one the source asked."""
    exchange = answering(names)
    knew = [leg.server for leg in (exchange.forwarded if exchange else ()) if leg.message and leg.message.answers]
    return knew[-1] if knew else names.server or "?"


def server_words(names: NameReport) -> str:
    """Say who answered, as a person would call it."""
    if names.mechanism is Mechanism.EMBEDDED_DNS:
        if names.server == EMBEDDED_DNS:
            return say("Docker's embedded DNS")
        if names.server in names.setup.own_servers:
            return say("the engine's DNS at {server}", server=names.server)
        return say("the resolver at {server}", server=names.server)
    return upstream(names)


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one to DNS: without regard to case (RFC 4343) and to the trailing dot."""
    return safe(one).rstrip(".").lower() == safe(other).rstrip(".").lower()


def _bare(record: Record) -> str:
    return record.data.removesuffix(".") if record.type == "PTR" else record.data


def _ttl(query: Query, record: Record) -> str:
    """Say how long it may be kept, and whose it is where that is not the name that was asked for."""
    if is_same_name(record.name, query.name):
        return f"ttl {record.ttl}"
    return say("ttl {ttl}, of {name}", ttl=record.ttl, name=record.name)
