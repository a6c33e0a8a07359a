"""How a name was resolved, as JSON: `resolution` of the report. Pure.

Always there: `name`, `mechanism`, `address`, `server`, `answers` and `queries`. Where the name was looked up also

- `canonical` (the name that was answered: with the search domain that fitted), `addresses` (all, in the order of the
  answer), `reverse` (the first address's own name) and `why` (there is no answer), each null or empty where it is not;
- what the source goes by: `libc`, `order` (of the mechanisms), `hosts` (the lines that answered: `{number, address,
  names}`), `nameservers`, `search`, `ndots`;
- `quiet`: capture points that were watched all the time and saw no DNS.

A query, beside the contract's `name`, `type`, `server`, `rcode`, `elapsed_ns` and `seen_at` (where the question was
seen, in order): `number`, `attempt`, `transport` (`udp|tcp`), `outcome` (`answered|silent|refused`), `why` (it brought
no DNS message), `rule` (the nat rule of the source's namespace that sent it elsewhere, or null), and `legs`: what was
`asked` by the source and `forwarded` on its behalf, `{kind, server, transport, rcode, answers, refusal, question,
answer}`, the last two lists of hops like those of `paths`, `refusal` the ICMP error that came instead of an answer, in
words. `rcode`, `elapsed_ns` and `refusal` are null where nothing came back.
"""

from collections.abc import Iterable
from typing import Any

from inspector.model.dns import Record
from inspector.model.lookup import QueryOutcome, Replied, Silent, TranslationRule, Unsent
from inspector.model.names import Exchange, Leg, NameReport
from inspector.model.question import Resolution
from inspector.render.hops_json import hop_dict
from inspector.render.name_words import elapsed_ns, failure_words

OUTCOMES: dict[type[QueryOutcome], str] = {Replied: "answered", Silent: "silent", Unsent: "refused"}


def resolution_dict(resolution: Resolution, names: NameReport | None) -> dict[str, Any]:
    """Return how the destination's name became an address."""
    told = {
        "name": resolution.name,
        "mechanism": str(resolution.mechanism),
        "address": resolution.address,
        "server": names.server if names else None,
        "answers": _records(names.answers if names else ()),
        "queries": [_query(each) for each in (names.exchanges if names else ())],
    }
    return told | _more(names) if names else told


def _more(names: NameReport) -> dict[str, Any]:
    setup = names.setup
    return {
        "canonical": names.canonical,
        "addresses": list(names.addresses),
        "reverse": names.reverse,
        "why": names.why,
        "libc": setup.libc.value,
        "order": list(setup.order),
        "hosts": [{"number": each.number, "address": each.address, "names": list(each.names)} for each in names.hosts],
        "nameservers": list(setup.nameservers.addresses),
        "search": list(setup.nameservers.search),
        "ndots": setup.nameservers.ndots,
        "quiet": [str(each) for each in names.quiet],
    }


def _query(exchange: Exchange) -> dict[str, Any]:
    query, message = exchange.outcome.query, exchange.message
    return {
        "number": query.number,
        "attempt": query.attempt,
        "name": query.name,
        "type": query.type,
        "server": query.server,
        "transport": query.transport.value,
        "outcome": OUTCOMES[type(exchange.outcome)],
        "rcode": message.rcode if message else None,
        "elapsed_ns": elapsed_ns(exchange),
        "why": None if message else failure_words(exchange),
        "seen_at": _seen_at(exchange),
        "rule": _rule(exchange.rule),
        "legs": [_leg(each) for each in exchange.legs],
    }


def _seen_at(exchange: Exchange) -> list[str]:
    hops = sorted((hop for leg in exchange.legs for hop in leg.question), key=lambda hop: hop.at_ns)
    return list(dict.fromkeys(str(hop.point) for hop in hops))


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "kind": leg.kind.value,
        "server": leg.server,
        "transport": leg.transport.value,
        "rcode": leg.message.rcode if leg.message else None,
        "answers": _records(leg.message.answers if leg.message else ()),
        "refusal": leg.refusal,
        "question": [hop_dict(each) for each in leg.question],
        "answer": [hop_dict(each) for each in leg.answer],
    }


def _rule(rule: TranslationRule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {
        "family": rule.family,
        "table": rule.table,
        "chain": rule.chain,
        "position": rule.position,
        "text": rule.text,
        "backend": rule.backend,
    }


def _records(records: Iterable[Record]) -> list[dict[str, Any]]:
    return [{"name": each.name, "type": each.type, "data": each.data, "ttl": each.ttl} for each in records]
