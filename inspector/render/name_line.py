"""The name in the head of a trace: what the source got for it, from whom, and how long that took. Pure."""

from collections.abc import Iterator

from inspector.model.names import Mechanism, NameReport
from inspector.model.question import Plan
from inspector.model.sentence import say
from inspector.model.text import safe
from inspector.model.topology import HOST
from inspector.render.language import spoken
from inspector.render.name_words import answering, elapsed_ns, failure_words, is_same_name, listed, server_words
from inspector.render.report_parts import MOST_TEXT
from inspector.render.text import duration, indented, label

UNKNOWN = frozenset({"NXDOMAIN", "NOERROR"})
"""Answers by which a name is not known, or not by an address; anything else is a failure to find out."""


def name_lines(plan: Plan, names: NameReport, width: int) -> Iterator[str]:
    """Write what came of looking the destination's name up."""
    for sentence in _sentences(plan, names):
        yield from indented(safe(spoken(sentence), MOST_TEXT), width, label(say("name")))


def _sentences(plan: Plan, names: NameReport) -> Iterator[str]:
    taken = plan.resolution.address
    if names.mechanism is Mechanism.UNRESOLVED:
        said = _unresolved(plan, names)
        yield say("{said}; address {address} taken from the engine", said=said, address=taken) if taken else said
        return
    yield _resolved(names, taken)
    engines = plan.resolution.engine_addresses
    if engines and not set(engines) & set(names.addresses):
        yield say(
            "the engine knows {name} by another address: {addresses}", name=names.name, addresses=", ".join(engines)
        )


def _resolved(names: NameReport, taken: str | None) -> str:
    also = tuple(each for each in names.addresses if each != taken)
    address = taken or listed(names.addresses) or say("no address")
    if also and taken:
        address = say("{address} (also {others})", address=taken, others=listed(also))
    if names.mechanism is Mechanism.HOSTS_FILE:
        line = next((each for each in names.hosts if each.address == taken), names.hosts[0] if names.hosts else None)
        place = say("/etc/hosts line {number}", number=line.number) if line else "/etc/hosts"
        said = say("{name}: {place} says {address}", name=names.name, place=place, address=address)
        return said if names.exchanges else say("{said} (no DNS)", said=said)
    exchange = answering(names)
    elapsed = elapsed_ns(exchange) if exchange else None
    known = names.canonical or names.name
    name = names.name if is_same_name(known, names.name) else say("{name} (as {known})", name=names.name, known=known)
    said = say("{name}: {address} from {server}", name=name, address=address, server=server_words(names))
    return said if elapsed is None else say("{said} in {time}", said=said, time=duration(elapsed))


def _unresolved(plan: Plan, names: NameReport) -> str:
    on_host = plan.source.sandbox == HOST
    where = say("on the host") if on_host else say("inside {source}", source=plan.source.label)
    asked = [each for each in names.exchanges if each.outcome.query.type in names.types]
    if not asked:
        why = names.why or say("nothing was asked")
        return say("{name} cannot be resolved {where} ({why})", name=names.name, where=where, why=why)
    last = asked[-1]
    unknown = last.message is not None and last.message.rcode in UNKNOWN
    known = {"name": names.name, "where": where, "server": last.outcome.query.server, "why": failure_words(last)}
    if unknown:
        return say("{name} is unknown {where} (asked {server}: {why})", **known)
    return say("{name} cannot be resolved {where} (asked {server}: {why})", **known)
