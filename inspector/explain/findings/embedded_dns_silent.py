"""The embedded DNS does not answer.

What: a query to 127.0.0.11 is refused or stays unanswered, and nothing is asked on its behalf.
Why: the rules in the container's own namespace that lead to the engine's resolver are gone (a firewall script flushed
them), or the resolver behind them is (the engine stopped, or hangs). Neither `docker network disconnect` and `connect`
nor another network brings the rules back (Engine 20.10 and 28.5); a restart of the container does.
On the wire: on `lo` the query still says port 53 where the rules are gone, and the resolver's high port where they are
there; an ICMP port unreachable comes back from 127.0.0.11, or nothing.
Remedy: restart the container (the engine writes the rules anew), or the engine.
"""

import shlex

from inspector.explain.case import Case
from inspector.explain.lookups import asks_locally, is_stuck, saw_everything, told, wanted, was_translated
from inspector.explain.mending import user_networks
from inspector.model.lookup import EMBEDDED_DNS, Replied, Silent
from inspector.model.names import Exchange
from inspector.model.report import Confidence, Finding, Severity
from inspector.model.sentence import say


def detect(case: Case) -> Finding | None:
    """Look for a local query that failed and set nothing off, in a container that has an embedded DNS."""
    names = case.names
    failed = [each for each in wanted(names) if _failed(case, each)] if names else []
    if names is None or not failed or not user_networks(case, case.source):
        return None
    if not any(each.asked and each.asked.question for each in failed):
        return None
    translated = any(was_translated(each) for each in failed)
    # What is refused is refused inside the namespace; silence may hide a question that was asked on unseen.
    refused = not all(isinstance(each.outcome, Silent) for each in failed)
    server = failed[0].outcome.query.server
    source = case.recording.plan.source.label
    rules = [each for each in names.setup.rules if each.port == 53]  # noqa: PLR2004 - the port of DNS
    no_rule = not rules and names.setup.rules_why is None
    remedy: str
    if translated:
        title = say(
            "the resolver behind {server} does not answer: the rules lead to it, and nobody is there", server=server
        )
        remedy = "systemctl restart docker"
    else:
        title = say(
            "nothing in the namespace of {source} leads from {server} to the engine's resolver",
            source=source,
            server=server,
        )
        remedy = f"{case.command} restart {shlex.quote(source)}"
    return Finding(
        id="embedded-dns-silent",
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN
        if (translated or no_rule) and (refused or saw_everything(case))
        else Confidence.LIKELY,
        title=title,
        evidence=(*dict.fromkeys(told(each) for each in failed), _rules(names.setup.rules_why, len(rules))),
        remedy=(remedy,),
    )


def _failed(case: Case, exchange: Exchange) -> bool:
    failed = not isinstance(exchange.outcome, Replied) and not exchange.forwarded and not is_stuck(case, exchange)
    # Another loopback server is not the engine's, unless a rule leads there.
    engines = exchange.outcome.query.server == EMBEDDED_DNS or was_translated(exchange)
    return failed and engines and asks_locally(case, exchange)


def _rules(why: str | None, count: int) -> str:
    if why is not None:
        return say("its nat rules could not be read: {why}", why=why)
    return (
        say("its nat table has {count} rules for port 53", count=count)
        if count
        else say("its nat table has no rule for port 53")
    )
