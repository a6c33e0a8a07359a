"""What the findings about names ask of a lookup. Pure."""

from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.explain.mending import common_networks
from inspector.model.dns import is_loopback
from inspector.model.lookup import Replied, Silent, Unsent
from inspector.model.names import Exchange, Leg, LegKind, Mechanism, NameReport
from inspector.model.naming import SHORT_ID, called
from inspector.model.sentence import say
from inspector.model.text import safe
from inspector.model.topology import HOST, Container, Mode


def target_of(case: Case) -> Container | None:
    """Return the container that has the name, if one has."""
    return called(case.topology.containers, case.names.name) if case.names else None


def known_names(case: Case, container: Container) -> frozenset[str]:
    """Return the names of a container, in small letters, that the source's embedded DNS should know.

    It knows running containers of the source's networks, each under that network alone. A container that uses another
    one's stack is on no network, and has no name (measured on Engine 20.10 and 28.5).
    """
    common = common_networks(case, container)
    if not common or not container.running or container.mode is not Mode.OWN:
        return frozenset()
    names = [container.name, container.id[:SHORT_ID], *(f"{container.name}.{each}" for each in common)]
    return frozenset(each.lower() for each in names)


def is_unresolved(case: Case) -> bool:
    """Whether the source got no address for the name."""
    return case.names is not None and case.names.mechanism is Mechanism.UNRESOLVED


def wanted(names: NameReport) -> tuple[Exchange, ...]:
    """Return the exchanges about the name itself, not those about the name of its address."""
    return tuple(each for each in names.exchanges if each.outcome.query.type in names.types)


def asks_locally(case: Case, exchange: Exchange) -> bool:
    """Whether the server asked is inside the source's own network stack."""
    return is_loopback(exchange.outcome.query.server) and case.recording.plan.source.sandbox != HOST


def asks_engine(case: Case, exchange: Exchange) -> bool:
    """Whether the server asked is inside the source's own network stack, or the engine's own elsewhere."""
    own = case.names.setup.own_servers if case.names else ()
    return asks_locally(case, exchange) or exchange.outcome.query.server in own


def said_no(exchange: Exchange) -> bool:
    """Whether the answer is that there is no such name, or nothing of that type."""
    message = exchange.message
    denied = message is not None and not message.truncated and message.rcode in {"NXDOMAIN", "NOERROR"}
    return denied and not was_dropped(exchange)


def was_dropped(exchange: Exchange) -> bool:
    """Whether records reached the server that asked on the source's behalf, and none was handed back.

    Engine 20.10 does so with answers over 512 bytes.
    """
    came = any(leg.message and leg.message.answers for leg in exchange.forwarded)
    handed_back = exchange.message is not None and bool(exchange.message.answers)
    return came and not handed_back and isinstance(exchange.outcome, Replied)


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


def waits_for(case: Case) -> tuple[str, str] | None:
    """Return an address on the way to a server that has no MAC address, and where it was asked for."""
    return next(iter(case.names.unanswered if case.names else ()), None)


def is_stuck(case: Case, exchange: Exchange) -> bool:
    """Whether the embedded DNS has failed at a question of its own that waits for a MAC address and never leaves.

    No DNS frame shows it, only the ARP or ND question (measured on Engine 20.10: then the source hears nothing).
    """
    silent = isinstance(exchange.outcome, Silent) or bool(exchange.message and exchange.message.rcode == "SERVFAIL")
    local = asks_locally(case, exchange) and not exchange.forwarded
    return silent and local and waits_for(case) is not None


def saw_everything(case: Case) -> bool:
    """Whether each point of the lookup was watched without loss, so that what was not seen was not there."""
    lookup = case.recording.lookup
    return lookup is not None and not lookup.blind_spots and not any(each.dropped for each in lookup.counts)


def told(exchange: Exchange) -> str:
    """Say what came of a query, for evidence."""
    query = exchange.outcome.query
    known = {"server": query.server, "name": safe(query.name), "type": query.type, "said": _said(exchange)}
    questions = [leg.question for leg in exchange.legs if leg.question]
    if not questions:
        return say("{server}, asked for {name} {type}: {said}", **known)
    return say(
        "{server}, asked for {name} {type}: {said}, the question last seen at {point}",
        point=questions[-1][-1].point,
        **known,
    )


def _said(exchange: Exchange) -> str:
    match exchange.outcome:
        case Replied():
            message = exchange.message
            if message is None:
                return say("something that is no DNS message")
            return say("no data") if message.rcode == "NOERROR" and not message.answers else message.rcode
        case Silent(waited_ns=waited_ns):
            return say("nothing within {seconds:.1f} s", seconds=waited_ns / 1e9)
        case Unsent(why=why):
            return why.lower()


def evidence(names: NameReport) -> tuple[str, ...]:
    """Say what came of each query about the name, each thing once."""
    return tuple(dict.fromkeys(told(each) for each in wanted(names)))
