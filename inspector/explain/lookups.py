"""What the findings about names ask of a lookup. Pure."""

from collections.abc import Iterator
from ipaddress import ip_address

from inspector.explain.case import Case
from inspector.explain.mending import networks_of
from inspector.model.lookup import Replied, Silent, Unsent
from inspector.model.names import Exchange, Leg, LegKind, Mechanism, NameReport
from inspector.model.topology import HOST, Container

DEFAULT_NETWORK = "bridge"
"""The one network without names: neither aliases nor an embedded DNS are given to containers on it."""


def target_of(case: Case) -> Container | None:
    """Return the container that has the name, if one has."""
    return case.topology.container(case.names.name.rstrip(".")) if case.names else None


def is_unresolved(case: Case) -> bool:
    """Whether the source got no address for the name."""
    return case.names is not None and case.names.mechanism is Mechanism.UNRESOLVED


def wanted(names: NameReport) -> tuple[Exchange, ...]:
    """Return the exchanges about the name itself, not those about the name of its address."""
    return tuple(each for each in names.exchanges if each.outcome.query.type in names.types)


def asks_locally(case: Case, exchange: Exchange) -> bool:
    """Whether the server asked is inside the source's own network stack."""
    return is_loopback(exchange.outcome.query.server) and case.recording.plan.source.sandbox != HOST


def is_loopback(address: str) -> bool:
    """Whether an address means the stack that uses it."""
    return ip_address(address.partition("%")[0]).is_loopback


def user_networks(case: Case, container: Container | None) -> tuple[str, ...]:
    """Return the networks of a container that have names."""
    return tuple(each for each in networks_of(case, container) if each != DEFAULT_NETWORK)


def said_no(exchange: Exchange) -> bool:
    """Whether the answer is that there is no such name, or nothing of that type."""
    message = exchange.message
    return message is not None and not message.truncated and message.rcode in {"NXDOMAIN", "NOERROR"}


def was_translated(exchange: Exchange) -> bool:
    """Whether the query was seen on its way to another port than it was sent to."""
    asked = exchange.asked
    return bool(asked and asked.question and any(each.field == "destination" for each in asked.question[0].rewrites))


def unanswered_legs(exchange: Exchange) -> Iterator[Leg]:
    """Yield what was asked of servers elsewhere and never answered."""
    for leg in exchange.legs:
        local = leg.kind is LegKind.ASKED and is_loopback(leg.server)
        if leg.question and not leg.answer and not local:
            yield leg


def told(exchange: Exchange) -> str:
    """Say what came of a query, for evidence."""
    query = exchange.outcome.query
    return f"{query.server}, asked for {query.type}: {_said(exchange)}{last_seen(exchange)}"


def _said(exchange: Exchange) -> str:
    match exchange.outcome:
        case Replied():
            message = exchange.message
            if message is None:
                return "something that is no DNS message"
            return "no data" if message.rcode == "NOERROR" and not message.answers else message.rcode
        case Silent(waited_ns=waited_ns):
            return f"nothing within {waited_ns / 1e9:.1f} s"
        case Unsent(why=why):
            return why.lower()


def last_seen(exchange: Exchange) -> str:
    """Say where a question was last seen, its own or the one asked on its behalf."""
    questions = [leg.question for leg in exchange.legs if leg.question]
    return f", the question last seen at {questions[-1][-1].point}" if questions else ""


def evidence(names: NameReport) -> tuple[str, ...]:
    """Say what came of each query about the name, each thing once."""
    return tuple(dict.fromkeys(told(each) for each in wanted(names)))
