"""Say what came of a lookup: who answered, what, or why nobody did. Pure.

1. The first candidate name with data wins, as in libc; its answers are those of all its queries.
2. A server on the source's own loopback, or the engine's own elsewhere, that asked nobody on its behalf answered out
   of its own knowledge.
3. What is not in the answers is not guessed: a name without an address is unresolved, and its last failure says why.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from inspector.correlate.exchanges import follow_queries, quiet_points
from inspector.correlate.resolving import unanswered
from inspector.correlate.tracks import sort_frames
from inspector.model.dns import Message, Record, is_loopback
from inspector.model.lookup import HostsLine, Query, Replied, Silent, Unsent
from inspector.model.names import Exchange, Mechanism, NameReport
from inspector.model.recording import Lookup, Recording
from inspector.model.report import Outcome, Verdict
from inspector.model.sentence import say
from inspector.model.text import safe
from inspector.model.topology import HOST

POINTER = "PTR"


def name_report(lookup: Lookup) -> NameReport:
    """Return the whole answer of a lookup."""
    report = _outcome(lookup, follow_queries(lookup))
    tracks = sort_frames(lookup.observations, b"", lookup.plan.neighbours)
    waiting = tuple((each.target, str(lookup.plan.points[each.observation.point])) for each in unanswered(tracks))
    return replace(report, quiet=quiet_points(lookup), unanswered=waiting)


def _outcome(lookup: Lookup, exchanges: tuple[Exchange, ...]) -> NameReport:
    plan = lookup.plan
    wanted = tuple(each for each in exchanges if each.outcome.query.type in plan.wanted.types)
    answering = _answering(wanted, plan.wanted.types)
    shared = (safe(plan.wanted.name), plan.wanted.types, plan.setup)
    lines = plan.hosts or (() if answering else _lines_after(lookup, wanted))
    if lines:
        return NameReport(
            *shared,
            Mechanism.HOSTS_FILE,
            _unique(each.address for each in lines),
            hosts=lines,
            canonical=_first_name(lines),
            reverse=_reverse(exchanges, plan.wanted.types),
            exchanges=exchanges,
        )
    if not answering:
        why = _why(lookup, wanted)
        return NameReport(*shared, Mechanism.UNRESOLVED, exchanges=exchanges, why=why)
    records = tuple(record for each in answering for record in (each.message.answers if each.message else ()))
    query = answering[0].outcome.query
    return NameReport(
        *shared,
        _mechanism(lookup, answering),
        _unique(each.data for each in records if each.type in plan.wanted.types and each.type in {"A", "AAAA"}),
        server=query.server,
        answers=records,
        canonical=safe(query.name),
        reverse=_reverse(exchanges, plan.wanted.types),
        exchanges=exchanges,
    )


def judge_names(recording: Recording, names: NameReport) -> Verdict:
    """Return the verdict of a lookup alone; a question that nobody answered was last seen where its hops end."""
    if names.mechanism is not Mechanism.UNRESOLVED:
        found = ", ".join(names.addresses) or ", ".join(each.data for each in names.answers) or names.canonical or ""
        return Verdict(Outcome.DELIVERED, say("{name} is {found}", name=names.name, found=found))
    legs = (leg for each in reversed(names.exchanges) for leg in each.legs)
    last = next((leg.question[-1].point for leg in legs if leg.question), None)
    lookup = recording.lookup
    if lookup is not None and lookup.cut_short:
        gone = say("{parties} went away", parties=", ".join(lookup.departed)) if lookup.departed else say("interrupted")
        told = say("it cannot be told: {gone} while {name} was being looked up", gone=gone, name=names.name)
        return Verdict(Outcome.UNKNOWN, told, last)
    return Verdict(Outcome.UNRESOLVED, say("{name}: {why}", name=names.name, why=names.why), last)


def has_data(message: Message | None, types: Iterable[str]) -> bool:
    """Whether a message holds what was asked for."""
    wanted = set(types)
    return message is not None and message.rcode == "NOERROR" and any(each.type in wanted for each in message.answers)


def _lines_after(lookup: Lookup, exchanges: tuple[Exchange, ...]) -> tuple[HostsLine, ...]:
    """Return the lines that answer where DNS did not: which they are depends on how it failed."""
    denied = any(each.message is not None and each.message.rcode in {"NOERROR", "NXDOMAIN"} for each in exchanges)
    return lookup.plan.hosts_if_denied if denied else lookup.plan.hosts_if_failed


def _answering(exchanges: tuple[Exchange, ...], types: tuple[str, ...]) -> tuple[Exchange, ...]:
    """Return the exchanges with data for the first candidate that has any; each type once."""
    useful = [each for each in exchanges if has_data(each.message, types)]
    if not useful:
        return ()
    name = useful[0].outcome.query.name
    kinds: dict[str, Exchange] = {}
    for each in useful:
        if each.outcome.query.name == name:
            kinds.setdefault(each.outcome.query.type, each)
    return tuple(kinds.values())


def _mechanism(lookup: Lookup, answering: tuple[Exchange, ...]) -> Mechanism:
    server = answering[0].outcome.query.server
    local = is_loopback(server) and lookup.plan.wanted.sandbox != HOST
    own = local or server in lookup.plan.setup.own_servers
    asked_on = any(each.forwarded for each in answering)
    return Mechanism.EMBEDDED_DNS if own and not asked_on else Mechanism.UPSTREAM_DNS


def _reverse(exchanges: tuple[Exchange, ...], types: tuple[str, ...]) -> str | None:
    """Return the name that the first address was said to have; not where that was the question itself."""
    pointers = [
        record
        for each in exchanges
        if each.outcome.query.type == POINTER and POINTER not in types
        for record in (each.message.answers if each.message else ())
        if record.type == POINTER
    ]
    return _bare(pointers[0]) if pointers else None


def _why(lookup: Lookup, exchanges: tuple[Exchange, ...]) -> str:
    plan = lookup.plan
    if not plan.asks:
        return say(
            "no line of /etc/hosts has it, and DNS is not asked ({evidence})", evidence=plan.setup.order_evidence
        )
    if not exchanges:
        return say("interrupted before anything was asked") if lookup.interrupted else say("nothing was asked")
    return said(exchanges[-1])


def said(exchange: Exchange) -> str:
    """Say what came of one query, in one clause."""
    query = exchange.outcome.query
    match exchange.outcome:
        case Replied():
            return _answer_words(query, exchange.message)
        case Silent(waited_ns=waited_ns):
            return say("{server} did not answer within {seconds:.1f} s", server=query.server, seconds=waited_ns / 1e9)
        case Unsent(why=why):
            return say("{server} cannot be asked: {why}", server=query.server, why=why.lower())


def _answer_words(query: Query, message: Message | None) -> str:
    if message is None:
        return say("{server} sent something that is no DNS message", server=query.server)
    if message.rcode != "NOERROR":
        return say("{server} says {rcode}", server=query.server, rcode=message.rcode)
    if message.truncated:
        return say("{server} says the answer does not fit, and no whole one came over TCP", server=query.server)
    told = say("{server} knows the name, and no {type} of it", server=query.server, type=query.type)
    return say("{said}, damaged: {damage}", said=told, damage=message.damage) if message.damage else told


def _first_name(lines: tuple[HostsLine, ...]) -> str | None:
    return lines[0].names[0] if lines and lines[0].names else None


def _bare(record: Record) -> str:
    return record.data.removesuffix(".")


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))
