"""The commands that make way for a trace's packets past a firewall rule, as a person would type them. Pure.

1. A rule of the user's about one of the two ends is taken out; ahead of any other, the two are let through.
2. Nothing of a rule reaches a shell unless it is plain words: another rule is named by its number or handle.
3. What a program keeps for itself is changed by that program.
"""

import re
import shlex
from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.model.report import Rule
from inspector.model.rules import Backend
from inspector.model.topology import HOST
from inspector.model.walk import POLICY, UFW, UNKNOWN, USER, WHOSE

_PLAIN = re.compile(r"[\w\s./:,!+=-]+")
_TABLES = {"filter", "nat", "mangle", "raw", "security"}
_V6 = 6


def ways(case: Case, rule: Rule) -> tuple[str, ...]:
    """Return the commands; a sentence where only its owner knows."""
    source, target = case.recording.plan.source.address, case.recording.plan.resolution.address
    if source is None or target is None:
        return ()
    if rule.owner == UFW:
        word = "ufw route" if rule.chain.endswith("forward") else "ufw"
        return (f"{word} prepend allow from {source} to {target}",)
    if rule.owner not in {USER, UNKNOWN}:
        return (f"let {source} reach {target} in {WHOSE.get(rule.owner, rule.owner)} own settings",)
    enter = _enter(case, rule)
    words = _by_iptables if written_by_iptables(rule) else _by_nft
    return tuple(f"{enter}{each}" for each in words(rule, source, target, case.recording.plan.family))


def open_port(rule: Rule, node: str, port: int, *, inward: bool) -> tuple[str, ...]:
    """Return the commands that let a node's datagrams to a port past a rule of this host: out to it, or in from it.

    A rule of the user's about that port is taken out.
    """
    if rule.owner == UFW:
        way = f"in proto udp from {node} to any" if inward else f"out proto udp to {node}"
        return (f"ufw prepend allow {way} port {port}",)
    if rule.owner not in {USER, UNKNOWN}:
        way = "in from" if inward else "out to"
        return (f"let UDP {port} {way} {node} in {WHOSE.get(rule.owner, rule.owner)} own settings",)
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
