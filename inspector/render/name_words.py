"""Say in words what came of a lookup: who answered, what was answered, where a question ended. Pure.

A name may stand as the user wrote it: whatever of one is printed went through `safe`.
"""

from collections.abc import Iterable, Sequence

from inspector.model.dns import Message, Record
from inspector.model.lookup import EMBEDDED_DNS, Query, Replied, Silent, Unsent
from inspector.model.names import Exchange, Mechanism, NameReport
from inspector.model.path import Seen
from inspector.model.text import safe
from inspector.render.text import duration

MOST_SHOWN = 12
"""Records, addresses or lines written out; JSON has them all."""
RCODES = {
    "NXDOMAIN": "no such name",
    "SERVFAIL": "the server failed",
    "REFUSED": "the server refuses",
    "NOTIMP": "the server does not do that",
    "FORMERR": "the server could not read the question",
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
        return "this is no DNS message"
    damage = f"; damaged: {message.damage}" if message.damage else ""
    if message.rcode != "NOERROR":
        word = RCODES.get(message.rcode)
        return f"{message.rcode}{f', {word}' if word else ''}{damage}"
    if message.truncated:
        return f"cut off: the whole answer has to be asked for over TCP{damage}"
    if not message.answers:
        return f"no data: no {query.type} record of that name{damage}"
    if len(message.answers) == 1:
        return record_words(query, message.answers[0]) + damage
    return f"{len(message.answers)} records{damage}"


def record_words(query: Query, record: Record) -> str:
    """Say one record; its owner only where that is not the name that was asked for."""
    return f"{record.type} {record.data}, ttl {record.ttl}{_owner(query, record)}"


def record_rows(query: Query, message: Message) -> Iterable[tuple[str, ...]]:
    """Return a row for each of several records."""
    for record in message.answers[:MOST_SHOWN]:
        yield record.type, record.data, f"ttl {record.ttl}{_owner(query, record)}"
    if len(message.answers) > MOST_SHOWN:
        yield (f"and {len(message.answers) - MOST_SHOWN} more",)


def failure_words(exchange: Exchange) -> str:
    """Say in a few words why one query gave nothing: `NXDOMAIN`, `no answer within 5.00 s`."""
    match exchange.outcome:
        case Replied(query=query):
            message = exchange.message
            known = message is not None and message.rcode != "NOERROR"
            return message.rcode if message and known else answer_words(query, message)
        case Silent(waited_ns=waited_ns):
            return f"no answer within {duration(waited_ns)}"
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
    more = f" and {len(words) - MOST_SHOWN} more" if len(words) > MOST_SHOWN else ""
    return between.join(words[:MOST_SHOWN]) + more


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
            return "Docker's embedded DNS"
        whose = "the engine's DNS" if names.server in names.setup.own_servers else "the resolver"
        return f"{whose} at {names.server}"
    return upstream(names)


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one to DNS: without regard to case (RFC 4343) and to the trailing dot."""
    return safe(one).rstrip(".").lower() == safe(other).rstrip(".").lower()


def _bare(record: Record) -> str:
    return record.data.removesuffix(".") if record.type == "PTR" else record.data


def _owner(query: Query, record: Record) -> str:
    return "" if is_same_name(record.name, query.name) else f", of {record.name}"
