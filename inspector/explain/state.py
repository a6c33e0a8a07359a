"""Say what the stacks on the way go by: routes consulted, policy rules, settings, links. Pure, and no observation."""

from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.model.report import Fact
from inspector.model.routing import StackSetting
from inspector.model.sentence import join, say
from inspector.model.topology import Link


def state(case: Case) -> Iterator[Fact]:
    """Yield what was consulted, in the order of the way."""
    routing = case.recording.routing
    for answer in routing.answers:
        sandbox = answer.query.sandbox
        yield Fact(say("{sandbox}: {query}: {answer}", sandbox=sandbox, query=answer.query, answer=answer), (sandbox,))
    for rule in routing.rules:
        if not rule.ordinary:
            yield Fact(say("{sandbox}: ip rule {text}", sandbox=rule.sandbox, text=rule.text), (rule.sandbox,))
    for sandbox in dict.fromkeys(each.sandbox for each in routing.settings):
        known = [each for each in routing.settings if each.sandbox == sandbox and each.value is not None]
        if known:
            yield Fact(say("{point}: {state}", point=sandbox, state=_settings(known)), (sandbox,))
    plan = case.recording.plan
    for point in dict.fromkeys(step.point for step in (*plan.request, *plan.beyond, *plan.reply)):
        link = case.topology.link(point.link)
        if link is not None:
            yield Fact(say("{point}: {state}", point=point, state=join(", ", _link(case, link))), (str(point),))


def _settings(known: list[StackSetting]) -> str:
    return ", ".join(f"{_short(each.name)} {each.value}" for each in known)


def _short(name: str) -> str:
    return name.replace("net/ipv4/conf/", "").replace("net/ipv6/conf/", "").replace("/", ".")


def _link(case: Case, link: Link) -> Iterator[str]:
    yield say("up") if link.up else say("down")
    if link.up and not link.running:
        yield say("no carrier")
    bridge = case.topology.link(link.bridge)
    if bridge is not None:
        yield say("port {port} of {bridge}", port=link.port, bridge=bridge.name)
        yield say("forwarding") if link.forwarding else say("not forwarding")
    yield f"mtu {link.mtu}"
