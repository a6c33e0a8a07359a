"""The name in the head of a trace: what the source got for it, from whom, and how long that took. Pure."""

from collections.abc import Iterator

from inspector.model.names import Mechanism, NameReport
from inspector.model.question import Plan
from inspector.model.text import safe
from inspector.model.topology import HOST
from inspector.render.name_words import answering, elapsed_ns, failure_words, is_same_name, listed, server_words
from inspector.render.report_parts import MOST_TEXT
from inspector.render.text import duration, indented

LEAD = "name     "
UNKNOWN = frozenset({"NXDOMAIN", "NOERROR"})
"""Answers by which a name is not known, or not by an address; anything else is a failure to find out."""


def name_lines(plan: Plan, names: NameReport, width: int) -> Iterator[str]:
    """Write what came of looking the destination's name up."""
    for sentence in _sentences(plan, names):
        yield from indented(safe(sentence, MOST_TEXT), width, LEAD)


def _sentences(plan: Plan, names: NameReport) -> Iterator[str]:
    taken = plan.resolution.address
    if names.mechanism is Mechanism.UNRESOLVED:
        engine = f"; address {taken} taken from the engine" if taken else ""
        yield _unresolved(plan, names) + engine
        return
    yield _resolved(names, taken)
    engines = plan.resolution.engine_addresses
    if engines and not set(engines) & set(names.addresses):
        yield f"the engine knows {names.name} by another address: {', '.join(engines)}"


def _resolved(names: NameReport, taken: str | None) -> str:
    also = tuple(each for each in names.addresses if each != taken)
    others = f" (also {listed(also)})" if also and taken else ""
    address = f"{taken or listed(names.addresses) or 'no address'}{others}"
    if names.mechanism is Mechanism.HOSTS_FILE:
        line = next((each for each in names.hosts if each.address == taken), names.hosts[0] if names.hosts else None)
        place = f"/etc/hosts line {line.number}" if line else "/etc/hosts"
        return f"{names.name}: {place} says {address}{'' if names.exchanges else ' (no DNS)'}"
    exchange = answering(names)
    elapsed = elapsed_ns(exchange) if exchange else None
    known = names.canonical or names.name
    searched = f" (as {known})" if not is_same_name(known, names.name) else ""
    within = f" in {duration(elapsed)}" if elapsed is not None else ""
    return f"{names.name}{searched}: {address} from {server_words(names)}{within}"


def _unresolved(plan: Plan, names: NameReport) -> str:
    where = "on the host" if plan.source.sandbox == HOST else f"inside {plan.source.label}"
    asked = [each for each in names.exchanges if each.outcome.query.type in names.types]
    if not asked:
        return f"{names.name} cannot be resolved {where} ({names.why or 'nothing was asked'})"
    last = asked[-1]
    unknown = last.message is not None and last.message.rcode in UNKNOWN
    state = "is unknown" if unknown else "cannot be resolved"
    return f"{names.name} {state} {where} (asked {last.outcome.query.server}: {failure_words(last)})"
