"""The commands that make way for a trace's packets past a firewall rule, as a person would type them. Pure.

1. A rule of the user's about one of the two ends is taken out; ahead of any other, the two are let through.
2. Nothing of a rule reaches a shell unless it is plain words: another rule is named by its number or handle.
3. What a program keeps for itself is changed by that program.
4. Where a translation stands ahead of the rule, the rule sees the container's address, not the one that was asked.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

from inspector.explain.case import Case
from inspector.model.path import Direction
from inspector.model.question import Carriage
from inspector.model.report import Rule
from inspector.model.rules import Backend, ChainKey
from inspector.model.sentence import join, say
from inspector.model.topology import HOST
from inspector.model.walk import ENGINE, POLICY, UFW, UNKNOWN, USER, WHOSE, WalkStep

_PLAIN = re.compile(r"[\w\s./:,!+=-]+")
_TABLES = {"filter", "nat", "mangle", "raw", "security"}
Message = tuple[str, str]
DISCOVERY: tuple[Message, ...] = (
    ("neighbour-solicitation", "icmpv6 type nd-neighbor-solicit"),
    ("neighbour-advertisement", "icmpv6 type nd-neighbor-advert"),
)
"""The two messages of neighbour discovery, as ip6tables and nft call them (RFC 4890, 4.4.1)."""
TOO_BIG: dict[int, tuple[Message, ...]] = {
    4: (("fragmentation-needed", "icmp type destination-unreachable icmp code frag-needed"),),
    6: (("packet-too-big", "icmpv6 type packet-too-big"),),
}
"""What tells a sender how much a link carries (RFC 1191, RFC 4890, 4.3.1)."""
_V6 = 6
NAT = -100
"""Priority of destination NAT (NF_IP_PRI_NAT_DST, linux/netfilter_ipv4.h)."""


def ways(case: Case, rule: Rule) -> tuple[str, ...]:
    """Return the commands; a sentence where only its owner knows."""
    source, target = case.recording.plan.source.address, _target(case, rule)
    if source is None or target is None:
        return ()
    if rule.owner == UFW:
        word = "ufw route" if rule.chain.endswith("forward") else "ufw"
        return (f"{word} prepend allow from {source} to {target}",)
    if rule.owner not in {USER, UNKNOWN}:
        whose = WHOSE.get(rule.owner, rule.owner)
        return (say("let {source} reach {target} in {whose} own settings", source=source, target=target, whose=whose),)
    enter = _enter(case, rule)
    words = _by_iptables if written_by_iptables(rule) else _by_nft
    return tuple(f"{enter}{each}" for each in words(rule, source, target, case.recording.plan.family))


def _target(case: Case, rule: Rule) -> str | None:
    """Return the other end's address as the rule sees it."""
    plan = case.recording.plan
    asked, publication = plan.resolution.address, plan.publication
    if publication is None or publication.carriage is Carriage.PROXY:
        return asked
    for path in case.paths:
        for step in path.walk if path.direction is Direction.REQUEST else ():
            table = step.sandbox, step.family, step.table
            if table == (rule.sandbox, rule.family, rule.table) and rule.chain in step.chains:
                return asked if _is_ahead_of_nat(case, step) else publication.address
    return publication.address


def _is_ahead_of_nat(case: Case, step: WalkStep) -> bool:
    """Whether the chain is entered before destinations are rewritten, which happens at these two hooks."""
    key = ChainKey(step.sandbox, Backend.NFT, step.family, step.table, step.chains[0])
    hook = next((each.hook for each in case.recording.firewall.chains if each.key == key), None)
    return hook is not None and hook.name in {"prerouting", "output"} and hook.priority < NAT


def ways_for(case: Case, rule: Rule, messages: Iterable[Message]) -> tuple[str, ...]:
    """Return the commands that let some messages of ICMP through ahead of a rule, whoever sends them."""
    messages = tuple(messages)
    if rule.owner not in {USER, UNKNOWN, ENGINE}:
        words, whose = join(" and ", (each[0] for each in messages)), WHOSE.get(rule.owner, rule.owner)
        return (say("let {messages} pass in {whose} own settings", messages=words, whose=whose),)
    enter = _enter(case, rule)
    if written_by_iptables(rule):
        six = case.recording.plan.family == _V6
        match = "-p icmpv6 --icmpv6-type" if six else "-p icmp --icmp-type"
        lets = (_iptables_line(rule, f"{match} {each[0]} -j ACCEPT", delete=False) for each in messages)
    else:
        lets = (_nft_line(rule, f"{each[1]} accept", delete=False) for each in messages)
    return tuple(f"{enter}{each}" for each in lets)


def open_port(rule: Rule, node: str, port: int, *, inward: bool) -> tuple[str, ...]:
    """Return the commands that let a node's datagrams to a port past a rule of this host: out to it, or in from it.

    A rule of the user's about that port is taken out.
    """
    if rule.owner == UFW:
        way = f"in proto udp from {node} to any" if inward else f"out proto udp to {node}"
        return (f"ufw prepend allow {way} port {port}",)
    if rule.owner not in {USER, UNKNOWN}:
        known = {"port": port, "node": node, "whose": WHOSE.get(rule.owner, rule.owner)}
        if inward:
            return (say("let UDP {port} in from {node} in {whose} own settings", **known),)
        return (say("let UDP {port} out to {node} in {whose} own settings", **known),)
    about = rule.owner == USER and rule.position != POLICY and str(port) in rule.text.split() and "!" not in rule.text
    if written_by_iptables(rule):
        let = f"-p udp {'-s' if inward else '-d'} {node} --dport {port} -j ACCEPT"
        return (_iptables_line(rule, let, delete=about),)
    ip = "ip6" if ":" in node else "ip"
    return (_nft_line(rule, f"{ip} {'saddr' if inward else 'daddr'} {node} udp dport {port} accept", delete=about),)


def _iptables_line(rule: Rule, let: str, *, delete: bool) -> str:
    tool, chain = _tool(rule), shlex.quote(rule.chain)
    if delete:
        return f"{tool} -D {chain} {_which(rule)}"
    return f"{tool} {f'-A {chain}' if rule.position == POLICY else f'-I {chain} {rule.position}'} {let}"


def _nft_line(rule: Rule, let: str, *, delete: bool) -> str:
    place = f"{rule.family} {shlex.quote(rule.table)} {shlex.quote(rule.chain)}"
    if delete:
        return f"nft delete rule {place} handle {rule.handle}"
    verb, before = ("add", "") if rule.position == POLICY else ("insert", f" handle {rule.handle}")
    return f"nft {verb} rule {place}{before} {let}"


def _which(rule: Rule) -> str:
    return rule.text if _PLAIN.fullmatch(rule.text) else str(rule.position)


def _tool(rule: Rule) -> str:
    """Return the command that changes the rule's table."""
    tool = "ip6tables" if rule.family == "ip6" else "iptables"
    tool += "-legacy" if rule.backend is Backend.LEGACY else ""
    return tool if rule.table == "filter" else f"{tool} -t {shlex.quote(rule.table)}"


def written_by_iptables(rule: Rule) -> bool:
    """Say whether the rule, or policy, is one that iptables can change."""
    if rule.position == POLICY:
        return rule.family in {"ip", "ip6"} and rule.table in _TABLES and rule.chain.isupper()
    return re.search(r"(^|\s)-[jg] \S", rule.text) is not None


def accept_ahead(chain: str, source: str, target: str, family: int) -> tuple[str, ...]:
    """Return the lines of iptables that let two ends talk to each other, at the head of a filter chain."""
    tool = "ip6tables" if family == _V6 else "iptables"
    pairs = ((source, target), (target, source))
    return tuple(f"{tool} -I {shlex.quote(chain)} -s {one} -d {other} -j ACCEPT" for one, other in pairs)


def _enter(case: Case, rule: Rule) -> str:
    if rule.sandbox == HOST:
        return ""
    container = next((each.name for each in case.topology.containers if each.sandbox == rule.sandbox), rule.sandbox)
    pid = f"docker inspect -f '{{{{.State.Pid}}}}' {shlex.quote(container)}"
    return f"nsenter -n -t $({pid}) "


def _by_iptables(rule: Rule, source: str, target: str, _family: int) -> Iterator[str]:
    if _is_about(rule, source, target):
        yield _iptables_line(rule, "", delete=True)
        return
    for one, other in ((source, target), (target, source)):
        yield _iptables_line(rule, f"-s {one} -d {other} -j ACCEPT", delete=False)


def _by_nft(rule: Rule, source: str, target: str, family: int) -> Iterator[str]:
    if _is_about(rule, source, target):
        yield _nft_line(rule, "", delete=True)
        return
    ip = "ip6" if family == _V6 else "ip"
    for one, other in ((source, target), (target, source)):
        yield _nft_line(rule, f"{ip} saddr {one} {ip} daddr {other} accept", delete=False)


def _is_about(rule: Rule, source: str, target: str) -> bool:
    """Say whether a rule of the user's names one of the ends, and no larger range."""
    if rule.owner != USER or rule.position == POLICY:
        return False
    words = rule.text.split()
    named = {word.removesuffix("/32").removesuffix("/128") for word in words if not word.startswith("{")}
    return bool(named & {source, target}) and "!" not in words and "!=" not in words
